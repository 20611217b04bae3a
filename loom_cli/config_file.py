"""Changing the configuration file, with everything the user wrote beside it left as it is."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom_cli.exclusive import exclusive
from loom_cli.fields import Fields
from loom_cli.layers import Setting, layer_of, toml_table
from loom_cli.reasons import reason
from loom_cli.toml_lines import key_spans
from loom_cli.validation import Key
from loom_core.errors import ConfigError
from loom_core.messages import JSON
from loom_core.runtime.private_files import make_private_directory, replace_file, storage_errors


def change_config(path: Path, dotted: str, value: JSON | None) -> None:
    """Set a field in the file, or with None take it out.

    Raises `UsageError` for a value the field cannot have, and `ConfigError` where the file is no TOML, or is written so
    that only a person can change it. Other faults of the file stay: each can be mended by itself.
    """
    key = tuple(dotted.split("."))
    if value is not None:
        layer_of([Setting(key=dotted, value=value, origin="the value given")], Fields)
    with storage_errors(path):
        make_private_directory(path.parent)
        with exclusive(path.parent):
            text = _text(path)
            table = toml_table(text, str(path), ConfigError)
            changed = _without(text, key) if value is None else _with(text, key, value)
            _verify(path, table, changed, key, value)
            replace_file(path, changed.encode())


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read {path}: {reason(error)}") from None


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
    """The text without the key, and without its table's header where nothing else stands below that."""
    spans = key_spans(text)
    if key not in spans:
        return text
    start, end = spans[key]
    before, after = text[:start], text[end:].partition("\n")[2]
    header, next_table = before.rstrip(), after.lstrip()
    if key[:-1] in spans and spans[key[:-1]][1] == len(header) and (not next_table or next_table[0] == "["):
        before, after = text[: spans[key[:-1]][0]], next_table
    return before + after


def _verify(path: Path, table: dict[str, Any], changed: str, key: Key, value: JSON | None) -> None:
    """That this and only this changed. An inline table, or a dotted key, is left to its author."""
    try:
        right = _filled(tomllib.loads(changed)) == _filled(_expected(table, key, value))
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise ConfigError(
            f"{path}: {'.'.join(key)} cannot be changed without rewriting the file", hint="Edit it there."
        )


def _filled(table: Mapping[str, Any]) -> dict[str, Any]:
    """Without the tables that hold nothing, which say nothing."""
    inner = {name: _filled(value) if isinstance(value, dict) else value for name, value in table.items()}
    return {name: value for name, value in inner.items() if value != {}}


def _expected(table: dict[str, Any], key: Key, value: JSON | None) -> Mapping[str, Any]:
    inner = table
    for part in key[:-1]:
        inner = inner.setdefault(part, {})
    if value is None:
        inner.pop(key[-1], None)
    else:
        inner[key[-1]] = value
    return table
