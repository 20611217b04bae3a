"""One writer at a time for a session, by a lock that the operating system lets go of when its process dies.

`flock`, not `fcntl.lockf`: the latter is lost as soon as the process closes any descriptor of the file. What stands in
the lock file is for messages only; a file left behind by a dead process locks nothing.
"""

import errno
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from loom_core.errors import SessionLocked
from loom_core.events import encode
from loom_core.runtime.private_files import make_private_directory, open_private, write_all
from loom_core.runtime.session_stamp import timestamp

_NO_FLOCK = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
# Who lists sessions tries their locks for some microseconds each; that must not turn a writer away.
_TRIES = 4
_PAUSE = 0.005  # seconds
_NAME = "lock"
_HELD = "lock.held"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The process that has a session open for writing, as far as it is known."""

    pid: int | None = None
    host: str = ""
    since: str = ""
    """UTC, ISO 8601."""

    def __str__(self) -> str:
        process = f"process {self.pid}" if self.pid else "another process"
        return f"{process}{f' on {self.host}' if self.host else ''}{f' since {self.since}' if self.since else ''}"


class SessionLock:
    """The right to write the session in `directory`, from construction until `release`.

    Raises `SessionLocked` naming the holder, `OSError` where the directory is missing or cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._acquire()

    @property
    def warning(self) -> str:
        """What a user should know of a lock weaker than it ought to be; empty where it is not."""
        if not self._held_by_name:
            return ""
        return (
            f"The file system of {self._directory} has no locks. The file {_HELD} there stands for one; "
            "a process that is killed on another machine leaves it behind, and it must then be deleted by hand."
        )

    def renew(self) -> None:
        """Lock the session again where its directory was removed or moved. Raises as construction does."""
        make_private_directory(self._directory)
        if not self._in_place():
            previous = self._descriptor
            self._acquire()
            os.close(previous)

    def release(self) -> None:
        """Let others write. The lock file stays: to remove it would let two processes lock two files of one name."""
        if self._held_by_name and self._in_place():
            (self._directory / _HELD).unlink()
        os.close(self._descriptor)

    def _in_place(self) -> bool:
        return _same_file(self._descriptor, self._directory / (_HELD if self._held_by_name else _NAME))

    def _acquire(self) -> None:
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE)
            if self._try():
                with suppress(OSError):  # a full disk keeps nobody from holding a lock
                    os.ftruncate(self._descriptor, 0)
                    write_all(self._descriptor, encode(_this_process()))
                return
        holder = session_holder(self._directory) or Holder()
        raise SessionLocked(
            f"session {self._directory.name} is open in {holder}",
            hint="Wait until it is closed there, or start another session.",
        )

    def _try(self) -> bool:
        path = self._directory / _NAME
        descriptor = open_private(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking, the session may have been deleted and the file with it.
            taken = _same_file(descriptor, path)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_FLOCK:
                return self._try_by_name()
            if isinstance(error, BlockingIOError):
                return False
            raise
        if not taken:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self._held_by_name = False
        return True

    def _try_by_name(self) -> bool:
        path = self._directory / _HELD
        if _named_holder(path) is None:
            with suppress(FileNotFoundError):
                path.unlink()
        try:
            self._descriptor = open_private(path, os.O_RDWR | os.O_EXCL)
        except FileExistsError:
            return False
        self._held_by_name = True
        return True


def session_holder(directory: Path) -> Holder | None:
    """Who writes the session now, None where nobody does. Changes nothing; takes 5 µs where nobody does."""
    try:
        descriptor = os.open(f"{directory}/{_NAME}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse_holder(os.pread(descriptor, 1024, 0))
    except OSError as error:
        return _named_holder(directory / _HELD) if error.errno in _NO_FLOCK else None
    finally:
        os.close(descriptor)
    return None


def _this_process() -> Holder:
    return Holder(pid=os.getpid(), host=os.uname().nodename, since=timestamp(time.time()))


def _named_holder(path: Path) -> Holder | None:
    """Who made the file that stands for a lock; None where there is none or its maker, a process here, is gone."""
    try:
        holder = _parse_holder(path.read_bytes())
    except FileNotFoundError:
        return None
    if holder.pid and holder.host == os.uname().nodename:
        try:
            os.kill(holder.pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:  # alive, and another user's
            pass
    return holder


def _parse_holder(data: bytes) -> Holder:
    try:
        return msgspec.json.decode(data, type=Holder)
    except (msgspec.MsgspecError, UnicodeError):
        return Holder()


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
