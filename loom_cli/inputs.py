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
        text = _text(path, room)
        room -= len(text)
        inputs[str(path)] = text
    if with_stdin:
        stdin = read_stdin(said.stdin or "auto", said.stdin_max_bytes or 0, invocation.notice)
        if stdin is not None:
            inputs["stdin"] = stdin
    return inputs


def _files(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        found = [pattern] if Path(pattern).is_file() else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - absolute patterns too
        if not found:
            raise InputError(f"no file matches {pattern}")
        yield from (Path(name) for name in found if Path(name).is_file())


def _text(path: Path, room: int) -> str:
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
    return raw.decode("utf-8", "replace")
