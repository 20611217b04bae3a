"""One call of the program, from its arguments to its exit code."""

import typer
from typer._click.exceptions import ClickException, NoSuchOption
from typer._click.exceptions import UsageError as ClickUsageError

from loom_cli.output import occupy_standard_descriptors
from loom_cli.suggest import suggestion
from loom_cli.tree import root
from loom_core.errors import UsageError


def run(arguments: list[str]) -> int:
    """Run the command the arguments name; the exit code is 0 unless it raised `typer.Exit`.

    What it cannot do is raised: `LoomError`, `ReaderGone`, `KeyboardInterrupt`.
    """
    occupy_standard_descriptors()
    command = root()
    try:
        with command.make_context("loom", [*arguments], obj=[]) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except ClickException as error:
        raise _ours(error) from None
    return 0


def _ours(error: ClickException) -> UsageError:
    """A complaint of the parser in our own form."""
    message = error.format_message().strip()
    hint = None
    if isinstance(error, NoSuchOption):
        message = error.message
        hint = suggestion(error.option_name, error.possibilities or ())
    if hint is None and isinstance(error, ClickUsageError) and error.ctx is not None:
        hint = f"{error.ctx.command_path} --help shows how"
    return UsageError(message[:1].lower() + message[1:].removesuffix("."), hint=hint)
