"""Writing the file an answer goes to."""

import os
from pathlib import Path

from loom_cli.output import encode, write_all
from loom_core.errors import StorageError


def write_file(path: Path, text: str, *, append: bool = False) -> None:
    """Write an output file so that it is whole or untouched: temporary file, fsync, rename.

    A symbolic link keeps standing and its target is replaced; a mode is kept. What is no regular file (a FIFO, a
    device) and `append` are written in place. Raises `StorageError`.
    """
    try:
        if append or (path.exists() and not path.is_file()):
            _write_in_place(path, encode(text), append=append)
        else:
            _replace(path.resolve(), encode(text))
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from None


def require_writable(path: Path, *, append: bool = False) -> None:
    """Raise `StorageError` where it is known beforehand that `write_file` would; the file is not touched."""
    target = path.resolve()
    if target.is_dir():
        raise StorageError(f"cannot write {path}: it is a directory")
    if not target.parent.is_dir():
        raise StorageError(f"cannot write {path}: there is no directory {target.parent}")
    in_place = target.exists() and (append or not target.is_file())
    if not os.access(target if in_place else target.parent, os.W_OK):
        raise StorageError(f"cannot write {path}: Permission denied")


def _write_in_place(path: Path, data: bytes, *, append: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_APPEND if append else 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        write_all(descriptor, data)
        if path.is_file():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            if path.exists():
                os.fchmod(descriptor, path.stat().st_mode & 0o777)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
