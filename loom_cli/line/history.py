"""What was typed in earlier chats, one JSON string a line in a file that only its owner can read.

A convenience: where the file cannot be read or written, chatting goes on without it.
"""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from loom_core.runtime.private_files import make_private_directory, open_private, write_all

_READ_BYTES = 256 * 1024
"""From the file's end: some thousand entries, read in a millisecond."""


def load_history(path: Path) -> list[str]:
    """The entries, oldest first. Lines that are damaged, or cut by where reading begins, are left out."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - _READ_BYTES)
            file.seek(start)
            lines = file.read().split(b"\n")
    except OSError:
        return []
    entries = []
    for line in lines[1:] if start else lines:
        with suppress(msgspec.DecodeError):
            entries.append(msgspec.json.decode(line, type=str))
    return entries


def append_history(path: Path, text: str) -> None:
    """Add an entry."""
    line = msgspec.json.encode(text.encode("utf-8", "replace").decode()) + b"\n"
    with suppress(OSError):
        make_private_directory(path.parent)
        descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
        try:
            write_all(descriptor, line)
        finally:
            os.close(descriptor)
