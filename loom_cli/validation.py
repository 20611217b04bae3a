"""Tables of configuration and task files against the schema: every fault of a table, not only the first."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

from loom_cli.fields import NOT_YET, fields_of
from loom_cli.suggest import suggestion
from loom_core.messages import JSON

S = TypeVar("S", bound=msgspec.Struct)


NOUNS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "array": "a list",
    "object": "a table",
}
"""Types by the names they have in messages of msgspec, in words for the user."""
_BOUNDS = {">=": "of at least", ">": "above", "<=": "of at most", "<": "below"}
_EXPECTED = re.compile(r"Expected `(?P<types>[^`]+)`(?: (?P<sign>[<>]=?) (?P<bound>[\w.+-]+))?")
_MOST_SHOWN = 60

Key: TypeAlias = tuple[str, ...]
"""A key with the tables it stands in."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with the value of one key."""

    key: Key
    complaint: str

    def __str__(self) -> str:
        return f"{'.'.join(self.key)}: {self.complaint}"


def faults(table: dict[str, JSON], kind: type[msgspec.Struct], path: Key = ()) -> Iterator[Fault]:
    """What stands between the table and `kind`; where nothing does, `msgspec.convert` does not fail."""
    fields = {field.encode_name: field for field in fields_of(kind)}
    for name, value in table.items():
        if name in fields:
            yield from _value_faults(value, fields[name].type, (*path, name))
        elif ".".join((*path, name)) in NOT_YET:
            yield Fault((*path, name), "this version of loom does not know it yet")
        else:
            hint = suggestion(name, fields) or f"there are {', '.join(fields)}"
            yield Fault((*path, name), f"unknown key; {hint}")
    for name, field in fields.items():
        if field.required and name not in table:
            yield Fault((*path, name), "missing")


def _value_faults(value: JSON, kind: Any, path: Key) -> Iterator[Fault]:
    for one in alternatives(kind):
        if isinstance(value, dict) and isinstance(one, type) and issubclass(one, msgspec.Struct):
            yield from faults(value, one, path)
            return
        if isinstance(value, dict) and get_origin(one) is dict:
            for name, inner in value.items():
                yield from _value_faults(inner, get_args(one)[1], (*path, name))
            return
        if isinstance(value, list) and get_origin(one) is tuple:
            for inner in value:
                yield from _value_faults(inner, get_args(one)[0], path)
            return
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        yield Fault(path, complaint(value, kind, str(error)))


def complaint(value: JSON, kind: Any, message: str) -> str:
    """What was expected, in the words of the file's author; `message` is that of the conversion that failed."""
    words = [word for one in alternatives(kind) if get_origin(one) is Literal for word in get_args(one)]
    if words and isinstance(value, type(words[0])):
        if len(words) == 1:
            return f"this version knows {words[0]} only"
        return f"{shown(value)} is none of {', '.join(map(str, words))}"
    expected = _EXPECTED.match(message)
    if expected is None:
        return message[:1].lower() + message[1:]
    names = [NOUNS.get(name, name) for name in expected["types"].split(" | ") if name != "null"]
    bound = f" {_BOUNDS[expected['sign']]} {expected['bound'].removesuffix('.0')}" if expected["sign"] else ""
    return f"{' or '.join(names)}{bound}, not {shown(value)}"


def shown(value: object) -> str:
    """A value as its author knows it, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return NOUNS["object" if isinstance(value, dict) else "array"]
        case str():
            return repr(value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}...")
        case _:
            return str(value)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    return get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)
