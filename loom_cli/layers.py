"""What one place says of the settings: a file, the environment, the command line."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from loom_cli.fields import Fields
from loom_cli.reasons import reason
from loom_cli.setting_checks import setting_faults
from loom_cli.validation import Fault, Key, faults
from loom_core.errors import InputError, UsageError
from loom_core.messages import JSON

S = TypeVar("S", bound=Fields)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """The value of one dotted field, as it was said."""

    key: str
    value: JSON
    origin: str
    """`--max-turns`, `LOOM_MAX_TURNS`, or `FILE:LINE`."""


class Layer(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """What one place says, checked."""

    fields: S
    origins: Mapping[str, str] = {}
    """Dotted field -> where it is said."""


def layer_of(settings: Iterable[Setting], kind: type[S]) -> Layer[S]:
    """Settings said one by one. Raises `UsageError` naming the origin of each that cannot be."""
    table: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in settings:
        inner = table
        *path, name = setting.key.split(".")
        for part in path:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise UsageError(f"{setting.origin}: {setting.key}: {part} was given as a value before")
        inner[name] = setting.value
        origins[setting.key] = setting.origin
    fields, wrong = _convert(table, kind)
    if wrong:
        raise UsageError("\n".join(f"{_nearest(origins, fault.key)}: {fault}" for fault in wrong))
    return Layer(fields=fields, origins=origins)


def read_layer(
    text: str,
    source: str,
    kind: type[S],
    error: type[UsageError],
    *,
    more: Callable[[S], Iterator[Fault]] = lambda _: iter(()),
    required: tuple[str, ...] = (),
) -> Layer[S]:
    """A TOML text of that `kind`; `more` finds faults beyond the schema, in what is right by it.

    Raises `error` with every fault, each on a line that begins with source and line.
    """
    from loom_cli.toml_lines import key_lines  # 7 ms with the parser, needed once there is a file

    table = toml_table(text, source, error)
    lines = key_lines(text)
    origins = {".".join(key): f"{source}:{_line(lines, key)}" for key in _said(table)}
    missing = [Fault((name,), "missing") for name in required if name not in table]
    fields, wrong = _convert(table, kind)
    wrong += (*missing, *more(fields))
    if wrong:
        told = sorted({(_line(lines, fault.key), str(fault)) for fault in wrong})
        raise error("\n".join(f"{source}:{line}: {complaint}" for line, complaint in told))
    return Layer(fields=fields, origins=origins)


def _convert(table: dict[str, Any], kind: type[S]) -> tuple[S, list[Fault]]:
    """What is right in the table, which loses the rest, and the faults of that."""
    wrong: list[Fault] = []
    while found := list(faults(table, kind)):
        wrong += found
        for key in dict.fromkeys(fault.key for fault in found):
            _remove(table, key)
    fields = msgspec.convert(table, kind)
    return fields, [*wrong, *setting_faults(fields)]


def toml_table(text: str, source: str, error: type[UsageError]) -> dict[str, Any]:
    """The text as TOML. Raises `error` where it is none."""
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # ValueError: also a number beyond Python's limit of digits
        raise error(f"{source}: not TOML: {problem}") from None


def instructions_text(path: Path) -> str:
    """What a file of instructions says. Raises `InputError`."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the instructions in {path}: {reason(error)}") from None


def _said(table: Mapping[str, Any], path: Key = ()) -> Iterator[Key]:
    for name, value in table.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from _said(value, (*path, name))


def _remove(table: dict[str, Any], key: Key) -> None:
    """Take a key out of the table, or what lacks it."""
    *path, name = key
    for part in path[:-1]:
        table = table[part]
    if path and name in table[path[-1]]:
        del table[path[-1]][name]
    else:
        del table[path[-1] if path else name]


def _line(lines: Mapping[Key, int], key: Key) -> int:
    """Where the key stands, or else what holds it."""
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key, 1)


def _nearest(origins: Mapping[str, str], key: Key) -> str:
    """The origin of the setting that said the key, or part of it, or that it is part of."""
    dotted = ".".join(key)
    return next(
        origin
        for said, origin in origins.items()
        if f"{dotted}.".startswith(f"{said}.") or f"{said}.".startswith(f"{dotted}.")
    )
