"""Options that several commands share, as classes.

A class of `Flags` names each option once. A command takes the class as a parameter; `spread` shows its fields to Typer
as options and hands the command the class filled in. Every command gets the options of `GlobalFlags` that way.
"""

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import msgspec
import typer

from loom_cli.color import ColorChoice
from loom_cli.environment import from_environment, twin
from loom_cli.fields import SETTING_OPTIONS, fields_of
from loom_cli.invocation import Invocation
from loom_core.errors import UsageError


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """Base of option classes. `None`, `False` and 0 mean that the option was not given."""


F = TypeVar("F", bound=Flags)


def flag(*names: str, help: str, group: str, metavar: str | None = None, count: bool = False) -> Any:  # noqa: A002 - typer's word
    """An option of a `Flags` class. Its help ends with its twin in the environment."""
    text = f"{help} [{twin(_long(names))}]"
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel=group, count=count, show_default=False)


def _long(names: tuple[str, ...]) -> str:
    return next(name for name in names if name.startswith("--"))


class GlobalFlags(Flags, frozen=True, kw_only=True):
    """What every command takes, before its name or after."""

    color: Annotated[
        ColorChoice | None,
        flag("--color", metavar="WHEN", help="auto, always or never (auto)", group="Everywhere"),
    ] = None
    quiet: Annotated[bool, flag("-q", "--quiet", help="only errors on stderr", group="Everywhere")] = False
    verbose: Annotated[int, flag("-v", "--verbose", help="say more; may repeat", group="Everywhere", count=True)] = 0
    debug: Annotated[bool, flag("--debug", help="errors with traceback", group="Everywhere")] = False
    cwd: Annotated[Path | None, flag("-C", "--cwd", metavar="DIR", help="work there", group="Everywhere")] = None
    config: Annotated[Path | None, flag("--config", metavar="FILE", help="instead of your own", group="Everywhere")] = (
        None
    )
    no_input: Annotated[bool, flag("--no-input", help="never ask a question", group="Everywhere")] = False


def spread(function: Callable[..., None]) -> Callable[..., None]:
    """The function as Typer should see it.

    Parameters that are `Flags` become their options; one annotated `Invocation` is supplied; the rest stay.
    """
    parameters = inspect.signature(function, eval_str=True).parameters
    shared = {name: each.annotation for name, each in parameters.items() if _is_flags(each.annotation)}
    supplied = [name for name, each in parameters.items() if each.annotation is Invocation]
    own = [each for name, each in parameters.items() if name not in shared and name not in supplied]

    def command(context: typer.Context, **values: Any) -> None:
        context.obj.append(_take(GlobalFlags, values))
        if context.invoked_subcommand is not None:
            return
        invocation = _enter(context.obj, os.environ)
        flags = {name: _complete(_take(kind, values), os.environ) for name, kind in shared.items()}
        function(**values, **flags, **dict.fromkeys(supplied, invocation))

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {}
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect.signature() looks for
        [
            inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own),
            *(option for kind in (*shared.values(), GlobalFlags) for option in _options(kind)),
        ]
    )
    return command


def given(*groups: Flags) -> dict[str, Any]:
    """The options that were given, by their long names."""
    return {
        long_name(field): value
        for flags in groups
        for field in fields_of(type(flags))
        if (value := getattr(flags, field.name)) is not None and value is not False
    }


def _options(kind: type[Flags]) -> Iterator[inspect.Parameter]:
    for field in fields_of(kind):
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type
        )


def _take(kind: type[F], values: dict[str, Any]) -> F:
    return kind(**{name: values.pop(name) for name in kind.__struct_fields__})


def _complete(flags: F, environment: Mapping[str, str]) -> F:
    """With what was not given taken from the environment.

    Fields of the settings are left out here: there, the environment is a layer of its own, below the task file.
    """
    found = {
        field.name: value
        for field in fields_of(type(flags))
        if not getattr(flags, field.name)
        and long_name(field) not in SETTING_OPTIONS
        and (value := from_environment(environment, twin(long_name(field)), get_args(field.type)[0])) is not None
    }
    return msgspec.structs.replace(flags, **found)


def _enter(levels: list[GlobalFlags], environment: Mapping[str, str]) -> Invocation:
    """What the global options before and after the command's name come to; `-C` takes effect."""
    default = _complete(GlobalFlags(), environment)
    named = [level.cwd for level in levels if level.cwd is not None]
    for directory in named or ([] if default.cwd is None else [default.cwd]):
        _change_directory(directory)
    levels = [default, *levels]
    return Invocation(
        color=next((level.color for level in reversed(levels) if level.color), "auto"),
        quiet=any(level.quiet for level in levels),
        verbosity=sum(level.verbose for level in levels),
        debug=any(level.debug for level in levels),
        no_input=any(level.no_input for level in levels),
        config=next((level.config for level in reversed(levels) if level.config), None),
    )


def _change_directory(directory: Path) -> None:
    """As `git -C` does: a second one is relative to the first."""
    try:
        os.chdir(directory)
    except OSError as error:
        raise UsageError(f"--cwd {directory}: {error.strerror}") from None


def long_name(field: msgspec.structs.FieldInfo) -> str:
    """The long name of the option a field of a `Flags` class stands for."""
    option = get_args(field.type)[1]
    return _long((option.default, *option.param_decls))


def _is_flags(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Flags)
