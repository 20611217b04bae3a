"""Reading a log as it is, whatever happened to it: what can be read is read, what cannot is counted.

A log may hold a torn line (killed or full disk), runs of NUL bytes (power cut), two events on one line (a program that
appended to a torn line), and flipped bytes. Lines end at newlines alone: `str.splitlines` would also cut at U+2028.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from loom_core.events import Event, from_json

MAX_LINE = 64 << 20
"""Bytes. Longer lines are neither written nor held in memory to be read."""

_BOM = b"\xef\xbb\xbf"
# Each attempt to find an event inside a damaged line may read all the rest of it.
_MAX_ATTEMPTS = 1000
_scanner = json.JSONDecoder()


class LineHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What an event of any version says of itself."""

    type: str
    v: int = 0
    seq: int = 0
    run: str = ""


_header_decoder = msgspec.json.Decoder(LineHeader)


def read_header(line: bytes) -> LineHeader | None:
    """The header of the event on a line, whatever else it holds; None where no event can be made out."""
    try:
        return _header_decoder.decode(line.removeprefix(_BOM).strip(b"\0\r\n"))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def read_lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """The lines from byte `start` with their newline; a line longer than `MAX_LINE` comes in pieces of that length.

    Raises `OSError`.
    """
    with path.open("rb") as file:
        file.seek(start)
        while line := file.readline(MAX_LINE):
            yield line


class EventReader:
    """The events of a log from byte `start`, in the order they stand there.

    A last line without newline is read where it is whole and otherwise left alone, since its writer may be at it. The
    counts grow while it is read. Raises `OSError`.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self.skipped = 0
        """Lines on which something could not be read."""
        self.offset = start
        """Where to go on reading later."""
        self.torn_bytes = 0
        """Bytes after the last whole line, once the end is reached."""
        self._events = self._read(path)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def _read(self, path: Path) -> Iterator[Event]:
        pieces: list[int] = []  # lengths of what came of a line so far without its end
        line = b""
        for line in read_lines(path, self.offset):
            if not line.endswith(b"\n"):
                pieces.append(len(line))
                continue
            self.offset += sum(pieces) + len(line)
            if pieces:
                self.skipped += 1
                pieces.clear()
                continue
            events, whole = parse_line(line)
            self.skipped += not whole
            yield from events
        if len(pieces) == 1 and (events := parse_line(line)[0]):
            self.offset += pieces.pop()
            yield from events
        self.torn_bytes = sum(pieces)


def parse_line(line: bytes) -> tuple[list[Event], bool]:
    """The events on a line, and whether that is all there is on it.

    Without its newline, which an editor may have taken and which a torn line has not got yet, it is one whole event or
    nothing.
    """
    try:
        return [from_json(line)], True
    except ValueError:
        events, whole = _salvage(line)
    return (events, whole) if whole or line.endswith(b"\n") else ([], False)


def _salvage(line: bytes) -> tuple[list[Event], bool]:
    """As `parse_line`, for a line that is not simply one event.

    Whole events at its beginning count, and one that reaches up to its end. Nothing between: a tool's arguments may
    look like an event, and damage must not turn what a model wrote into what the runtime decided.
    """
    text = _text(line)
    events: list[Event] = []
    position = 0
    while found := _event_at(text, position):
        event, position = found
        events.append(event)
    if position == len(text):
        return events, b"\0" not in line
    for _ in range(_MAX_ATTEMPTS):
        position = text.find('{"', position + 1)
        if position < 0:
            break
        found = _event_at(text, position)
        if found and found[1] == len(text):
            events.append(found[0])
            break
    return events, False


def _text(line: bytes) -> str:
    return line.removeprefix(_BOM).decode("utf-8", "surrogateescape").strip("\0 \r\n")


def _event_at(text: str, start: int) -> tuple[Event, int] | None:
    """The event that begins there and where it ends."""
    try:
        _, end = _scanner.raw_decode(text, start)
        event = from_json(text[start:end].encode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    return (event, end) if event.seq else None
