"""Telling the user what went wrong, and the exit code that tells the caller."""

import os
from contextlib import suppress

from loom_cli.fields import Output, OutputFormat
from loom_cli.output import STDERR, ReaderGone, write_err
from loom_cli.wrapping import wrapped
from loom_core.errors import LoomError, StorageError


def report(error: Exception, arguments: list[str]) -> int:
    """Tell of an error that no command has told of, and return the exit code.

    What is wanted - a traceback, an object for a program to read - is taken from the bare arguments: what failed may
    be their parsing.
    """
    known = error if isinstance(error, LoomError) else _internal(error)
    form = _form(arguments)
    if form != "text":
        from loom_cli.render.answer import answer_for
        from loom_cli.render.progress import Progress

        with suppress(StorageError, ReaderGone):  # then the first failure is the one to tell
            answer_for(Output(format=form), Progress(terminal=False, quiet=True), terminal=False).fail(known)
    debug = "--debug" in arguments or os.environ.get("LOOM_DEBUG", "0") not in ("", "0", "false")
    return tell(known, debug=debug)


def tell(error: LoomError, *, debug: bool) -> int:
    """Write an error to standard error, after its traceback where that is wanted, and return its exit code."""
    if debug:
        import traceback

        write_err("".join(traceback.format_exception(error)))
    write_err(describe(str(error), error.hint))
    return error.exit_code


def describe(what: str, hint: str | None) -> str:
    """An error as text for a person: what and where, then, indented, what to do.

    It may quote a file, a server or a model, so it is shown without power over the terminal, and within its width.
    """
    from loom_core.safety.text import safe_text

    first, *more = what.splitlines() or [""]
    lines = [f"loom: {first}", *more, *(f"  {line}" for line in (hint or "").splitlines())]
    return wrapped(safe_text("\n".join(lines)) + "\n", STDERR)


def _internal(error: Exception) -> LoomError:
    internal = LoomError(f"internal error: {type(error).__name__}: {error}", hint="--debug shows where it happened")
    internal.__cause__ = error
    return internal


def _form(arguments: list[str]) -> OutputFormat:
    """The form in which a one-shot run was to answer: text, json or jsonl."""
    if not {"run", "resume"} & set(arguments):
        return "text"
    named = ["json" if os.environ.get("LOOM_JSON") == "1" else os.environ.get("LOOM_FORMAT", "")]
    for index, argument in enumerate(arguments):
        if argument == "--json":
            named.append("json")
        elif argument == "--format":
            named += arguments[index + 1 : index + 2]
        elif argument.startswith("--format="):
            named.append(argument.removeprefix("--format="))
    match named[-1]:
        case "json" | "jsonl" as form:
            return form
        case _:
            return "text"
