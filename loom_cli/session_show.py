"""What happened in a session, from its log: for a person as it was, for a program as events."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from loom_cli.render.narrator import Narrator, note
from loom_cli.render.numbers import counted
from loom_cli.render.paint import Line, line
from loom_cli.render.scrollback import Scrollback
from loom_core.events import (
    EVENT_TYPES,
    Event,
    ModelResponse,
    SessionClear,
    SessionRecovered,
    SessionStart,
    UserMessage,
    encode,
    to_json,
)
from loom_core.messages import Text
from loom_core.runtime.session_reader import LineHeader, parse_line, read_header, read_lines
from loom_core.safety.text import safe_text

T = TypeVar("T")

KINDS = tuple(dict.fromkeys(name.partition(".")[0] for name in EVENT_TYPES))
"""What the names of event types begin with."""

_POLL_S = 0.2
_HEADER = ("type", "v", "seq", "id", "ts")


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted; empty fields leave all in."""

    types: frozenset[str] = frozenset()
    """Names (`tool.call`), or what they begin with (`tool`)."""
    run: str = ""
    """What the run's id begins with."""
    tail: int | None = None
    """The last so many of those that are wanted otherwise."""

    def takes(self, header: LineHeader | Event | None) -> bool:
        """Whether an event of this header is wanted; None is a line on which none can be made out."""
        if header is None:
            return not (self.types or self.run)
        names = {header.type, header.type.partition(".")[0]}
        return (not self.types or not names.isdisjoint(self.types)) and header.run.startswith(self.run)


class LogView:
    """What is wanted of a log; with `live`, also of what is added while that says that somebody writes it."""

    def __init__(self, path: Path, selection: Selection, live: Callable[[], bool] = lambda: False) -> None:
        self._path = path
        self._selection = selection
        self._live = live
        self.skipped = 0
        """Lines on which something could not be read, so far."""

    def raw(self) -> Iterator[str]:
        """Lines as they stand in the log, the unreadable too, but for what would steer a terminal."""
        for each in self._last(self._wanted_lines()):
            yield safe_text(each.decode("utf-8", "surrogateescape").rstrip("\r\n")) + "\n"

    def events(self) -> Iterator[Event]:
        """What could be read."""
        yield from self._last(self._wanted_events())

    def _wanted_lines(self) -> Iterator[bytes | None]:
        return (each for each in self._lines() if each is None or self._selection.takes(read_header(each)))

    def _wanted_events(self) -> Iterator[Event | None]:
        for each in self._lines():
            if each is None:
                yield None
                continue
            events, whole = parse_line(each)
            self.skipped += not whole
            yield from (event for event in events if self._selection.takes(event))

    def _lines(self) -> Iterator[bytes | None]:
        """The lines, and None wherever the end of what is there by now is reached."""
        offset = 0
        going_on = True
        while going_on:
            going_on = self._live()  # asked first: what a writer leaves last is then still read
            for each in read_lines(self._path, offset):
                if going_on and not each.endswith(b"\n"):
                    break  # being written
                offset += len(each)
                yield each
            yield None
            if going_on:
                time.sleep(_POLL_S)

    def _last(self, items: Iterable[T | None]) -> Iterator[T]:
        """The last of what is there by now, and then all that follows."""
        held: deque[T] | None = None if self._selection.tail is None else deque(maxlen=self._selection.tail)
        for item in items:
            if item is None:
                yield from held or ()
                held = None
            elif held is None:
                yield item
            else:
                held.append(item)


def as_array(events: Iterable[Event]) -> Iterator[str]:
    """One JSON array, an event a line."""
    opening = "["
    for event in events:
        yield opening + to_json(event).decode()
        opening = ",\n"
    yield "]\n" if opening != "[" else "[]\n"


def as_records(events: Iterable[Event]) -> Iterator[str]:
    """A line for each event: position, time, type, and the rest as JSON."""
    for event in events:
        fields = msgspec.json.decode(to_json(event))
        rest = {name: value for name, value in fields.items() if name not in _HEADER}
        yield safe_text(f"{event.seq}\t{event.ts}\t{event.type}\t{encode(rest).decode()}\n")


def tell(events: Iterable[Event], scrollback: Scrollback, columns: int, in_use: Callable[[], bool]) -> None:
    """As it looked when it happened; `in_use` says, at the end, whether what is not finished still goes on."""
    narrator = Narrator(lambda: columns)
    for event in events:
        told = narrator.tell(event)
        match event:
            case SessionStart():
                scrollback.tell("work", [note(f"session {event.session} in {event.cwd}, begun {event.ts}")])
            case ModelResponse():
                scrollback.tell("answer", _words(event))
            case UserMessage():
                scrollback.tell("you", told, apart=True)
            case SessionClear():
                scrollback.tell("work", [note("the conversation starts afresh here")])
            case SessionRecovered():
                bytes_cut = counted(event.torn_bytes, "byte")
                text = f"{bytes_cut} of a line that a crash had cut off were put aside: {event.saved_as}"
                scrollback.tell("work", [note(text, mark="!")])
            case _:
                scrollback.tell("work", told)
    if not in_use():
        scrollback.tell("work", narrator.broken_off())


def _words(event: ModelResponse) -> list[Line]:
    words = "".join(part.text for part in event.parts if isinstance(part, Text)).strip("\n")
    lines = [line(each) for each in words.split("\n")] if words else []
    return [*lines, note("cut off here", mark="✗")] if event.partial else lines
