"""Files and directories that only their owner can read, and what it takes to have them on the disk."""

import errno
import fcntl
import itertools
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loom_core.errors import StorageError

_DAY = 86_400.0

_HINTS = {
    errno.ENOSPC: "Free some space on that disk.",
    errno.EDQUOT: "Free some space: your quota is used up.",
    errno.EFBIG: "Raise the limit on file sizes (ulimit -f).",
    errno.EACCES: "Make it writable, or set LOOM_HOME to a directory that is.",
    errno.EPERM: "Make it writable, or set LOOM_HOME to a directory that is.",
    errno.EROFS: "Set LOOM_HOME to a directory that can be written.",
}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` from inside into a `StorageError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> StorageError:
    """The error to raise where writing `path` failed with `error`."""
    return StorageError(f"cannot write {path}: {error.strerror or error}", hint=_HINTS.get(error.errno or 0))


def make_private_directory(path: Path, *, exist_ok: bool = True) -> None:
    """Make the directory and the parents it lacks, each 0700 whatever the umask. What exists keeps its mode.

    `os.makedirs` gives the mode to the last level only. Raises `OSError`.
    """
    try:
        _make_level(path, exist_ok=exist_ok)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_private_directory(path.parent)
        _make_level(path, exist_ok=exist_ok)  # once: in /proc, a directory cannot be made though its parent is there


def open_private(path: Path, flags: int) -> int:
    """A descriptor that no child process inherits; a file this call makes has mode 0600 whatever the umask.

    Makes the file where it is missing. With `os.O_EXCL` it must be missing. Raises `OSError`.
    """
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
        return os.open(path, flags | os.O_CLOEXEC)
    os.fchmod(descriptor, 0o600)
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, in as many calls as that takes: a disk that fills up cuts the last one short without an error.

    Raises `OSError`, after which any part of `data` may have been written.
    """
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def copy_range(source: int, start: int, end: int, target: int) -> None:
    """Copy the bytes from `start` up to `end` of one descriptor to another, in pieces. Raises `OSError`."""
    while start < end and (piece := os.pread(source, min(end - start, 1 << 20), start)):
        write_all(target, piece)
        start += len(piece)


def sync_file(descriptor: int) -> None:
    """Return when what was written is on the disk. Blocks for 0.2 to 100 ms. Raises `OSError`."""
    if sys.platform == "darwin":  # fsync leaves the data in the drive's own cache there
        with suppress(OSError):  # not every file system has the stronger call
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        os.fsync(descriptor)
    else:
        os.fdatasync(descriptor)


def sync_directory(path: Path) -> None:
    """Return when the names in the directory are on the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Give the file new content; whoever reads it, whenever this process dies, finds the old or the new, whole.

    Where `path` is a symbolic link its target is replaced and the link stays. Without `durable` a power cut may leave
    an empty file, which is enough for what can be computed again. Raises `OSError`, and then leaves nothing behind.
    """
    target = Path(os.path.realpath(path))
    _sweep_temporaries(target)
    temporary = temporary_name(target)
    try:
        descriptor = open_private(temporary, os.O_WRONLY | os.O_EXCL)
        try:
            write_all(descriptor, data)
            if durable:
                sync_file(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        sync_directory(target.parent)


def temporary_name(path: Path) -> Path:
    """A name in the same directory, for content on its way to `path`."""
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")


def unused_name(path: Path, word: str) -> Path:
    """`PATH.WORD`, or with a number the first name that is free. Only one process may be at that directory."""
    names = (path.with_name(f"{path.name}.{word}{f'-{n}' if n else ''}") for n in itertools.count())
    return next(name for name in names if not os.path.lexists(name))


def _make_level(path: Path, *, exist_ok: bool) -> None:
    try:
        path.mkdir(0o700)
    except FileExistsError:
        if not (exist_ok and path.is_dir()):
            raise
    else:
        path.chmod(0o700)


def _sweep_temporaries(path: Path) -> None:
    """Remove what writers of `path` left behind when they were killed, once no living one can be at it any more."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.tmp")
    with os.scandir(path.parent) as entries:
        for entry in entries:
            if name.fullmatch(entry.name):
                with suppress(FileNotFoundError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime >= _DAY:
                        Path(entry.path).unlink()
