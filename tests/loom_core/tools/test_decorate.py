"""A signature and a docstring become a schema, and a model's arguments become keyword arguments."""

import dataclasses
import enum
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, TypedDict

import msgspec
import pydantic
import pytest

from loom_core.tools.decorate import tool
from loom_core.tools.spec import Tool, ToolContext


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Named(msgspec.Struct):
    name: str


class Options(TypedDict, total=False):
    deep: bool


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Item(pydantic.BaseModel):
    count: int = pydantic.Field(ge=1)
    parts: list["Item"] = []


NOTHING = object()


def taking(kind: Any, default: Any = NOTHING) -> Tool:
    """A tool of one parameter, `value`, annotated `kind`."""

    def function(value: Any = None) -> None: ...

    function.__annotations__["value"] = kind
    function.__defaults__ = () if default is NOTHING else (default,)
    return tool(function)


@pytest.mark.parametrize(
    ("kind", "schema", "sent", "received"),
    [
        (int, {"type": "integer"}, 3, 3),
        (float, {"type": "number"}, 3, 3.0),
        (str, {"type": "string"}, "a", "a"),
        (bool, {"type": "boolean"}, True, True),
        (Any, {}, {"a": [1]}, {"a": [1]}),
        (object, {"description": "any JSON value"}, None, None),
        (Literal["a", "b"], {"enum": ["a", "b"]}, "b", "b"),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, None),  # noqa: UP045  # the spelling is the case
        (list[int], {"type": "array", "items": {"type": "integer"}}, [1], [1]),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": 1}),
        (Path, {"type": "string", "format": "path"}, "a/b", Path("a/b")),
        (Annotated[int, "how many"], {"type": "integer", "description": "how many"}, 1, 1),
        (Annotated[int, msgspec.Meta(ge=1)], {"type": "integer", "minimum": 1}, 1, 1),
        (Point, {"$ref": "#/$defs/Point"}, {"x": 1}, Point(1)),
        (list[Point], {"type": "array", "items": {"$ref": "#/$defs/Point"}}, [{"x": 1, "y": 2}], [Point(1, 2)]),
        (Named, {"$ref": "#/$defs/Named"}, {"name": "n"}, Named("n")),
        (Options, {"$ref": "#/$defs/Options"}, {"deep": True}, {"deep": True}),
        (Colour, {"$ref": "#/$defs/Colour"}, "red", Colour.RED),
        (Item, {"$ref": "#/$defs/Item_Item"}, {"count": 1}, Item(count=1)),
        (Item | None, None, {"count": 1, "parts": [{"count": 2}]}, Item(count=1, parts=[Item(count=2)])),
    ],
    ids=str,
)
def test_a_type_has_its_schema_and_takes_what_fits(kind: Any, schema: Any, sent: Any, received: Any) -> None:
    made = taking(kind)
    if schema is not None:
        assert made.parameters["properties"]["value"] == schema
    assert made.convert({"value": sent}) == {"value": received}


def test_every_reference_of_a_schema_is_defined() -> None:
    def function(a: Point, b: list[Item], c: Colour) -> None: ...

    made = tool(function)
    text = msgspec.json.encode(made.parameters).decode()
    assert set(made.parameters["$defs"]) == {"Point", "Item_Item", "Colour"}
    assert '"#/$defs/Item"' not in text


def test_the_schema_says_what_is_required_and_nothing_else_is_allowed() -> None:
    def function(a: int, b: str = "x", *, c: bool | None = None) -> None: ...

    assert tool(function).parameters == {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "string", "default": "x"},
            "c": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None},
        },
        "required": ["a"],
        "additionalProperties": False,
    }


def test_a_default_of_none_makes_none_acceptable() -> None:
    assert taking(str, None).convert({"value": None}) == {"value": None}


def test_a_missing_annotation_takes_any_json() -> None:
    def function(value) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001  # the case

    assert tool(function).convert({"value": {"a": 1}}) == {"value": {"a": 1}}


def test_annotations_written_as_strings_may_name_local_classes() -> None:
    @dataclasses.dataclass
    class Local:
        x: int

    @tool
    def function(a: "Local", b: "list[Local] | None" = None) -> "Unknown":  # type: ignore[name-defined]  # noqa: F821
        """Never looks at what it returns."""

    assert function.convert({"a": {"x": 1}}) == {"a": Local(1)}


@pytest.mark.parametrize("annotation", [ToolContext, "ToolContext", ToolContext | None], ids=str)
def test_a_context_parameter_is_not_in_the_schema(annotation: Any) -> None:
    def function(a: int, bench: Any = None) -> None: ...

    function.__annotations__["bench"] = annotation
    made = tool(function)
    assert made.takes_context == "bench"
    assert list(made.parameters["properties"]) == ["a"]


def test_the_decorator_takes_facts() -> None:
    @tool(name="Add", description="Adds.", read_only=True, concurrency_safe=True, requires_approval=True, timeout=3)
    async def add(a: int, b: int) -> int:
        """Not this."""
        return a + b

    assert (add.name, add.description, add.read_only, add.concurrency_safe) == ("Add", "Adds.", True, True)
    assert (add.requires_approval, add.timeout, add.destructive) == (True, 3, False)
    assert repr(add) == "<Tool Add>"


class Counter:
    def add(self, n: int) -> int:
        """Add n."""
        return n

    def __call__(self, n: int) -> int:
        return n


@pytest.mark.parametrize(
    "function", [Counter().add, Counter(), functools.partial(Counter().add)], ids=["method", "object", "partial"]
)
def test_other_callables_become_tools_too(function: Callable[..., int]) -> None:
    made = tool(function, name="count")
    assert made.convert({"n": 1}) == {"n": 1}
    assert made.parameters["properties"] == {"n": {"type": "integer"}}


def positional(a: int, /) -> None: ...
def starred(*values: int) -> None: ...
def keywords(**values: int) -> None: ...
def unspeakable(a: complex) -> None: ...
def undecidable(a: Point | Named) -> None: ...
def unresolved(a: "Missing") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def twice(a: ToolContext, b: ToolContext) -> None: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (positional, "by name"),
        (starred, r"by name.*\*values"),
        (keywords, "by name"),
        (unspeakable, "parameter 'a'.*complex"),
        (undecidable, "parameter 'a'.*union"),
        (unresolved, "Missing.*import"),
        (twice, "a and b"),
        (Counter.add, "bound method"),
        (3, "not of 3"),
        (min, "no signature"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_json_cannot_say_is_refused_where_it_is_written(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        tool(function)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"name": "no spaces"}, "name='no spaces'"),
        ({"name": ""}, "name"),
        ({"timeout": 0}, "timeout"),
        ({"read_only": True, "destructive": True}, "exclude"),
    ],
    ids=str,
)
def test_facts_that_cannot_be_are_refused(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tool(Counter().add, **facts)


def addition(a: int, colour: Colour, point: Point, items: list[Item], note: str = "") -> None: ...


RIGHT: dict[str, Any] = {"a": 1, "colour": "red", "point": {"x": 1}, "items": []}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"a": "5"}, r'a: Expected `int`, got `str`; got "5"'),
        ({"a": 1.5}, "a: Expected `int`, got `float`"),
        ({"colour": "green"}, r'colour: Invalid enum value.*"blue", "red"'),
        ({"point": {"x": "q"}}, r"point\.x: Expected `int`"),
        ({"point": {}}, "point: Object missing required field `x`"),
        ({"items": [{"count": 0}]}, r"items\[0\]: count: Input should be greater"),
        ({"notes": "x"}, "no argument 'notes'; did you mean 'note'"),
        ({"zzz": "x"}, "no argument 'zzz'; there are: a, colour, point, items, note"),
        ({"note": "\ud800" * 3, "a": None}, "a: Expected `int`, got `null`"),
    ],
    ids=lambda value: str(value)[:30].encode("ascii", "replace").decode(),
)
def test_wrong_arguments_are_told_to_the_model(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        tool(addition).convert(RIGHT | change)
    assert "errors.pydantic.dev" not in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ValueError) as caught:
        tool(addition).convert({"b": 1, "a": "x", "colour": "red"})
    message = str(caught.value)
    assert all(words in message for words in ("'b'", "a: Expected", "point is missing", "items is missing"))


def test_half_a_character_in_a_wrong_argument_can_still_be_told() -> None:
    with pytest.raises(ValueError) as caught:
        tool(addition).convert(RIGHT | {"a": "\ud800"})
    str(caught.value).encode()
