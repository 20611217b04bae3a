"""Telling the user what went wrong, and the exit code that tells the caller."""

import os

from loom_cli.output import write_err
from loom_core.errors import LoomError


def report(error: Exception, arguments: list[str]) -> int:
    """Write the error to standard error and return the exit code.

    Whether a traceback is wanted is read off the bare arguments: what failed may be their parsing.
    """
    if "--debug" in arguments or os.environ.get("LOOM_DEBUG", "0") not in ("", "0", "false"):
        import traceback

        write_err("".join(traceback.format_exception(error)))
    if isinstance(error, LoomError):
        write_err(describe(str(error), error.hint))
        return error.exit_code
    write_err(describe(f"internal error: {type(error).__name__}: {error}", "--debug shows where it happened"))
    return LoomError.exit_code


def describe(what: str, hint: str | None) -> str:
    """An error as text for a person: what and where, then, indented, what to do.

    It may quote a file, a server or a model, so it is shown without power over the terminal.
    """
    from loom_core.safety.text import safe_text

    first, *more = what.splitlines() or [""]
    lines = [f"loom: {first}", *more, *(f"  {line}" for line in (hint or "").splitlines())]
    return safe_text("\n".join(lines)) + "\n"
