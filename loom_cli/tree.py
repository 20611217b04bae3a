"""The command tree: which commands there are and where each lives."""

import importlib
from typing import Annotated, TypeAlias

import typer
from typer._click.core import Command, Context
from typer.main import get_command, get_group

from loom_cli.flags import spread
from loom_cli.frame import CommandGroup
from loom_cli.invocation import Invocation
from loom_cli.output import write_out
from loom_core import __version__

COMMANDS = {
    "chat": "work with an agent in the terminal",
    "run": "give an agent one goal and get the answer",
    "demo": "see a session work, without a key",
    "sessions": "list, show, resume, verify and delete sessions",
    "models": "which models there are and which is used",
    "keys": "the keys of model services",
    "config": "show and change settings",
    "doctor": "what loom found on this machine",
    "completions": "completion scripts for the shell",
    "help": "topics beyond the options",
}
"""Every command with its line of help. `loom_cli.commands.NAME` holds it as `app` and is imported when it is used."""


class Root(CommandGroup):
    """`loom` itself."""

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The names, in the order of help."""
        return list(COMMANDS)

    def summaries(self) -> list[tuple[str, str]]:
        """Each command with one line on it, from the table."""
        return list(COMMANDS.items())

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:  # noqa: ARG002 - Typer's signature
        """The command, its module imported now."""
        if cmd_name not in COMMANDS:
            return None
        found = get_command(importlib.import_module(f"loom_cli.commands.{cmd_name}").app)
        found.name = cmd_name
        return found


def _print_version(wanted: bool) -> None:
    if wanted:
        write_out(f"loom {__version__}\n")
        raise typer.Exit


Version: TypeAlias = Annotated[
    bool,
    typer.Option(
        "-V", "--version", is_eager=True, callback=_print_version, help="the version", rich_help_panel="Everywhere"
    ),
]


def root() -> Command:
    """The whole tree."""
    app = typer.Typer(
        cls=Root,
        name="loom",
        subcommand_metavar="COMMAND",
        invoke_without_command=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback(epilog='loom demo\nloom run -g "explain this project"\ngit diff | loom run -g "review this"')(
        spread(_bare)
    )
    return get_group(app)


def _bare(invocation: Invocation, version: Version = False) -> None:  # noqa: ARG001 - its callback does it
    """An agent shell: visible context, explained permissions, sessions that survive."""
    from loom_cli.welcome import welcome

    welcome(invocation)
