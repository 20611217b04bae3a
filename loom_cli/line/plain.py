"""A chat without cursor movements: one prompt a line of input, one answer on standard output; the rest is on stderr.

For pipes, where nobody can be asked, and for terminals that are no more than a typewriter (TERM=dumb).
"""

import asyncio
import signal
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from loom_cli.failure import describe
from loom_cli.invocation import Invocation
from loom_cli.line.guard import SETTLE_S
from loom_cli.line.input_lines import InputLines
from loom_cli.line.paint import paint
from loom_cli.line.questions import CHOICES, question
from loom_cli.output import STDIN, write_err
from loom_cli.render.progress import Progress
from loom_cli.render.stream import write_live
from loom_core.agent import Agent
from loom_core.messages import JSON
from loom_core.runtime.approvals import Approval, Approver
from loom_core.runtime.run import Run, RunContext, RunResult
from loom_core.runtime.session import Session
from loom_core.safety.text import safe_text

_COLUMNS = 80


class PlainChat:
    """One chat. Hand `approver` to the agent, then `run` it; `stopped_by` says which signal ended it, if one did."""

    def __init__(self, invocation: Invocation, *, terminal: bool) -> None:
        self.stopped_by: int | None = None
        self._quiet = invocation.quiet
        self._terminal = terminal
        self._lines = InputLines(STDIN)
        self._run: Run | None = None

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
        self._directory = str(agent.describe()["workspace"])
        context = RunContext(inputs=dict(inputs or {}))
        prompt = first_prompt
        with self._signals():
            try:
                while prompt is not None or (prompt := await self._next()) is not None:
                    if prompt.strip():
                        await self._answer(session, prompt, context)
                        context = RunContext()
                    prompt = None
            except asyncio.CancelledError:
                if self.stopped_by is None:
                    raise

    async def _next(self) -> str | None:
        if self._terminal:
            write_err("> ")
        return await self._lines.next()

    async def _answer(self, session: Session, prompt: str, context: RunContext) -> None:
        run = self._run = session.start(prompt, context)
        progress = Progress(terminal=False, quiet=self._quiet)
        try:
            async for event in run.events():
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
        """Ask, and take the next line that is typed after the question as the answer; only y and s say yes."""
        lines = question(approval, directory=self._directory, position="", columns=_COLUMNS)
        write_err(paint(lines, color=False, exact=True))
        await asyncio.sleep(SETTLE_S)
        with suppress(termios.error):
            termios.tcflush(STDIN, termios.TCIFLUSH)
        write_err(f"{CHOICES} > ")
        line = await self._lines.next()
        answer, _, reason = (line or "n").strip().partition(" ")
        match answer.lower():
            case "y" | "yes":
                approval.approve()
            case "s":
                approval.approve(scope="session")
            case "n" | "no":
                approval.reject(reason.strip())
            case _:
                approval.reject("" if line is None else line.strip())

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Any of them ends the chat, after what runs was cancelled; Ctrl-C on a terminal only cancels what runs."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

        def stop(number: int) -> None:
            if number == signal.SIGINT and self._terminal and self._run is not None:
                self._run.cancel()
                return
            self.stopped_by = number
            if task is not None:
                task.cancel()

        for number in numbers:
            loop.add_signal_handler(number, stop, number)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)
