"""The frame commands hang in: how a command and a group of commands are made, and what all have in common."""

from collections.abc import Callable
from typing import Any

import typer
from typer._click.core import Command, Context, Parameter
from typer.core import TyperCommand, TyperGroup, TyperOption

from loom_cli.flags import spread
from loom_cli.help_text import help_text
from loom_cli.output import write_out
from loom_cli.suggest import suggestion
from loom_core.errors import UsageError


class _HelpOption(Command):
    """Typer's own help goes through `sys.stdout`, which hides that it cannot be written; ours does not."""

    def get_help_option(self, ctx: Context) -> TyperOption | None:  # noqa: ARG002 - Typer's signature
        """`-h, --help`."""
        if self._help_option is None:
            self._help_option = TyperOption(
                param_decls=["-h", "--help"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_show_help,
                help="this text",
                rich_help_panel="Everywhere",
            )
        return self._help_option


class OneCommand(_HelpOption, TyperCommand):
    """A command."""

    def get_help(self, ctx: Context) -> str:
        """What `--help` prints."""
        return help_text(self, ctx)

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """The words of the usage line; Typer puts what is required into braces, which readers take for a choice."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


class CommandGroup(_HelpOption, TyperGroup):
    """A group of commands that says what a mistyped name may have meant."""

    def get_help(self, ctx: Context) -> str:
        """What `--help` prints."""
        return help_text(self, ctx, self.summaries())

    def summaries(self) -> list[tuple[str, str]]:
        """Each command with one line on it."""
        return [(name, " ".join((command.help or "").split())) for name, command in self.commands.items()]

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """The command that the first argument names."""
        name, names = args[0], self.list_commands(ctx)
        if name not in names:
            raise UsageError(
                f"{ctx.command_path} has no command {name!r}",
                hint=suggestion(name, names) or f"there are: {', '.join(names)}",
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Context) -> Any:
        """Run the command that was named."""
        if not (ctx._protected_args or self.invoke_without_command):  # noqa: SLF001 - Typer keeps it nowhere else
            raise UsageError(f"{ctx.command_path}: which command?", hint=", ".join(self.list_commands(ctx)))
        return super().invoke(ctx)


def group(summary: str) -> typer.Typer:
    """A group of commands, to which `command` adds them."""
    app = typer.Typer(
        cls=CommandGroup,
        help=summary,
        subcommand_metavar="COMMAND",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(spread(_nothing))
    return app


def single() -> typer.Typer:
    """What holds a command that is no group: `command` adds the one."""
    return typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


def command(app: typer.Typer, name: str, *, examples: str = "") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the decorated function to `app`; its docstring's sentence is the help, `examples` are shown line by line."""

    def add(function: Callable[..., None]) -> Callable[..., None]:
        app.command(name, cls=OneCommand, epilog=examples or None)(spread(function))
        return function

    return add


def _nothing() -> None:
    """A group by itself does nothing."""


def _show_help(ctx: Context, _: Parameter, wanted: bool) -> None:
    if wanted:
        write_out(ctx.get_help() + "\n")
        raise typer.Exit
