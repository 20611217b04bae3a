"""Changing the configuration file, with everything the user wrote beside it left as it is."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom_cli.exclusive import exclusive
from loom_cli.fields import Fields
from loom_cli.layers import read_layer
from loom_cli.toml_lines import key_spans
from loom_cli.validation import Key
from loom_core.errors import ConfigError
from loom_core.messages import JSON
from loom_core.runtime.private_files import make_private_directory, replace_file, storage_errors


def change_config(path: Path, dotted: str, value: JSON | None) -> None:
    """Set a field in the file, or with None take it out.

    Raises `ConfigError` where the file would not be right with it, or is written so that only a person can change it.
    """
    key = tuple(dotted.split("."))
    with storage_errors(path):
        make_private_directory(path.parent)
        with exclusive(path.parent):
            text = path.read_text("utf-8") if path.exists() else ""
            read_layer(text, str(path), Fields, ConfigError)
            changed = _without(text, key) if value is None else _with(text, key, value)
            _verify(path, text, changed, key, value)
            read_layer(changed, str(path), Fields, ConfigError)
            replace_file(path, changed.encode())


def _with(text: str, key: Key, value: JSON) -> str:
    """The text with the key's value replaced, or the key below its table's header, or in a new table at the end."""
    import tomli_w

    spans = key_spans(text)
    statement = tomli_w.dumps({key[-1]: value}).rstrip("\n")
    if key in spans:
        start, end = spans[key]
        return text[:start] + statement + text[end:]
    table = key[:-1]
    if not table:
        return f"{statement}\n{text}"
    if table in spans:
        header, newline, rest = text[spans[table][0] :].partition("\n")
        return f"{text[: spans[table][0]]}{header}\n{statement}{newline}{rest}"
    before = f"{text.rstrip()}\n\n" if text.strip() else ""
    return f"{before}[{'.'.join(table)}]\n{statement}\n"


def _without(text: str, key: Key) -> str:
    span = key_spans(text).get(key)
    if span is None:
        return text
    start, end = span
    return text[:start] + text[end:].partition("\n")[2]


def _verify(path: Path, text: str, changed: str, key: Key, value: JSON | None) -> None:
    """That this and only this changed. An inline table, or a dotted key, is left to its author."""
    try:
        right = _table(changed) == _expected(_table(text), key, value)
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise ConfigError(
            f"{path}: {'.'.join(key)} cannot be changed without rewriting the file", hint="Edit it there."
        )


def _table(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _expected(table: dict[str, Any], key: Key, value: JSON | None) -> Mapping[str, Any]:
    inner = table
    for part in key[:-1]:
        inner = inner.setdefault(part, {})
    if value is None:
        inner.pop(key[-1], None)
    else:
        inner[key[-1]] = value
    return table
