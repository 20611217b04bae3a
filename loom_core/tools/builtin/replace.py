"""Putting new content in a file's place at once: a reader sees the old content or the new, never a part."""

import contextlib
import os
import stat
from pathlib import Path

from loom_core.errors import ToolError
from loom_core.tools.builtin.paths import require_place


def replace_file(path: Path, data: bytes, name: str) -> None:
    """Write `data` to the resolved `path`; mode and owner of a file that is there stay, missing directories are made.

    Raises `ToolError`, calling the file `name`, when it cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            require_place(directory, path.parent, name)
            _replace(directory, path.name, data)
        finally:
            os.close(directory)
    except OSError as error:
        raise ToolError(f"{name} cannot be written: {error.strerror}") from error


def _replace(directory: int, name: str, data: bytes) -> None:
    """Through a temporary file beside it; all by the open directory, so that it cannot be swapped for another."""
    old = _state(directory, name)
    if old is not None and not os.access(name, os.W_OK, dir_fd=directory):
        raise PermissionError(0, "it is read-only")
    temporary = f".loom-{os.urandom(8).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666 if old is None else 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if old is not None:
                with contextlib.suppress(PermissionError):  # only root may give a file away
                    os.fchown(descriptor, old.st_uid, old.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
            file.write(data)
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(temporary, dir_fd=directory)
        raise


def _state(directory: int, name: str) -> os.stat_result | None:
    try:
        state = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(state.st_mode):
        raise OSError(0, "it is no regular file")
    return state
