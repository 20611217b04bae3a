"""Whether a stream gets color."""

import os
from collections.abc import Mapping
from typing import Literal, TypeAlias

from loom_cli.output import STDOUT

ColorChoice: TypeAlias = Literal["auto", "always", "never"]


def color_wanted(descriptor: int, choice: ColorChoice, environment: Mapping[str, str]) -> bool:
    """Whether a stream gets escape sequences; `choice` is the flag.

    The flag, then NO_COLOR, then FORCE_COLOR or CLICOLOR_FORCE, then TERM=dumb, then whether it is a terminal.
    Variables never put an escape byte into a standard output that is no terminal: programs read that.
    """
    if choice != "auto":
        return choice == "always"
    terminal = os.isatty(descriptor)
    if environment.get("NO_COLOR") or (descriptor == STDOUT and not terminal):
        return False
    if any(environment.get(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return terminal and environment.get("TERM", "dumb") != "dumb"
