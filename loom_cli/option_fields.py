"""Which fields an option sets: the same whether the option or its twin in the environment says it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from loom_cli.contradictions import check_together
from loom_cli.environment import from_environment, pair, twin
from loom_cli.fields import FLAGS, SETTING_OPTIONS, SHORTHANDS, Fields, Task, leaves
from loom_cli.layers import Layer, Setting, instructions_text, layer_of
from loom_cli.reasons import reason
from loom_cli.validation import alternatives
from loom_core.errors import InputError, UsageError
from loom_core.messages import JSON


def flags_layer(given: Mapping[str, Any]) -> Layer[Task]:
    """What options of the command line say, by their long names; those that set no field are passed over.

    `--set` says less than an option made for the field. Raises `UsageError`, also where two options contradict each
    other, or `InputError`.
    """
    check_together(given)
    free = [Setting(key=key, value=value, origin="--set") for key, value in map(_free, given.get("--set") or ())]
    options = [option for option in given if option in SETTING_OPTIONS or option == "--goal"]
    specific = [
        Setting(key=key, value=value, origin=option)
        for option in options
        for key, value in _fields(option, given[option])
    ]
    return layer_of((*free, *specific), Task)


def environment_layer(environment: Mapping[str, str]) -> Layer[Fields]:
    """What the variables LOOM_* say. Raises `UsageError` or `InputError`."""
    kinds = dict(leaves(Fields))
    options: dict[str, Any] = {
        **dict.fromkeys(SHORTHANDS, bool),
        "--cap": list[str],
        **{option: kinds[field] for option, field in FLAGS.items()},
        "--input": list[str],
        "--instructions": str,
    }
    settings = [
        Setting(key=key, value=value, origin=twin(option))
        for option, kind in options.items()
        for key, value in _fields(option, from_environment(environment, twin(option), kind))
    ]
    settings += [
        Setting(key=key, value=value, origin=twin(key))
        for key in sorted(kinds.keys() - FLAGS.values())
        if (value := from_environment(environment, twin(key), kinds[key])) is not None
    ]
    return layer_of(settings, Fields)


def _fields(option: str, value: Any) -> Iterator[tuple[str, JSON]]:
    if value is None or value is False:
        return
    match option:
        case "--cap":
            yield from map(_capability, value)
        case "--goal":
            yield "goal", value
        case "--input":
            yield "input.values", _inputs(value)
        case "--file":
            yield "input.files", [str(path) for path in value]
        case "--instructions":
            yield "instructions", instructions_text(Path(value))
        case _ if option in SHORTHANDS:
            yield SHORTHANDS[option]
        case _:
            yield FLAGS[option], value


def _capability(text: str) -> tuple[str, JSON]:
    """`files`, `files=off|read|write`, `shell` or `shell=off`."""
    name, _, value = text.partition("=")
    if name == "files":
        return "capabilities.files.mode", value or "read"
    if name == "shell" and value in ("", "on", "off"):
        return "capabilities.shell.enabled", value != "off"
    raise UsageError(f"--cap {text}: no such capability", hint="files=read, files=write, files=off, shell, shell=off")


def _inputs(texts: Iterable[str]) -> dict[str, JSON]:
    values: dict[str, JSON] = {}
    said: dict[str, str] = {}
    for text in texts:
        key, value = _input(text)
        if key in said:
            raise UsageError(f"--input {text}: --input {said[key]} was given before", hint="each name has one value")
        values[key], said[key] = value, text
    return values


def _input(text: str) -> tuple[str, JSON]:
    """`K=V`, `K=@FILE` (its text) or `K:=JSON`."""
    try:
        key, value = pair(text)
        if key.endswith(":"):
            return key[:-1], msgspec.json.decode(value)
        return key, Path(value[1:]).read_text("utf-8") if value.startswith("@") else value
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--input {text}: {reason(error)}") from None
    except msgspec.DecodeError as error:
        raise InputError(f"--input {text}: not JSON: {error}") from None
    except ValueError as error:
        raise InputError(f"--input {text}: {error}") from None


def _free(text: str) -> tuple[str, JSON]:
    try:
        key, value = pair(text)
    except ValueError as error:
        raise UsageError(f"--set {text}: {error}") from None
    return key, free_value(key, value)


def free_value(key: str, text: str) -> JSON:
    """The value of a dotted field as a person writes it: as in TOML; but what names a field of text, or is no TOML,
    stands for itself.
    """
    import tomllib  # 7 ms, needed for `--set`

    if str in alternatives(dict(leaves(Task)).get(key)):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
