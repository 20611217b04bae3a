"""A file of lines that only grows, kept whole through full disks, killed processes and meddling from outside."""

import os
import stat
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from loom_core.errors import StorageError
from loom_core.runtime.private_files import (
    copy_range,
    make_private_directory,
    open_private,
    storage_errors,
    sync_directory,
    sync_file,
    temporary_name,
    unused_name,
    unwritable,
    write_all,
)


class AppendFile:
    """The writing end of a log. One process writes it at a time; a lock elsewhere sees to that.

    Each line goes out in one `write` on an `O_APPEND` descriptor. A write that fails half-way is cut off again and its
    line waits, in order, for the next attempt, so the file never holds a piece of a line that a later one is glued to.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        """Open the file, or with `new` make it, which fails where there is one. Raises `StorageError`."""
        self._path = path
        self._waiting: deque[bytes] = deque()
        self._ragged = False  # bytes of a failed write may stand after `end`
        self._unsynced_name = new
        self._guard = threading.Lock()  # keeps the descriptor open while another thread syncs it
        with storage_errors(path):
            # Read as well: what an unlinked file held can only be had through its descriptor.
            flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = open_private(path, flags | os.O_EXCL) if new else os.open(path, flags)
            status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise StorageError(f"cannot write {path}: it is not a regular file")
        self.end = status.st_size
        """Bytes of whole lines in the file."""
        self._synced = -1
        self._identity = (status.st_dev, status.st_ino)

    @property
    def dirty(self) -> bool:
        """Whether `sync` has something to do."""
        return self._synced != self.end or self._unsynced_name

    def add(self, line: bytes) -> None:
        """Take a line, its newline included, to be written by the next `flush`."""
        self._waiting.append(line)

    def flush(self) -> None:
        """Write the lines that wait. Raises `StorageError`; those not written go on waiting."""
        try:
            if self._ragged:
                self._cut()
            while self._waiting:
                line = self._waiting[0]
                self._ragged = True  # until the whole line is in: an exception may come at any point
                write_all(self._descriptor, line)
                self.end += len(line)
                self._waiting.popleft()
                self._ragged = False
        except OSError as error:
            with suppress(OSError):
                self._cut()
            raise unwritable(self._path, error) from error

    def in_place(self) -> bool:
        """Whether the path still leads to this file as it was left. One `stat`, 2 µs."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - Path.stat costs twice as much, on every event
        except OSError:
            return False
        grown = status.st_size - self.end
        return (status.st_dev, status.st_ino) == self._identity and (grown == 0 or (grown > 0 and self._ragged))

    def restore(self, suffix: str) -> str:
        """Make the path lead to the whole log again, and say what had happened. Raises `StorageError`.

        A file that took this one's place is kept under another name that ends in `suffix`.
        """
        with storage_errors(self._path):
            try:
                status = self._path.stat()
            except (FileNotFoundError, NotADirectoryError):
                self._write_again()
                return f"{self._path} was removed while in use; it was written again"
            if (status.st_dev, status.st_ino) == self._identity:
                return self._accept_size(status.st_size)
            aside = unused_name(self._path, f"replaced-{suffix}")
            self._path.rename(aside)
            self._write_again()
            return f"{self._path} was replaced while in use; the other file is kept as {aside.name}"

    def sync(self) -> None:
        """Return when every line written so far is on the disk. Blocks; for any thread. Raises `StorageError`."""
        with self._guard, storage_errors(self._path):
            if self._descriptor < 0 or not self.dirty:  # closed, or synced by another thread meanwhile
                return
            end = self.end
            sync_file(self._descriptor)
            if self._unsynced_name:
                sync_directory(self._path.parent)
                sync_directory(self._path.parent.parent)
                self._unsynced_name = False
            self._synced = end

    def close(self) -> None:
        """Let go of the file. Lines that still wait are lost; `flush` has said so."""
        with self._guard:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _cut(self) -> None:
        os.ftruncate(self._descriptor, self.end)
        self._ragged = False

    def _write_again(self) -> None:
        make_private_directory(self._path.parent)
        temporary = temporary_name(self._path)
        descriptor = open_private(temporary, os.O_RDWR | os.O_APPEND | os.O_EXCL)
        try:
            copy_range(self._descriptor, 0, self.end, descriptor)
            temporary.rename(self._path)
        except BaseException:
            os.close(descriptor)
            with suppress(OSError):
                temporary.unlink()
            raise
        status = os.fstat(descriptor)
        with self._guard:
            os.close(self._descriptor)
            self._descriptor = descriptor
        self._identity = (status.st_dev, status.st_ino)
        self._ragged = False
        self._unsynced_name = True
        self._synced = -1

    def _accept_size(self, size: int) -> str:
        """Go on from where another program left the file: it may be another version of this one, at the same log."""
        change = size - self.end
        self.end = size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            self._waiting.appendleft(b"\n")
        return f"{self._path} was changed from outside while in use ({change:+d} bytes)"
