"""The data that comes with a goal: values, files and standard input, each under its name."""

import glob
from collections.abc import Iterator
from pathlib import Path

from loom_cli.fields import Input
from loom_cli.invocation import Invocation
from loom_cli.stdin import read_stdin
from loom_core.errors import InputError
from loom_core.messages import JSON


def gather(said: Input, invocation: Invocation, *, with_stdin: bool = True) -> dict[str, JSON]:
    """Everything by name, standard input last. Raises `InputError`."""
    inputs: dict[str, JSON] = dict(said.values or {})
    room = said.max_bytes or 0
    for path in _files(said.files or ()):
        raw = _read(path, room)
        room -= len(raw)
        inputs[str(path)] = _text(path, raw, invocation)
    if with_stdin:
        stdin = read_stdin(said.stdin or "auto", said.stdin_max_bytes or 0, invocation.notice)
        if stdin is not None:
            inputs["stdin"] = stdin
    return inputs


def _files(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            raise InputError(
                f"{path} is a directory", hint="name it in the goal: the model looks into it with its tools"
            )
        if path.exists():  # a pipe too, as a shell makes for <(...)
            yield path
            continue
        names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - absolute patterns too
        found = [Path(name) for name in names if Path(name).is_file()]
        if not found:
            raise InputError(f"no file matches {pattern}")
        yield from found


def _read(path: Path, room: int) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(room + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if len(raw) > room:
        raise InputError(
            f"{path}: the attached files are larger than input.max_bytes allows",
            hint="raise it, or name the file in the goal: the model reads it with its tools",
        )
    if b"\0" in raw[:8192]:
        raise InputError(f"{path} is binary", hint="name it in the goal instead of attaching it")
    return raw


def _text(path: Path, raw: bytes, invocation: Invocation) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        invocation.notice(f"{path} is not UTF-8 (byte {error.start}); what is not was replaced")
        return raw.decode("utf-8", "replace")
