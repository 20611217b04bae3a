"""Instruction files: what a project tells every agent that works in it, in files named AGENTS.md."""

import codecs
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

FILE_NAME = "AGENTS.md"
MAX_BYTES = 32 * 1024
"""Of all files together; longer instructions are obeyed worse and paid for with every request."""


class InstructionFile(Struct, frozen=True, kw_only=True):
    """One file that was found. Where it cannot be used as it is, `warning` says why, in words for the user."""

    path: Path
    name: str
    """Its path from the project's root."""
    text: str
    """Empty where the file was skipped."""
    warning: str = ""


def load_instructions(cwd: Path, root: Path | None = None) -> tuple[InstructionFile, ...]:
    """The instruction files from the project's root down to `cwd`, the outermost first.

    `root` is by default the nearest directory from `cwd` upwards that holds `.git`, and `cwd` itself where none does.
    At most 32 KiB are read in all, and the file that is cut says so. Links that lead out of the root, files that are
    not UTF-8 text, and what cannot be read are skipped with a warning. Raises `ValueError` unless `cwd` is in `root`.
    """
    cwd = Path(os.path.realpath(cwd))
    root = _project_root(cwd) if root is None else Path(os.path.realpath(root))
    left = MAX_BYTES
    files: list[InstructionFile] = []
    for directory in _downwards(root, cwd):
        path = directory / FILE_NAME
        if os.path.lexists(path):
            files.append(_load(path, root, left))
            left = max(0, left - len(files[-1].text.encode()))
    return tuple(files)


def render_instructions(files: tuple[InstructionFile, ...]) -> str:
    """The texts for the model, each in a block that says where it is from; empty where there are none."""
    return "\n\n".join(
        f'<instructions file="{_attribute(file.name)}">\n{_content(file.text)}\n</instructions>'
        for file in files
        if file.text.strip()
    )


def _attribute(name: str) -> str:
    return "".join(letter if letter.isprintable() and letter not in '"<>' else "_" for letter in name)


def _content(text: str) -> str:
    return text.strip().replace("</instructions", "<\\/instructions")


def _project_root(cwd: Path) -> Path:
    return next((directory for directory in (cwd, *cwd.parents) if os.path.lexists(directory / ".git")), cwd)


def _downwards(root: Path, cwd: Path) -> Iterator[Path]:
    if not cwd.is_relative_to(root):
        raise ValueError(f"the directory {cwd} is not in the project {root}")
    yield root
    for name in cwd.relative_to(root).parts:
        root /= name
        yield root


def _load(path: Path, root: Path, left: int) -> InstructionFile:
    name = path.relative_to(root).as_posix()
    real = Path(os.path.realpath(path))
    text = warning = ""
    if not real.is_relative_to(root):
        warning = f"{name} is a link out of the project: skipped"
    elif not left:
        warning = f"{name} is skipped: the instruction files before it have {MAX_BYTES:,} bytes already"
    else:
        try:
            text, size = _read(real, left)
        except OSError as error:
            warning = f"{name} cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            warning = f"{name} is not UTF-8 text: skipped"
        else:
            if size > left:
                warning = f"{name} has {size:,} bytes and is cut: instructions have at most {MAX_BYTES:,} in all"
                text += f"\n[cut here: {name} has {size:,} bytes]"
    return InstructionFile(path=path, name=name, text=text, warning=warning)


def _read(path: Path, limit: int) -> tuple[str, int]:
    """The text, whole characters up to `limit` bytes, and the file's size. Raises `OSError`, `UnicodeDecodeError`."""
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read(limit)
    if b"\0" in data:
        raise UnicodeDecodeError("utf-8", data, 0, 1, "a NUL byte")
    text = codecs.getincrementaldecoder("utf-8")().decode(data, final=status.st_size <= limit)
    return text.removeprefix("\ufeff"), status.st_size


def _without_waiting(path: str, flags: int) -> int:
    """A FIFO opens without its writer, and a link that has just taken the file's place does not."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
