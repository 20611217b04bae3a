"""A chat without cursor movements: one prompt a line of input, one answer on standard output; the rest is on stderr.

For pipes, where nobody can be asked, and for terminals that are no more than a typewriter (TERM=dumb).
"""

import asyncio
import signal
import time
from collections.abc import Mapping

from loom_cli.failure import describe
from loom_cli.invocation import Invocation
from loom_cli.line import slash
from loom_cli.line.input_lines import InputLines
from loom_cli.line.line_question import ask_in_lines
from loom_cli.line.recap import recap
from loom_cli.line.status import Status
from loom_cli.line.stops import handling
from loom_cli.line.terminal import terminal_size
from loom_cli.output import STDERR, STDIN, write_err
from loom_cli.render.paint import Line, paint
from loom_cli.render.progress import Progress
from loom_cli.render.stream import write_live
from loom_core.agent import Agent
from loom_core.messages import JSON
from loom_core.runtime.approvals import Approval, Approver
from loom_core.runtime.run import Run, RunContext, RunResult
from loom_core.runtime.session import Session
from loom_core.safety.text import safe_text


class PlainChat:
    """One chat. Hand `approver` to the agent, then `run` it; `stopped_by` says which signal ended it, if one did.

    With `terminal` a person is there: approvals are asked and `/` commands obeyed. In a pipe every line is a prompt.
    """

    agent: Agent
    session: Session
    status: Status

    def __init__(self, invocation: Invocation, *, terminal: bool) -> None:
        self.stopped_by: int | None = None
        self._quiet = invocation.quiet
        self._terminal = terminal
        self._lines = InputLines(STDIN)
        self._run: Run | None = None
        self._leaving = False

    @property
    def approver(self) -> Approver | None:
        """Asks at the terminal; None where there is nobody."""
        return self._ask if self._terminal else None

    async def run(
        self,
        agent: Agent,
        session: Session,
        first_prompt: str | None = None,
        *,
        inputs: Mapping[str, JSON] | None = None,
    ) -> None:
        """Answer `first_prompt` and then every line, until there are no more or a signal comes.

        A prompt that cannot be answered is told on stderr and the next one taken. Raises `ReaderGone`, `StorageError`.
        """
        self.agent, self.session = agent, session
        self._task = asyncio.current_task()
        events = session.events()
        self.status = Status.of(session.model, events, time.monotonic)
        if self._terminal:
            self.tell(recap(events, terminal_size(STDERR)[0]))
        context, prompt = RunContext(inputs=dict(inputs or {})), first_prompt
        with handling((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), self._stop_by):
            try:
                while not self._leaving and (prompt is not None or (prompt := await self._next()) is not None):
                    if await self._deal_with(prompt, context):
                        context = RunContext()
                    prompt = None
            except asyncio.CancelledError:
                if self.stopped_by is None:
                    raise

    def tell(self, lines: list[Line]) -> None:
        """Print lines of the program's own."""
        write_err(paint(lines, color=False, columns=terminal_size(STDERR)[0]))

    def leave(self) -> None:
        """End the chat."""
        self._leaving = True

    async def _next(self) -> str | None:
        if self._terminal:
            write_err("> ")
        return await self._lines.next()

    async def _deal_with(self, text: str, context: RunContext) -> bool:
        """Carry out a command or answer a prompt; whether it was a prompt."""
        command = slash.parse(text) if self._terminal else None
        if command is not None:
            slash.obey(self, *command)
        elif text.strip():
            await self._answer(slash.literal(text) if self._terminal else text, context)
            return True
        return False

    async def _answer(self, prompt: str, context: RunContext) -> None:
        run = self._run = self.session.start(prompt, context)
        progress = Progress(terminal=False, quiet=self._quiet)
        try:
            async for event in run.events():
                self.status.apply(event)
                progress.apply(event)
            await self._show(await run.wait())
        finally:
            run.cancel()
            await run.wait()
            self._run = None

    async def _show(self, result: RunResult) -> None:
        if result.ok and result.output is not None:
            await write_live(safe_text(result.output.rstrip("\n")) + "\n")
        elif result.error is not None:
            write_err(describe(str(result.error), result.error.hint))
        else:
            write_err(describe(f"no answer: {result.stop_reason.replace('_', ' ')}", None))

    async def _ask(self, approval: Approval) -> None:
        await ask_in_lines(approval, self._lines, directory=str(self.agent.describe()["workspace"]))

    def _stop_by(self, number: int) -> None:
        """End the chat, after what runs was cancelled; Ctrl-C on a terminal only cancels what runs."""
        if number == signal.SIGINT and self._terminal and self._run is not None:
            self._run.cancel()
            return
        self.stopped_by = number
        if self._task is not None:
            self._task.cancel()
