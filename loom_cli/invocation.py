"""One call of the program: what every command may ask about it."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from loom_cli.color import ColorChoice, color_wanted
from loom_cli.output import STDOUT, write_err


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """What the options that every command takes say, whether they stood before its name or after."""

    color: ColorChoice = "auto"
    quiet: bool = False
    verbosity: int = 0
    debug: bool = False
    no_input: bool = False
    config: Path | None = None
    """The configuration file to read instead of the user's own."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The process's. No field, so that no repr shows the secrets in it."""
        return os.environ

    def notice(self, text: str) -> None:
        """Tell the user one line that is no error; `-q` silences it."""
        if not self.quiet:
            from loom_cli.failure import describe

            write_err(describe(text, None))

    @property
    def stdout_color(self) -> bool:
        """Whether standard output gets escape sequences."""
        return color_wanted(STDOUT, self.color, os.environ)
