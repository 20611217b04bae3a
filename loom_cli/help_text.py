"""The text of `--help`: one sentence, examples, options in groups, in 80 columns."""

import textwrap
from collections.abc import Iterable, Iterator

from typer._click.core import Command, Context, Parameter
from typer.core import TyperArgument, TyperOption

_WIDTH = 79
_COLUMN = 27
"""Where descriptions begin; a longer term stands on a line of its own."""


def help_text(command: Command, context: Context, commands: Iterable[tuple[str, str]] = ()) -> str:
    """Everything `--help` says of a command; `commands` are those below it, each with one line."""
    blocks = [[command.get_usage(context)], textwrap.wrap(command.help or "", _WIDTH)]
    if command.epilog:
        blocks.append(["Examples:", *(f"  {line}" for line in command.epilog.splitlines())])
    if commands:
        blocks.append(["Commands:", *listing(commands)])
    for title, parameters in _groups(command.get_params(context)).items():
        blocks.append([f"{title}:", *listing((_term(each, context), each.help or "") for each in parameters)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _groups(parameters: Iterable[Parameter]) -> dict[str, list[TyperArgument | TyperOption]]:
    """The parameters by the title they stand under, in the order in which titles first occur."""
    groups: dict[str, list[TyperArgument | TyperOption]] = {}
    for each in parameters:
        if isinstance(each, (TyperArgument, TyperOption)) and not each.hidden:
            groups.setdefault(each.rich_help_panel or "Arguments", []).append(each)
    return groups


def _term(parameter: TyperArgument | TyperOption, context: Context) -> str:
    if isinstance(parameter, TyperArgument):
        return parameter.make_metavar(context)
    names = ", ".join(sorted(parameter.opts, key=len))
    takes_value = not (parameter.is_flag or parameter.count)
    return f"{names} {parameter.make_metavar(context)}" if takes_value else names


def listing(entries: Iterable[tuple[str, str]], column: int = _COLUMN) -> Iterator[str]:
    """Terms with their descriptions beside them, which begin at `column` and are wrapped."""
    for term, description in entries:
        lines = textwrap.wrap(description, _WIDTH - column) or [""]
        first = f"  {term}  ".ljust(column)
        if len(first) > column:
            yield first.rstrip()
            first = " " * column
        yield (first + lines[0]).rstrip()
        yield from (" " * column + line for line in lines[1:])
