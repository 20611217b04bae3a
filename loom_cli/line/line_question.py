"""An approval asked where there is no screen: the question in lines on stderr, the answer a line that is typed."""

import asyncio
import termios
from contextlib import suppress

from loom_cli.line.guard import SETTLE_S
from loom_cli.line.input_lines import InputLines
from loom_cli.line.questions import CHOICES, question
from loom_cli.line.terminal import terminal_size
from loom_cli.output import STDERR, STDIN, write_err
from loom_cli.render.paint import paint
from loom_core.runtime.approvals import Approval


async def ask_in_lines(approval: Approval, lines: InputLines, *, directory: str) -> None:
    """Ask, and take the next line that is typed after the question as the answer; only y and s say yes."""
    columns, _ = terminal_size(STDERR)
    asked = question(approval, directory=directory, position="", columns=columns)
    write_err(paint(asked, color=False, exact=True, columns=columns))
    try:
        await asyncio.sleep(SETTLE_S)
        with suppress(termios.error):
            termios.tcflush(STDIN, termios.TCIFLUSH)
        write_err(f"{CHOICES} > ")
        line = await lines.next()
    except asyncio.CancelledError:
        write_err("\n")  # what is said next does not stand behind the question
        raise
    answer, _, reason = (line or "n").strip().partition(" ")
    match answer.lower():
        case "y":
            approval.approve()
        case "s":
            approval.approve(scope="session")
        case "n":
            approval.reject(reason.strip())
        case _:
            approval.reject(f"{answer} {reason}".strip())
