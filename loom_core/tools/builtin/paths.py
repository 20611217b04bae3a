"""Opening and naming files of the workspace: the very object that was resolved, and nothing but regular files."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from loom_core.errors import ToolError
from loom_core.tools.spec import Workspace

WHOLE = 8 * 1024 * 1024
"""Bytes up to which a file is read whole, noted as seen, and may be changed."""


def shown(path: Path, workspace: Workspace) -> str:
    """`path` as a model and a person read it: relative to the workspace's root."""
    return path.relative_to(workspace.root).as_posix() if path.is_relative_to(workspace.root) else str(path)


def open_regular(path: Path, name: str) -> BinaryIO:
    """Open a resolved path for reading.

    Raises `FileNotFoundError`, and `ToolError` for what is no regular file or cannot be read. A symlink that took the
    place of the file or of a directory above it since it was resolved is not followed.
    """
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ToolError(f"{name} cannot be read: {error.strerror}") from error
    try:
        _require_regular(descriptor, name)
        require_place(descriptor, path, name)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def require_place(descriptor: int, path: Path, name: str) -> None:
    """Raise `ToolError` unless the open file or directory is the one at `path`, links not followed.

    Linux tells where an open object is, which leaves no moment between the check and the use; elsewhere `O_NOFOLLOW` of
    the last component has to do.
    """
    try:
        place = Path(f"/proc/self/fd/{descriptor}").readlink()
    except OSError:
        return
    if place != path:
        raise ToolError(f"{name} was moved or replaced while it was opened; try again")


def _require_regular(descriptor: int, name: str) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise ToolError(f"{name} is no regular file")


def read_whole(path: Path, name: str) -> bytes:
    """The content of a regular file of at most 8 MiB. Raises as `open_regular`, and `ToolError` for a larger one."""
    with open_regular(path, name) as file:
        data = file.read(WHOLE + 1)
    if len(data) > WHOLE:
        raise ToolError(f"{name} has more than {WHOLE:,} bytes, too many to be changed here; use a shell command")
    return data
