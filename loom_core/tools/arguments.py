"""The arguments of a tool: their JSON Schema, and the way from what a model sent to what a function takes."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from loom_core.messages import JSON

_SHOWN = 200  # characters of a value or schema quoted in a message


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a function that a model fills in."""

    name: str
    type: Any
    description: str = ""
    default: Any = msgspec.NODEFAULT

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is msgspec.NODEFAULT


class Arguments:
    """A set of parameters. Raises `TypeError` where a type has no JSON form."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._parameters = {parameter.name: parameter for parameter in parameters}
        properties, definitions = _describe(self._parameters)
        self.schema: dict[str, JSON] = {
            "type": "object",
            "properties": properties,
            "required": [parameter.name for parameter in self._parameters.values() if parameter.required],
            "additionalProperties": False,
        }
        if definitions:
            self.schema["$defs"] = definitions

    def convert(self, arguments: Mapping[str, JSON]) -> dict[str, Any]:
        """Keyword arguments for the function. Raises `ValueError` that tells the model of every fault."""
        converted: dict[str, Any] = {}
        faults = [self._unknown(name) for name in arguments if name not in self._parameters]
        for parameter in self._parameters.values():
            if parameter.name in arguments:
                value = arguments[parameter.name]
                try:
                    converted[parameter.name] = msgspec.convert(
                        value, parameter.type, dec_hook=_from_json, str_keys=True
                    )
                except msgspec.ValidationError as error:
                    faults.append(self._wrong(parameter.name, value, error))
            elif parameter.required:
                faults.append(f"{parameter.name} is missing: {self._expected(parameter.name)}")
        if faults:
            raise ValueError("; ".join(faults))
        return converted

    def _unknown(self, name: str) -> str:
        import difflib

        near = difflib.get_close_matches(name, self._parameters, n=1)
        if near:
            return f"there is no argument {name!r}; did you mean {near[0]!r}?"
        known = ", ".join(self._parameters) or "none"
        return f"there is no argument {name!r}; there are: {known}"

    def _wrong(self, name: str, value: JSON, error: msgspec.ValidationError) -> str:
        message, _, place = str(error).partition(" - at `$")
        details = getattr(error.__cause__, "errors", None)
        if callable(details):  # pydantic's own text is several lines with links
            message = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in details())
        elif not message.startswith("Expected"):
            message = f"{message}; {self._expected(name)}"
        return f"{name}{place.rstrip('`')}: {message}; got {_quote(value)}"

    def _expected(self, name: str) -> str:
        schema = self.schema["properties"][name]
        definition = schema.get("$ref", "").rpartition("/")[2]
        return f"expected {_quote(self.schema['$defs'][definition] if definition else schema)}"


def _quote(value: JSON) -> str:
    import json  # escapes half characters too, which msgspec refuses

    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _describe(parameters: Mapping[str, Parameter]) -> tuple[dict[str, dict[str, JSON]], dict[str, JSON]]:
    """The schema of each parameter, and the definitions they refer to."""
    foreign: dict[str, JSON] = {}
    try:
        schemas, definitions = _schemas(parameters.values(), foreign)
    except TypeError:
        for parameter in parameters.values():  # one by one, to say which
            try:
                _schemas([parameter], {})
            except TypeError as error:
                raise TypeError(f"parameter {parameter.name!r}: {error}") from error
        raise
    told = (schema | _told(parameter) for schema, parameter in zip(schemas, parameters.values(), strict=True))
    return dict(zip(parameters, told, strict=True)), definitions | foreign


def _schemas(
    parameters: Iterable[Parameter], foreign: dict[str, JSON]
) -> tuple[tuple[dict[str, JSON], ...], dict[str, JSON]]:
    types = [parameter.type for parameter in parameters]
    for kind in types:
        msgspec.json.Decoder(kind, dec_hook=_from_json)  # refuses unions whose members JSON cannot tell apart
    return msgspec.json.schema_components(types, schema_hook=_foreign_schema(foreign), ref_template="#/$defs/{name}")


def _told(parameter: Parameter) -> dict[str, JSON]:
    told: dict[str, JSON] = {"description": parameter.description} if parameter.description else {}
    if not parameter.required:
        with contextlib.suppress(TypeError):  # a default without a JSON form is the function's own affair
            told["default"] = msgspec.to_builtins(parameter.default, str_keys=True)
    return told


def _foreign_schema(definitions: dict[str, JSON]) -> Callable[[type], dict[str, JSON]]:
    """The schema of types that msgspec does not know; their own definitions are added to `definitions`."""

    def schema_of(kind: type) -> dict[str, JSON]:
        if kind is object:
            return {"description": "any JSON value"}
        if kind is Path:
            return {"type": "string", "format": "path"}
        describe = getattr(kind, "model_json_schema", None)  # pydantic's, which is not imported for it
        if describe is None:
            raise TypeError(f"the type {kind!r} has no JSON Schema")
        schema: dict[str, JSON] = describe(ref_template=f"#/$defs/{kind.__name__}_{{model}}")
        for name, definition in schema.pop("$defs", {}).items():
            definitions[f"{kind.__name__}_{name}"] = definition
        return schema

    return schema_of


def _from_json(kind: type, value: JSON) -> Any:
    """A value of a type that msgspec does not know."""
    if kind is object:
        return value
    if kind is Path:
        if not isinstance(value, str):
            raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
        return Path(value)
    return kind.model_validate(value)  # type: ignore[attr-defined]  # Arguments refused types without it
