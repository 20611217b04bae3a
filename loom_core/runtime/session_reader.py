"""Reading a log as it is, whatever happened to it: what can be read is read, what cannot is counted.

A log may hold a torn line (killed or full disk), runs of NUL bytes (power cut), two events on one line (a program that
appended to a torn line), and flipped bytes. Lines end at b"\\n" alone: `str.splitlines` would also cut at U+2028.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from loom_core.events import Event, from_json

MAX_LINE = 64 << 20
"""Bytes. Longer lines are neither written nor held in memory to be read."""

_BLOCK = 64 << 10
_BOM = b"\xef\xbb\xbf"
# Each attempt to find an event inside a damaged line may read all the rest of it.
_MAX_ATTEMPTS = 1000


class LineHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What every event of every version says of itself."""

    type: str
    v: int = 0
    seq: int = 0
    run: str = ""


_header_decoder = msgspec.json.Decoder(LineHeader)


def read_header(line: bytes) -> LineHeader | None:
    """The header of the event on a line, whatever its type holds; None where there is no event on it."""
    try:
        return _header_decoder.decode(_bare(line))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def read_lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """The lines from byte `start` with their b"\\n"; a line longer than `MAX_LINE` comes in pieces of that length.

    Raises `OSError`.
    """
    with path.open("rb") as file:
        file.seek(start)
        while line := file.readline(MAX_LINE):
            yield line


class EventReader:
    """The events of a log from byte `start`, in the order they stand there.

    A last line without b"\\n" is read if it is whole and otherwise left alone: its writer may be at it. The counts grow
    while it is read. Raises `OSError`.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self.skipped = 0
        """Lines with something on them that could not be read."""
        self.offset = start
        """Where to go on reading later."""
        self.torn_bytes = 0
        """Bytes after the last line, once the end is reached."""
        self._events = self._read(path)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def _read(self, path: Path) -> Iterator[Event]:
        pieces = 0  # bytes so far of a line that is too long
        for line in read_lines(path, self.offset):
            if not line.endswith(b"\n"):
                pieces += len(line)
                continue
            if pieces:
                self.skipped += 1
                self.offset += pieces + len(line)
                pieces = 0
                continue
            self.offset += len(line)
            try:
                yield from_json(line)
            except ValueError:
                yield from self._salvage(line)
        ...
