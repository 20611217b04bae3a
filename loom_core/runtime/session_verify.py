"""Checking a session's files, without changing any."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from loom_core.errors import SessionError
from loom_core.events import SCHEMA_VERSION, Event, ToolCalled, ToolResulted
from loom_core.runtime.session_blobs import Blobs, session_blobs, sha256_of
from loom_core.runtime.session_info import LOG_NAME
from loom_core.runtime.session_reader import EventReader


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a session's files hold and lack."""

    id: str
    events: int
    version: int
    """The newest schema version in it."""
    bad_lines: int
    """Lines on which something cannot be read."""
    torn_bytes: int
    """Bytes after the last whole line: of a crash, or of a write going on now."""
    missing: int
    """Positions that no event has."""
    repeated: int
    """Events whose position is not after the one before."""
    unanswered: tuple[str, ...]
    """Tool calls without a result: a run is going on, or ended in a crash."""
    missing_blobs: tuple[str, ...]
    damaged_blobs: tuple[str, ...]
    """Blobs whose content is not what their name says."""

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, in words. An unanswered call is no damage."""
        counts = {
            "unreadable lines": self.bad_lines,
            "torn bytes at the end": self.torn_bytes,
            "missing events": self.missing,
            "repeated positions": self.repeated,
            "missing blobs": len(self.missing_blobs),
            "damaged blobs": len(self.damaged_blobs),
        }
        found = [f"{what}: {count}" for what, count in counts.items() if count]
        if self.version > SCHEMA_VERSION:
            found.append(f"schema version: {self.version}, which is newer than this loom's {SCHEMA_VERSION}")
        return tuple(found)


def verify_events(session_id: str, events: Iterable[Event], blobs: Blobs | None) -> Verification:
    """Check what the events say against each other and, where `blobs` are given, against the blobs they name."""
    count = version = last = missing = repeated = 0
    open_calls: dict[str, None] = {}
    named: dict[str, None] = {}
    for event in events:
        count += 1
        version = max(version, event.v)
        missing += max(0, event.seq - last - 1)
        repeated += event.seq <= last
        last = max(last, event.seq)
        if isinstance(event, ToolCalled):
            open_calls[event.call] = None
        elif isinstance(event, ToolResulted):
            open_calls.pop(event.call, None)
            if event.blob:
                named[event.blob] = None
    states = {sha: _is_whole(blobs, sha) for sha in named} if blobs else {}
    return Verification(
        id=session_id,
        events=count,
        version=version,
        bad_lines=0,
        torn_bytes=0,
        missing=missing,
        repeated=repeated,
        unanswered=tuple(open_calls),
        missing_blobs=tuple(sha for sha, whole in states.items() if whole is None),
        damaged_blobs=tuple(sha for sha, whole in states.items() if whole is False),
    )


def verify_log(directory: Path) -> Verification:
    """Check a session directory. Raises `OSError` where it has no log."""
    reader = EventReader(directory / LOG_NAME)
    found = verify_events(directory.name, reader, session_blobs(directory))
    return replace(found, bad_lines=reader.skipped, torn_bytes=reader.torn_bytes)


def _is_whole(blobs: Blobs, sha: str) -> bool | None:
    """Whether the blob has the content its name says; None where there is no such blob."""
    try:
        with blobs.path(sha).open("rb") as file:
            return sha256_of(file) == sha
    except (OSError, SessionError):
        return None
