"""Which file a command's name stands for, as far as it can be trusted to be what the name says."""

import os
import stat
from pathlib import Path

_SYSTEM_DIRECTORIES = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin")


def system_executable(name: str, search_path: str) -> str | None:
    """The real path of the program a shell would start, or None unless only the system's owner could have put it there.

    A relative path, or a search path with a relative entry before the program, could start a file of the workspace.
    """
    found = Path(name) if name.startswith("/") else None if "/" in name else _first(name, search_path)
    if found is None:
        return None
    real = Path(os.path.realpath(found))
    trusted = {os.path.realpath(directory) for directory in _SYSTEM_DIRECTORIES}
    places = {os.path.realpath(found.parent), str(real.parent)}
    if places <= trusted and all(_only_root_writes(path) for path in (*places, str(real))):
        return str(real)
    return None


def _first(name: str, search_path: str) -> Path | None:
    for directory in search_path.split(":"):
        if not directory.startswith("/"):
            return None
        candidate = Path(directory, name)
        if os.access(candidate, os.X_OK) and candidate.is_file():
            return candidate
    return None


def _only_root_writes(path: str) -> bool:
    try:
        status = Path(path).stat()
    except OSError:
        return False
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
