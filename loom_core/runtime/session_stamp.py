"""The header of events: what a log adds to each of them when it appends it."""

import os
import time
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from msgspec.structs import replace

from loom_core.events import SCHEMA_VERSION, TRANSIENT, Event

E = TypeVar("E", bound=Event)

Clock: TypeAlias = Callable[[], float]
"""Seconds since 1970, as `time.time`. A parameter so that tests can make it jump."""


def timestamp(seconds: float) -> str:
    """UTC, ISO 8601 with milliseconds: `2025-01-31T15:45:01.042Z`."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03d}Z"


def file_timestamp(seconds: float) -> str:
    """The same as part of a file's name: `20250131T154501.042Z`."""
    return timestamp(seconds).replace("-", "").replace(":", "")


def is_transient(event: Event) -> bool:
    """Whether the event is shown and not logged."""
    return isinstance(event, TRANSIENT)


class Stamp:
    """The position a session's log has reached, and the identity of whoever extends it now."""

    def __init__(self, seq: int, clock: Clock) -> None:
        self.seq = seq
        """Position of the last event in the log, 0 before the first."""
        self._clock = clock
        # A torn event leaves its `seq` to the next one, so an identity that was shown must not rest on `seq` alone.
        self._writer = os.urandom(4).hex()
        self._stamped = 0

    def next(self, event: E) -> E:
        """The event with its header. `seq` of this object stays, so that an event that cannot be encoded leaves no gap.

        A transient event gets the position of the last one in the log.
        """
        self._stamped += 1
        return replace(
            event,
            v=SCHEMA_VERSION,
            seq=self.seq if is_transient(event) else self.seq + 1,
            id=f"{self._writer}-{self._stamped:x}",
            ts=timestamp(self._clock()),
        )
