"""Tables of configuration and task files against the schema: every fault of a table, not only the first."""

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

from loom_cli.fields import NOT_YET, fields_of
from loom_cli.suggest import suggestion
from loom_core.messages import JSON

S = TypeVar("S", bound=msgspec.Struct)


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
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        yield Fault(path, complaint(value, kind, str(error)))


def complaint(value: JSON, kind: Any, message: str) -> str:
    """What was expected, in the words of the file's author."""
    words = [word for one in alternatives(kind) if get_origin(one) is Literal for word in get_args(one)]
    if words and isinstance(value, type(words[0])):
        return f"{value!r} is none of {', '.join(map(str, words))}"
    if any(isinstance(one, type) and issubclass(one, msgspec.Struct) for one in alternatives(kind)):
        return f"expected a table, got {type(value).__name__}"
    text = message.partition(" - at ")[0].replace("`", "").replace(" | null", "")
    return text[:1].lower() + text[1:]


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    return get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)
