"""Asking before something is destroyed."""

import os

from loom_cli.invocation import Invocation
from loom_cli.output import STDERR, STDIN, write_err
from loom_core.errors import ApprovalUnavailable


def confirm(question: str, invocation: Invocation, *, yes: bool) -> bool:
    """Whether the user agrees; `yes` is the option that agrees beforehand.

    Raises `ApprovalUnavailable` where nobody can be asked.
    """
    if yes:
        return True
    if invocation.no_input or not (os.isatty(STDIN) and os.isatty(STDERR)):
        raise ApprovalUnavailable(f"{question} There is nobody to ask", hint="add --yes")
    write_err(f"{question} [y/N] ")
    return os.read(STDIN, 1024).strip().lower() in (b"y", b"yes")
