"""Sessions that end with the process: for embedding, and for runs that keep no record."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from msgspec.structs import replace

from loom_core._version import __version__
from loom_core.errors import SessionClosed, SessionError, SessionLocked, UsageError
from loom_core.events import Event, SessionStart
from loom_core.messages import JSON
from loom_core.runtime.private_files import make_private_directory, storage_errors
from loom_core.runtime.session_blobs import SCRATCH_NAME, session_blobs
from loom_core.runtime.session_id import checked_id, choose_id, new_id, session_not_found
from loom_core.runtime.session_info import SessionInfo, fold
from loom_core.runtime.session_stamp import Clock, Stamp, is_transient
from loom_core.runtime.session_verify import Verification, verify_events

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

E = TypeVar("E", bound=Event)
Sessions: TypeAlias = list[SessionInfo]


@dataclass(slots=True, kw_only=True)
class _Record:
    """What is known of one session while the process lives."""

    info: SessionInfo
    events: list[Event] = field(default_factory=list)
    written_at: int = 0
    """Nanoseconds of the monotonic clock."""
    is_open: bool = False


class MemoryLog:
    """Implements `session_store.Log`; what goes into blobs is gone when the log is closed."""

    def __init__(self, record: _Record, clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._stamp = Stamp(record.events[-1].seq if record.events else 0, clock)
        self._own: list[Event] = []
        self._temporary: TemporaryDirectory[str] | None = None
        self._closed = False
        record.is_open = True

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self._record.info.id

    @property
    def scratch(self) -> Path:
        """A private temporary directory."""
        path = self._directory / SCRATCH_NAME
        with storage_errors(path):
            make_private_directory(path)
        return path

    def append(self, event: E) -> E:
        """Stamp the event and keep it, unless its type is only shown."""
        self._check_open()
        stamped = self._stamp.next(event)
        if not is_transient(event):
            self._stamp.seq = stamped.seq
            self._record.events.append(stamped)
            self._record.info = fold(replace(self._record.info, updated=stamped.ts), stamped)
            self._record.written_at = time.monotonic_ns()
        return stamped

    async def sync(self) -> None:
        """Nothing here outlives the process."""
        self._check_open()

    def events(self) -> Iterator[Event]:
        """All events so far, from the first."""
        return iter(tuple(self._record.events))

    def drain(self) -> list[Event]:
        """The events the log appended of itself since the last call."""
        own, self._own = self._own, []
        return own

    def blob(self, data: bytes | Path) -> str:
        """Store large content in a temporary directory. Raises `StorageError`."""
        self._check_open()
        return session_blobs(self._directory).add(data)

    def read_blob(self, sha: str) -> bytes:
        """What was stored under this SHA-256. Raises `SessionError` where nothing was."""
        return session_blobs(self._directory).read(sha)

    def close(self) -> None:
        """Remove the temporary directory; the events stay in the store."""
        if not self._closed:
            self._closed = True
            self._record.is_open = False
            if self._temporary is not None:
                self._temporary.cleanup()

    def begin(self, start: SessionStart) -> None:
        """Append the first event."""
        self._own.append(self.append(start))

    @property
    def _directory(self) -> Path:
        self._check_open()
        if self._temporary is None:
            from tempfile import TemporaryDirectory  # 15 ms, for the few sessions that need one

            with storage_errors(Path("a temporary directory")):
                self._temporary = TemporaryDirectory(prefix="loom-")
        return Path(self._temporary.name)

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed(f"session {self.session_id} is closed", hint="Open it again to go on.")


class MemorySessionStore:
    """Implements `session_store.SessionStore` without a file but for large content."""

    def __init__(self, *, clock: Clock = time.time) -> None:
        self._records: dict[str, _Record] = {}
        self._clock = clock

    def create(
        self,
        *,
        cwd: str | Path,
        title: str = "",
        session_id: str | None = None,
        metadata: Mapping[str, JSON] = {},
        parent: str = "",
    ) -> MemoryLog:
        """See `SessionStore.create`."""
        name = self._new_id() if session_id is None else checked_id(session_id)
        if name in self._records:
            raise UsageError(f"session {name} exists already", hint="Open it, or choose another name.")
        self._records[name] = _Record(info=SessionInfo(id=name))
        log = MemoryLog(self._records[name], self._clock)
        log.begin(
            SessionStart(session=name, cwd=str(cwd), loom=__version__, title=title, parent=parent, metadata=metadata)
        )
        return log

    def open(self, session_id: str) -> MemoryLog:
        """See `SessionStore.open`."""
        record = self._record(session_id)
        _check_free(record)
        return MemoryLog(record, self._clock)

    def read(self, session_id: str) -> Iterator[Event]:
        """See `SessionStore.read`."""
        return iter(tuple(self._record(session_id).events))

    def exists(self, session_id: str) -> bool:
        """See `SessionStore.exists`."""
        return session_id in self._records

    def list(self, limit: int | None = None) -> Sessions:
        """See `SessionStore.list`."""
        records = sorted(self._records.values(), key=lambda record: record.written_at, reverse=True)
        return [
            replace(record.info, state="running", pid=os.getpid()) if record.is_open else record.info
            for record in records[:limit]
        ]

    def find(self, reference: str) -> str:
        """See `SessionStore.find`."""
        return choose_id(reference, [info.id for info in self.list()])

    def delete(self, session_id: str) -> None:
        """See `SessionStore.delete`."""
        _check_free(self._record(session_id))
        del self._records[session_id]

    def verify(self, session_id: str) -> Verification:
        """See `SessionStore.verify`. Blobs are not looked at: they go when their log is closed."""
        return verify_events(session_id, self._record(session_id).events, None)

    def path(self, session_id: str) -> Path:
        """Raises `SessionError`: there is no directory."""
        raise SessionError(f"session {self._record(session_id).info.id} is kept in memory only")

    def _record(self, session_id: str) -> _Record:
        try:
            return self._records[session_id]
        except KeyError:
            raise session_not_found(session_id, list(self._records)) from None

    def _new_id(self) -> str:
        while (name := new_id(self._clock())) in self._records:
            continue
        return name


def _check_free(record: _Record) -> None:
    if record.is_open:
        raise SessionLocked(f"session {record.info.id} is open in this process", hint="Close it first.")
