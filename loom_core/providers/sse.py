"""Server-sent events, decoded from bytes as they arrive.

The grammar is that of the WHATWG HTML standard, section "Server-sent events". Lines are split on bytes and decoded
when whole, so neither a character nor a line ending is harmed by where the network cuts; `str.splitlines` (and with
it `httpx.iter_lines`) would also split at U+2028 and U+0085, which occur inside JSON strings.
"""

import re
from typing import NamedTuple

from loom_core.errors import BadResponse

EVENT_LIMIT = 16 * 1024 * 1024
"""Bytes of one event. A service that sends more without a blank line is broken or hostile."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event. `complete` is false for a last event the stream ended in, without its blank line."""

    event: str
    data: str
    complete: bool = True


class EventDecoder:
    """Turns bytes, cut anywhere, into events. Fields may come in any order; comments are dropped."""

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._line = bytearray()
        self._after_return = False
        self._at_start = True
        self._event = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that `chunk` completes. `BadResponse` when one exceeds the limit."""
        if not chunk:
            return []
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a \r\n whose first half already ended the line
        self._after_return = chunk.endswith(b"\r")
        *ended, rest = _LINE_END.split(chunk)
        events: list[ServerSentEvent] = []
        for piece in ended:
            line = piece
            if self._line:
                self._line += piece
                line = bytes(self._line)
                self._line.clear()
            event = self._take(line)
            if event is not None:
                events.append(event)
        self._line += rest
        if self._size + len(self._line) > self._limit:
            raise self._too_large()
        return events

    def close(self) -> ServerSentEvent | None:
        """The event the stream ended in, if there is one."""
        line = bytes(self._line)
        self._line.clear()
        if line:
            self._take(line)
        event = self._take(b"")
        return None if event is None else event._replace(complete=False)

    def _take(self, line: bytes) -> ServerSentEvent | None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value)
            if self._size > self._limit:
                raise self._too_large()
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"error":  # how older llama.cpp servers end a stream that fails
            self._event, self._data = name, [value]
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], b"", 0
        if not data:
            return None
        return ServerSentEvent(event.decode("utf-8", "replace"), b"\n".join(data).decode("utf-8", "replace"))

    def _too_large(self) -> BadResponse:
        return BadResponse(f"the service sent a single event of more than {self._limit} bytes")
