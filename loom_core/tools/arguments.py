"""The arguments of a tool: their JSON Schema, and the way from what a model sent to what a function takes."""

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
        self._properties, definitions = _properties(self._parameters.values())
        self.schema: dict[str, JSON] = {
            "type": "object",
            "properties": self._properties,
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
        return f"{name}{place.rstrip('`')}: {message}; {self._expected(name)}, got {_quote(value)}"

    def _expected(self, name: str) -> str:
        return f"expected {_quote(self._properties[name])}"


def _quote(value: JSON) -> str:
    text = msgspec.json.encode(value).decode() if _is_text(value) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _properties(parameters: Iterable[Parameter]) -> tuple[dict[str, dict[str, JSON]], dict[str, JSON]]:
    """The schema of each parameter, and the definitions they refer to."""
    properties: dict[str, dict[str, JSON]] = {}
    definitions: dict[str, JSON] = {}
    for parameter in parameters:
        try:
            msgspec.json.Decoder(parameter.type, dec_hook=_from_json)  # finds unions that cannot be told apart
            (schema,), found = msgspec.json.schema_components(
                [parameter.type], schema_hook=_foreign_schema(definitions), ref_template="#/$defs/{name}"
            )
        except (TypeError, NameError) as error:
            raise TypeError(f"parameter {parameter.name!r}: {error}") from error
        definitions.update(found)
        properties[parameter.name] = schema | _told(parameter)
    return properties, definitions


def _told(parameter: Parameter) -> dict[str, JSON]:
    told: dict[str, JSON] = {"description": parameter.description} if parameter.description else {}
    if not parameter.required:
        try:
            told["default"] = msgspec.to_builtins(parameter.default, str_keys=True)
        except TypeError:
            pass  # a default without a JSON form can be left to the function, not told
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
