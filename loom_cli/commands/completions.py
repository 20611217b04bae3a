"""`loom completions`: scripts that complete commands without starting Python for every TAB."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from loom_cli.frame import command, group
from loom_cli.output import write_out
from loom_core.errors import LoomError

app = group("Completion scripts for the shell.")

_EXAMPLES = """\
eval "$(loom completions show bash)"
loom completions show bash > ~/.local/share/bash-completion/completions/loom"""

_PACKAGE = Path(__file__).parents[1]


@command(
    app,
    "show",
    examples=_EXAMPLES,
)
def show(
    shell: Annotated[Literal["bash"], typer.Argument(metavar="SHELL", help="bash", show_default=False)],
) -> None:
    """Print the script for a shell, to be read by its start file or saved where it looks for such scripts."""
    name = f"loom.{shell}"
    # In the package where it was installed, beside it in the source tree.
    for path in (_PACKAGE / "completions" / name, _PACKAGE.parent / "completions" / name):
        if path.is_file():
            write_out(path.read_text("utf-8"))
            return
    raise LoomError(f"the script {name} is missing from this installation", hint="install loom again")
