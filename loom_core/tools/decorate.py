"""`@tool`: a function becomes a tool; its signature and docstring say what a model must know."""

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Annotated, Any, get_args, get_origin, get_type_hints, overload

import msgspec

from loom_core.tools.arguments import Arguments, Parameter
from loom_core.tools.docstring import parse_docstring
from loom_core.tools.spec import Tool, ToolContext, ToolFunction

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what every provider accepts
_FILLED_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@overload
def tool(
    function: ToolFunction,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    read_only: bool = False,
    destructive: bool = False,
    concurrency_safe: bool = False,
    requires_approval: bool | None = None,
    timeout: float | None = None,
    capability: str = "tools",
) -> Tool: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    read_only: bool = False,
    destructive: bool = False,
    concurrency_safe: bool = False,
    requires_approval: bool | None = None,
    timeout: float | None = None,
    capability: str = "tools",
) -> Callable[[ToolFunction], Tool]: ...


def tool(function: ToolFunction | None = None, /, **facts: Any) -> Tool | Callable[[ToolFunction], Tool]:
    """Make a `Tool` of a sync or async function: `@tool`, `@tool(read_only=True)` or `tool(function, name="Add")`.

    Name and description default to the function's own, the parameters' descriptions to those of its docstring. A
    parameter annotated `ToolContext` receives the context and is not shown to the model; one without annotation takes
    any JSON. `timeout` is in seconds. Raises `TypeError` where the signature has no JSON form, `ValueError` where a
    name or fact cannot be.
    """
    names = sys._getframe(1).f_locals  # noqa: SLF001  # annotations may be strings that name the caller's local classes
    if function is None:
        return lambda decorated: _make(decorated, names, **facts)
    return _make(function, names, **facts)


def _make(
    function: ToolFunction,
    names: Mapping[str, Any],
    *,
    name: str | None = None,
    description: str | None = None,
    read_only: bool = False,
    destructive: bool = False,
    concurrency_safe: bool = False,
    requires_approval: bool | None = None,
    timeout: float | None = None,
    capability: str = "tools",
) -> Tool:
    if not callable(function):
        raise TypeError(f"a tool is made of a function, not of {function!r}")
    name = getattr(function, "__name__", "") if name is None else name
    if not _NAME.fullmatch(name):
        raise ValueError(f"name={name!r}: a tool's name is 1 to 64 letters, digits, '_' or '-'")
    if read_only and destructive:
        raise ValueError(f"{name}: read_only and destructive exclude each other")
    if timeout is not None and timeout <= 0:
        raise ValueError(f"{name}: timeout={timeout!r} must be more than 0 seconds")
    told = parse_docstring(inspect.getdoc(_written(function)))
    try:
        parameters = list(_parameters(function, names, told.parameters))
        arguments = Arguments(parameter for parameter in parameters if parameter.type is not ToolContext)
    except TypeError as error:
        raise TypeError(f"{name} cannot be a tool: {error}") from error
    contexts = [parameter.name for parameter in parameters if parameter.type is ToolContext]
    if len(contexts) > 1:
        raise TypeError(f"{name} cannot be a tool: it takes the context twice, as {' and '.join(contexts)}")
    return Tool(
        name=name,
        description=told.description if description is None else description,
        parameters=arguments.schema,
        function=function,
        convert=arguments.convert,
        takes_context=contexts[0] if contexts else None,
        read_only=read_only,
        destructive=destructive,
        concurrency_safe=concurrency_safe,
        requires_approval=requires_approval,
        timeout=timeout,
        capability=capability,
    )


def _parameters(
    function: ToolFunction, names: Mapping[str, Any], descriptions: Mapping[str, str]
) -> Iterator[Parameter]:
    hints = _annotations(function, names)
    try:
        signature = inspect.signature(function)
    except ValueError as error:  # some functions written in C
        raise TypeError(str(error)) from error
    for parameter in signature.parameters.values():
        if parameter.kind not in _FILLED_BY_NAME:
            raise TypeError(f"a model gives arguments by name, so {str(parameter)!r} cannot be filled")
        if parameter.name in {"self", "cls"} and parameter.name not in hints:
            raise TypeError(f"it is a method without its {parameter.name}: make the tool of a bound method")
        kind = hints.get(parameter.name, Any)
        description = descriptions.get(parameter.name) or _annotated_description(kind)
        default = msgspec.NODEFAULT if parameter.default is parameter.empty else parameter.default
        if ToolContext in (kind, *get_args(kind)):
            kind = ToolContext
        elif default is None and kind is not Any:
            kind |= None
        yield Parameter(name=parameter.name, type=kind, description=description, default=default)


def _written(function: ToolFunction) -> Any:
    """The function as its author wrote it, without wrappers."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.unwrap(function)


def _annotations(function: ToolFunction, names: Mapping[str, Any]) -> dict[str, Any]:
    """The annotation of each parameter, strings evaluated where the function was written."""
    target = _written(function)
    if not hasattr(target, "__annotations__"):
        target = type(target).__call__
    annotations: dict[str, Any] = getattr(target, "__annotations__", {})  # a function written in C has none
    written = {name: kind for name, kind in annotations.items() if name != "return"}
    namespace = getattr(target, "__globals__", {})
    # Linters move imports that only annotations use under TYPE_CHECKING; the context's is known all the same.
    known = names if ToolContext.__name__ in namespace else {ToolContext.__name__: ToolContext, **names}
    try:
        return get_type_hints(SimpleNamespace(__annotations__=written), namespace, known, include_extras=True)
    except NameError as error:
        raise TypeError(f"an annotation cannot be resolved: {error}; import the name at run time") from error


def _annotated_description(kind: Any) -> str:
    """What `Annotated[int, "..."]` or a pydantic `Field(description=...)` in its place says."""
    for extra in get_args(kind)[1:] if get_origin(kind) is Annotated else ():
        text = extra if isinstance(extra, str) else getattr(extra, "description", None)
        if text:
            return str(text)
    return ""
