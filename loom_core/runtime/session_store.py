"""Where sessions are kept: the contract every store fulfils, and the store of directories on disk.

ROOT/<session id>/
    events.jsonl      the log: one event a line, only ever appended to
    session.toml      a summary of it for listings; computed again where it is missing or wrong
    blobs/<sha256>    large outputs
    scratch/          content on its way into a blob
    lock              locked by the one process that writes the session
ROOT/.trash/          deleted sessions
"""

import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from msgspec.structs import replace

from loom_core._version import __version__
from loom_core.errors import SessionError, UsageError
from loom_core.events import Event, SessionStart
from loom_core.messages import JSON
from loom_core.runtime.private_files import make_private_directory, storage_errors, unused_name
from loom_core.runtime.session_id import checked_id, choose_id, is_session_id, new_id, session_not_found
from loom_core.runtime.session_info import LOG_NAME, SessionInfo, read_info
from loom_core.runtime.session_lock import SessionLock, session_holder
from loom_core.runtime.session_log import FileLog
from loom_core.runtime.session_reader import EventReader
from loom_core.runtime.session_stamp import Clock, file_timestamp
from loom_core.runtime.session_verify import Verification, verify_log

__all__ = ["FileSessionStore", "Log", "SessionInfo", "SessionStore", "Verification"]

E = TypeVar("E", bound=Event)
Sessions: TypeAlias = list[SessionInfo]
Names: TypeAlias = list[str]

_TRASH = ".trash"


class Log(Protocol):
    """A session's log, open for writing: the one place where what happens in a session is put down."""

    @property
    def session_id(self) -> str:
        """The session's name."""

    @property
    def scratch(self) -> Path:
        """A private directory on the session's file system for content on its way into a blob; emptied at times."""

    def append(self, event: E) -> E:
        """Give the event its header and its place, and write it. A transient one (`events.TRANSIENT`) is only stamped.

        Raises `StorageError` where it cannot be written. It then keeps its place and goes out first with the next
        attempt, so it must not be appended again; nothing that rests on it may be done meanwhile.
        """

    async def sync(self) -> None:
        """Return when everything appended or stored before would survive a power cut. Raises `StorageError`."""

    def events(self) -> Iterator[Event]:
        """All events, from the first."""

    def drain(self) -> list[Event]:
        """The events the log appended of itself since the last call (start, recovery, notices), for who watches."""

    def blob(self, data: bytes | Path) -> str:
        """Store large content and give its SHA-256; a file is moved in. From any thread. Raises `StorageError`."""

    def read_blob(self, sha: str) -> bytes:
        """What was stored under this SHA-256. Raises `SessionError` where nothing was."""

    def close(self) -> None:
        """Let others write the session. May be called twice; everything else raises `SessionClosed` afterwards."""


class SessionStore(Protocol):
    """Where sessions are kept. A session is named by its id, found by what people type with `find`."""

    def create(
        self,
        *,
        cwd: str | Path,
        title: str = "",
        session_id: str | None = None,
        metadata: Mapping[str, JSON] = {},
        parent: str = "",
    ) -> Log:
        """Begin a session. Raises `UsageError` for an id that is taken or cannot be one, `StorageError`."""

    def open(self, session_id: str) -> Log:
        """Go on with a session, mended where a crash left it torn (the log then says so in an event).

        Raises `SessionNotFound`, `SessionLocked`, `SessionTooNew`, `StorageError`.
        """

    def read(self, session_id: str) -> Iterator[Event]:
        """What can be read of a session's events, whoever is writing it. Raises `SessionNotFound`."""

    def exists(self, session_id: str) -> bool:
        """Whether there is a session of this id."""

    def list(self, limit: int | None = None) -> Sessions:
        """The sessions, or the `limit` newest of them, the one written last first."""

    def find(self, reference: str) -> str:
        """The id meant by an id, the unique beginning of one, `@last`, or `@N` for the Nth newest.

        Raises `SessionNotFound` with the candidates or the nearest ids.
        """

    def delete(self, session_id: str) -> None:
        """Put a session away. Raises `SessionNotFound`, `SessionLocked`, `StorageError`."""

    def verify(self, session_id: str) -> Verification:
        """Check a session's files without changing them. Raises `SessionNotFound`."""

    def path(self, session_id: str) -> Path:
        """The directory of a session. Raises `SessionNotFound`."""


class FileSessionStore:
    """A directory of session directories, all of them 0700 and their files 0600 whatever the umask."""

    def __init__(self, root: Path, *, clock: Clock = time.time) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - a later chdir must not move it; links stay as named
        self._clock = clock

    @property
    def trash(self) -> Path:
        """Where deleted sessions are. Inside the root, so that it is on the same file system."""
        return self.root / _TRASH

    def create(
        self,
        *,
        cwd: str | Path,
        title: str = "",
        session_id: str | None = None,
        metadata: Mapping[str, JSON] = {},
        parent: str = "",
    ) -> FileLog:
        """See `SessionStore.create`."""
        with storage_errors(self.root):
            directory = self._named_directory(session_id) if session_id is not None else self._new_directory()
        start = SessionStart(
            session=directory.name, cwd=str(cwd), loom=__version__, title=title, parent=parent, metadata=metadata
        )
        return FileLog.create(directory, start, self._clock)

    def open(self, session_id: str) -> FileLog:
        """See `SessionStore.open`."""
        return FileLog.open(self.path(session_id), self._clock)

    def read(self, session_id: str) -> EventReader:
        """See `SessionStore.read`."""
        return EventReader(self.path(session_id) / LOG_NAME)

    def exists(self, session_id: str) -> bool:
        """See `SessionStore.exists`."""
        return is_session_id(session_id) and self._written_at(session_id) is not None

    def list(self, limit: int | None = None) -> Sessions:
        """See `SessionStore.list`. Changes nothing on disk."""
        infos = (self._info(session_id) for session_id in self._newest()[:limit])
        return [info for info in infos if info]

    def find(self, reference: str) -> str:
        """See `SessionStore.find`."""
        return reference if self.exists(reference) else choose_id(reference, self._newest())

    def delete(self, session_id: str) -> None:
        """See `SessionStore.delete`. The session's directory is moved into `trash`."""
        directory = self.path(session_id)
        with storage_errors(directory):
            lock = SessionLock(directory)
            try:
                make_private_directory(self.trash)
                directory.rename(unused_name(self.trash / session_id, file_timestamp(self._clock())))
            finally:
                lock.release()

    def verify(self, session_id: str) -> Verification:
        """See `SessionStore.verify`."""
        return verify_log(self.path(session_id))

    def path(self, session_id: str) -> Path:
        """See `SessionStore.path`."""
        if not self.exists(session_id):
            raise session_not_found(session_id, self._newest())
        return self.root / session_id

    def _new_directory(self) -> Path:
        """Raises `OSError`, in the end also where chance repeats itself."""
        for _ in range(20):
            directory = self.root / new_id(self._clock())
            try:
                make_private_directory(directory, exist_ok=False)
            except FileExistsError:
                continue
            return directory
        raise SessionError(f"cannot find a free name for a session in {self.root}")

    def _named_directory(self, session_id: str) -> Path:
        if self.exists(checked_id(session_id)):
            raise UsageError(f"session {session_id} exists already", hint="Open it, or choose another name.")
        directory = self.root / session_id
        make_private_directory(directory)
        return directory

    def _newest(self) -> Names:
        """The ids, the session written last first. By the files' times: what stands in the events may have jumped."""
        try:
            names = os.listdir(self.root)  # noqa: PTH208 - thousands of names, of which most need no Path
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SessionError(f"cannot read {self.root}: {error.strerror}") from error
        found = [(time, name) for name in names if is_session_id(name) and (time := self._written_at(name)) is not None]
        return [name for _, name in sorted(found, reverse=True)]

    def _written_at(self, session_id: str) -> int | None:
        """Nanoseconds since 1970; None where there is no log, or one on which nothing was ever written."""
        try:
            status = os.stat(f"{self.root}/{session_id}/{LOG_NAME}")  # noqa: PTH116 - see `_newest`
        except OSError:
            return None
        return status.st_mtime_ns if status.st_size and stat.S_ISREG(status.st_mode) else None

    def _info(self, session_id: str) -> SessionInfo | None:
        directory = self.root / session_id
        try:
            info = read_info(directory)
        except OSError:  # deleted since its name was read
            return None
        if holder := session_holder(directory):
            return replace(info, state="running", pid=holder.pid)
        return replace(info, state="crashed") if info.state == "running" else info
