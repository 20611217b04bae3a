"""The log of one session on disk, open for writing."""

import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self, TypeVar

from msgspec.structs import replace

from loom_core.errors import SessionClosed, SessionLocked, SessionTooNew, StorageError, UsageError
from loom_core.events import (
    SCHEMA_VERSION,
    Event,
    Notice,
    RunEnd,
    SessionRecovered,
    SessionStart,
    SessionTitle,
    to_json,
)
from loom_core.runtime.append_file import AppendFile
from loom_core.runtime.private_files import make_private_directory, storage_errors
from loom_core.runtime.session_blobs import SCRATCH_NAME, session_blobs
from loom_core.runtime.session_info import LOG_NAME, SessionInfo, fold, read_info, write_info
from loom_core.runtime.session_lock import SessionLock
from loom_core.runtime.session_reader import MAX_LINE, EventReader, read_header, read_lines
from loom_core.runtime.session_stamp import Clock, Stamp, file_timestamp, is_transient, timestamp
from loom_core.runtime.session_tail import mend_tail, read_tail

E = TypeVar("E", bound=Event)


class FileLog:
    """Implements `session_store.Log`. Used from one thread, but for `blob`, which any thread may call."""

    def __init__(self, directory: Path, lock: SessionLock, file: AppendFile, *, seq: int, clock: Clock) -> None:
        self._directory = directory
        self._lock = lock
        self._file = file
        self._blobs = session_blobs(directory)
        self._stamp = Stamp(seq, clock)
        self._clock = clock
        self._info = SessionInfo(id=directory.name)
        self._own: list[Event] = []
        self._resources = ExitStack()
        self._closed = False

    @classmethod
    def create(cls, directory: Path, start: SessionStart, clock: Clock = time.time) -> Self:
        """Begin a log in a directory that holds none.

        Raises `UsageError` where there is one after all, `SessionLocked`, `StorageError`.
        """
        path = directory / LOG_NAME
        with storage_errors(path), ExitStack() as resources:
            lock = SessionLock(directory)
            resources.callback(lock.release)
            # An empty one is what a full disk left of an attempt to create this session.
            file = AppendFile(path, new=not path.exists())
            resources.callback(file.close)
            if file.end:
                raise UsageError(f"session {directory.name} exists already", hint="Open it, or choose another name.")
            log = cls(directory, lock, file, seq=0, clock=clock)
            log._begin(start)
            log._resources = resources.pop_all()
        return log

    @classmethod
    def open(cls, directory: Path, clock: Clock = time.time) -> Self:
        """Go on with a log, after putting aside what a crash left at its end.

        Raises `SessionLocked`, `SessionTooNew`, `StorageError`.
        """
        path = directory / LOG_NAME
        with storage_errors(path), ExitStack() as resources:
            lock = SessionLock(directory)
            resources.callback(lock.release)
            tail = read_tail(path)
            first = read_header(next(read_lines(path), b""))
            _check_version(directory.name, max(tail.version, first.v if first else 0))
            saved_as = mend_tail(path, tail, file_timestamp(clock()))
            file = AppendFile(path)
            resources.callback(file.close)
            log = cls(directory, lock, file, seq=tail.seq, clock=clock)
            log._info = read_info(directory)
            _remove_tree(directory / SCRATCH_NAME)
            log._begin(SessionRecovered(torn_bytes=tail.torn_bytes, saved_as=saved_as) if saved_as else None)
            log._resources = resources.pop_all()
        return log

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self._directory.name

    @property
    def scratch(self) -> Path:
        """A directory for content on its way into a blob; emptied when the session is next opened."""
        path = self._directory / SCRATCH_NAME
        with storage_errors(path):
            make_private_directory(path)
        return path

    def append(self, event: E) -> E:
        """Stamp the event and write it, unless its type is only shown.

        Raises `StorageError` where it cannot be written. It then has its place in the log all the same and goes out
        first with the next attempt (`append`, `sync` or `close`): do not append it again.
        """
        self._check_open()
        stamped = self._stamp.next(event)
        if is_transient(event):
            return stamped
        line = to_json(stamped) + b"\n"
        if len(line) > MAX_LINE:
            raise StorageError(f"cannot write an event of {len(line)} bytes; a log line holds up to {MAX_LINE}")
        self._stamp.seq = stamped.seq
        self._info = fold(self._info, stamped)
        self._file.add(line)
        self._flush()
        if isinstance(event, RunEnd | SessionTitle):
            self._save_info()
        return stamped

    async def sync(self) -> None:
        """Return when everything appended or stored before is on the disk. Raises `StorageError`."""
        self._check_open()
        self._flush()
        if self._file.dirty or self._blobs.dirty:
            import asyncio

            await asyncio.to_thread(self._sync_to_disk)

    def events(self) -> EventReader:
        """All events from the first."""
        return EventReader(self._directory / LOG_NAME)

    def drain(self) -> list[Event]:
        """The events the log appended of itself since the last call, for those who watch the session."""
        own, self._own = self._own, []
        return own

    def blob(self, data: bytes | Path) -> str:
        """Store large content beside the log and give its SHA-256. A file is moved in. Raises `StorageError`."""
        self._check_open()
        return self._blobs.add(data)

    def read_blob(self, sha: str) -> bytes:
        """What was stored under this SHA-256. Raises `SessionError` where nothing was."""
        return self._blobs.read(sha)

    def close(self) -> None:
        """Let others write the session. What could not be written is tried a last time; `append` has told of it."""
        if self._closed:
            return
        try:
            with suppress(StorageError, SessionLocked):
                self._flush()
                self._save_info()
        finally:
            self._closed = True
            self._resources.close()

    def _begin(self, event: Event | None) -> None:
        if event:
            self._append_own(event)
        if self._lock.warning:
            self._append_own(Notice(text=self._lock.warning))
        self._save_info()

    def _append_own(self, event: Event) -> None:
        self._own.append(self.append(event))

    def _save_info(self) -> None:
        """Bring the summary that listings read up to date. Without it they read the log."""
        info = replace(self._info, log_bytes=self._file.end, updated=timestamp(self._clock()))
        with suppress(OSError):
            write_info(self._directory, info)

    def _flush(self) -> None:
        if self._file.in_place():
            self._file.flush()
            return
        with storage_errors(self._directory):
            self._lock.renew()
        note = self._file.restore(file_timestamp(self._clock()))
        self._append_own(Notice(text=note))

    def _sync_to_disk(self) -> None:
        self._blobs.sync()
        self._file.sync()

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed(f"session {self.session_id} is closed", hint="Open it again to go on.")


def _check_version(session_id: str, version: int) -> None:
    if version > SCHEMA_VERSION:
        raise SessionTooNew(
            f"session {session_id} was written by a newer loom: schema {version}, and this one writes {SCHEMA_VERSION}",
            hint=f"Update loom, or read it with: loom sessions show {session_id} --raw",
        )


def _remove_tree(path: Path) -> None:
    if path.exists():
        import shutil

        shutil.rmtree(path)
