"""Task files: read, checked as a whole, and their blanks filled in."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from loom_cli.environment import pair
from loom_cli.fields import InstructionsFile, Param, Task
from loom_cli.layers import Layer, instructions_text, read_layer
from loom_cli.reasons import reason
from loom_cli.suggest import suggestion
from loom_cli.validation import NOUNS, Fault, Key, shown
from loom_core.errors import TaskFileError, UsageError
from loom_core.messages import JSON

_BLANK = re.compile(r"(\$?)\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_OUTSIDE = "is hidden or outside of the directories of the task and of the call, so only you can name it"
_TYPES = {"string": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
_NOUNS = {**NOUNS, "string": NOUNS["str"]}


def read_task(path: Path) -> Layer[Task]:
    """The task in a file. Raises `TaskFileError` with every fault and its line."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskFileError(f"cannot read the task file {path}: {reason(error)}") from None
    return parse_task(text, source=str(path), name=path.stem, directory=path.parent)


def parse_task(text: str, *, source: str, name: str, directory: Path) -> Layer[Task]:
    """The task in a text whose relative paths start at `directory`. Errors as `read_task`.

    Paths in the result are joined to `directory`, globs are replaced by what they match, and instructions that stand
    in a file are loaded.
    """
    layer = read_layer(
        text, source, Task, TaskFileError, more=lambda task: _faults(task, directory), required=("schema",)
    )
    task = layer.fields
    changes: dict[str, Any] = {"name": task.name or name}
    if isinstance(task.instructions, InstructionsFile):
        path = directory / task.instructions.file
        changes["instructions"] = instructions_text(path)
        wrong = [f"{path}: {complaint}" for complaint in _blank_faults(changes["instructions"], task.params or {})]
        if wrong:
            raise TaskFileError("\n".join(wrong))
    if task.input.files is not None:
        files = tuple(str(path) for pattern in task.input.files for path in _matches(pattern, directory))
        changes["input"] = msgspec.structs.replace(task.input, files=files)
    if task.output.file is not None:
        changes["output"] = msgspec.structs.replace(task.output, file=str(directory / task.output.file))
    return msgspec.structs.replace(layer, fields=msgspec.structs.replace(task, **changes))


def bind(task: Task, given: Iterable[str]) -> Task:
    """The task with its blanks filled, from `K=V` texts and defaults.

    Raises `UsageError` naming every parameter that is unknown, missing or of the wrong type.
    """
    params = task.params or {}
    values = {key: _text(param.default) for key, param in params.items() if param.default is not None}
    required = {key: param for key, param in params.items() if param.default is None}
    wrong = []
    said: dict[str, str] = {}
    for text in given:
        try:
            key, value = pair(text)
            required.pop(key, None)
            values[key] = _read(params, key, value)
            if key in said:
                wrong.append(f"--param {text}: --param {said[key]} was given before")
            said[key] = text
        except ValueError as error:
            wrong.append(f"--param {text}: {error}")
    wrong += [f"the task needs --param {key}=...  {param.description}".rstrip() for key, param in required.items()]
    if wrong:
        raise UsageError("\n".join(wrong))
    return _filled(task, values)


def _filled(task: Task, values: Mapping[str, str]) -> Task:
    def fill(text: str) -> str:
        # A blank that is no parameter stands in the path of the directory; the file's own were checked.
        return _BLANK.sub(lambda blank: blank[0][1:] if blank[1] else values.get(blank[2], blank[0]), text)

    changes: dict[str, Any] = {}
    if task.goal is not None:
        changes["goal"] = fill(task.goal)
    if isinstance(task.instructions, str):
        changes["instructions"] = fill(task.instructions)
    if task.criteria is not None:
        changes["criteria"] = tuple(map(fill, task.criteria))
    if task.output.file is not None:
        changes["output"] = msgspec.structs.replace(task.output, file=fill(task.output.file))
    return msgspec.structs.replace(task, **changes)


def _faults(task: Task, directory: Path) -> Iterator[Fault]:
    """What the schema cannot say."""
    params = task.params or {}
    if task.keys.cmd is not None:
        yield Fault(("keys",), "not in a task file: it names a command to run")
    for name, param in params.items():
        for field, complaint in _param_faults(name, param):
            yield Fault(("params", name, *field), complaint)
    texts = {"goal": task.goal, "instructions": task.instructions, "output.file": task.output.file}
    for key, text in (*texts.items(), *(("criteria", text) for text in task.criteria or ())):
        if isinstance(text, str):
            yield from (Fault(tuple(key.split(".")), complaint) for complaint in _blank_faults(text, params))
    yield from _path_faults(task, params, directory)


def _path_faults(task: Task, params: Mapping[str, Param], directory: Path) -> Iterator[Fault]:
    for pattern in task.input.files or ():
        matches = _matches(pattern, directory)
        if not matches:
            yield Fault(("input", "files"), f"{pattern} matches no file")
        for match in matches:
            if _leads_out(match, directory):
                yield Fault(("input", "files"), f"{match} {_OUTSIDE}: --file {match}")
    if isinstance(task.instructions, InstructionsFile) and _leads_out(directory / task.instructions.file, directory):
        path = task.instructions.file
        yield Fault(("instructions", "file"), f"{path} {_OUTSIDE}: --instructions {path}")
    if task.output.file is not None:
        path = _BLANK.sub(lambda blank: _default(params, blank[2]), task.output.file)
        if _leads_out(directory / path, directory):
            yield Fault(("output", "file"), f"{path} {_OUTSIDE}: --output {path}")


def _matches(pattern: str, directory: Path) -> list[Path]:
    """The files a path or glob of the task file names."""
    import glob

    if (directory / pattern).is_file():
        return [directory / pattern]
    names = sorted(glob.glob(pattern, root_dir=directory, recursive=True))  # noqa: PTH207 - absolute patterns too
    return [directory / name for name in names if (directory / name).is_file()]


def _leads_out(named: Path, directory: Path) -> bool:
    """Whether a path in a task file leaves both its own directory and the working directory, or is hidden there.

    A task file that came from elsewhere shall neither send private files away nor write over them, nor by a link.
    """
    path = Path(os.path.realpath(named))
    for base in (Path(os.path.realpath(directory)), Path.cwd()):
        if path.is_relative_to(base) and not any(part.startswith(".") for part in path.relative_to(base).parts):
            return False
    return True


def _param_faults(name: str, param: Param) -> Iterator[tuple[Key, str]]:
    if not _NAME.fullmatch(name):
        yield (), "a name has letters, digits, _ and - and begins with a letter"
    if (param.type == "choice") != (param.choices is not None):
        yield ("choices",), "a choice needs them, and nothing else has them"
    if param.default is None:
        return
    if param.type == "path":
        yield ("default",), "a path has none: it is the caller's"
    elif param.type == "choice" and param.default not in (param.choices or ()):
        yield ("default",), f"{param.default!r} is none of {', '.join(param.choices or ())}"
    elif type(param.default) not in _TYPES.get(param.type, (type(param.default),)):
        yield ("default",), f"{_NOUNS[param.type]}, not {shown(param.default)}"


def _blank_faults(text: str, params: Mapping[str, Param]) -> Iterator[str]:
    for blank in _BLANK.finditer(text):
        if not blank[1] and blank[2] not in params:
            yield f"${{{blank[2]}}}: {_unknown(blank[2], params)}; write $${{{blank[2]}}} for the text itself"


def _read(params: Mapping[str, Param], key: str, text: str) -> str:
    """The value the caller gives for a parameter, in its canonical text. Raises `ValueError`."""
    if key not in params:
        raise ValueError(_unknown(key, params))
    param = params[key]
    match param.type:
        case "int" | "float":
            try:
                return str(int(text) if param.type == "int" else float(text))
            except ValueError:
                raise ValueError(f"{NOUNS[param.type]} is expected") from None
        case "bool":
            if text.lower() not in _WORDS:
                raise ValueError("true or false is expected")
            return _text(_WORDS[text.lower()])
        case "choice":
            if text not in (param.choices or ()):
                raise ValueError(f"one of {', '.join(param.choices or ())} is expected")
            return text
        case "path":
            return str(Path(text).absolute())
        case "json":
            try:
                return _text(msgspec.json.decode(text))
            except msgspec.DecodeError:
                raise ValueError("JSON is expected") from None
        case "string":
            return text


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _default(params: Mapping[str, Param], name: str) -> str:
    return _text(params[name].default) if name in params and params[name].default is not None else name


def _unknown(name: str, params: Mapping[str, Param]) -> str:
    known = f"there are {', '.join(params)}" if params else "the task has none"
    return f"unknown parameter; {suggestion(name, params) or known}"
