"""Values that come as text from the environment.

Every long option has a twin: `--max-turns` is LOOM_MAX_TURNS. What holds several values has one a line; a switch is
1, true, 0 or false; an empty variable is none.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

import msgspec

from loom_cli.validation import alternatives, complaint
from loom_core.errors import ConfigError

PREFIX = "LOOM_"


def twin(option: str) -> str:
    """The variable of a long option, or of a dotted field that has none."""
    return PREFIX + option.lstrip("-").replace("-", "_").replace(".", "_").upper()


def from_environment(environment: Mapping[str, str], variable: str, kind: Any) -> Any:
    """The value of a variable as `kind` (a type expression), or None where it is unset or empty.

    Raises `ConfigError` naming the variable.
    """
    text = environment.get(variable)
    if not text:
        return None
    try:
        return parse(text, kind)
    except ValueError as error:
        raise ConfigError(f"{variable}: {complaint(text, kind, str(error))}") from None


def parse(text: str, kind: Any) -> Any:
    """Text as a value of `kind`. Raises `ValueError` saying what it should have been."""
    shapes = {get_origin(one) or one for one in alternatives(kind)}
    value: object = text
    if shapes & {list, tuple}:
        value = text.splitlines()
    elif shapes & {dict, Mapping}:
        value = dict(pair(line) for line in text.splitlines())
    return msgspec.convert(value, kind, strict=False, dec_hook=_path)


def pair(text: str) -> tuple[str, str]:
    """`K=V` in its halves. Raises `ValueError` where there is no key or no `=`."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ValueError(f"{text!r} is not KEY=VALUE")
    return key, value


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"{value!r} cannot be {kind.__name__}")
