"""A chat on a terminal: prompts in, runs out, and a person who can speak, answer and stop at any moment."""

import asyncio
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from loom_cli.line import slash
from loom_cli.line.answer import AnswerStream
from loom_cli.line.asking import Asking
from loom_cli.line.completion import make_completer
from loom_cli.line.files import FileNames
from loom_cli.line.history import append_history, load_history
from loom_cli.line.interrupts import Interrupts
from loom_cli.line.recap import recap
from loom_cli.line.screen import Screen
from loom_cli.line.status import Status
from loom_cli.line.stops import handling
from loom_cli.line.view import View
from loom_cli.render.narrator import PROMPT, Narrator
from loom_cli.render.paint import Line, Span, line
from loom_cli.render.scrollback import Scrollback
from loom_core import __version__
from loom_core.agent import Agent
from loom_core.events import ApprovalAnswer, ApprovalRequest, Event, RunEnd, UserMessage
from loom_core.messages import JSON
from loom_core.runtime.approvals import Approval, Approver
from loom_core.runtime.run import Run, RunContext, RunResult
from loom_core.runtime.session import Session

_TICK_S = 1.0
"""While a run goes on, the seconds it took are shown. An idle chat has no timer."""
_IDLE = "ask for something, / for commands, @ for files"
_BUSY = "add something; the model is told at its next turn"


class LineChat:
    """One chat. Hand `approver` to the agent, then `run` it; `stopped_by` says how it was left."""

    agent: Agent
    session: Session
    status: Status

    def __init__(self, *, history: Path | None, color: bool, label: str = "") -> None:
        self.stopped_by: int | None = None
        """The signal the process is to end by, or None."""
        self._history = history
        self._color = color
        self._label = label
        """Stands at the top, and in the status line all the time."""
        self._view = View(placeholder=_IDLE)
        self._interrupts = Interrupts(time.monotonic)
        self._approvals: dict[str, Approval] = {}
        """What the engine asks; it is shown when what happened before it is."""
        self._requested: set[str] = set()
        self._inputs: dict[str, JSON] = {}
        """Data for the next message."""
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._late: list[str] = []
        """Said when the run had just ended."""
        self._leaving = False

    @property
    def approver(self) -> Approver:
        """Asks the person at this terminal. Only while `run` goes on."""
        return self._approve

    async def run(
        self,
        agent: Agent,
        session: Session,
        first_prompt: str | None = None,
        *,
        inputs: Mapping[str, JSON] | None = None,
        stay: bool = True,
    ) -> None:
        """Chat until the person leaves; without `stay`, until the first prompt is dealt with.

        `inputs` go with the first message. What was going on is cancelled by then, the session is still open.
        """
        self.agent, self.session, self._stay = agent, session, stay
        self._inputs.update(inputs or {})
        self._prepare(str(agent.describe()["workspace"]))
        with handling((signal.SIGTERM, signal.SIGHUP), self._stop_by):
            try:
                if first_prompt:
                    self._begin(first_prompt)
                await self._screen.run()
            except EOFError:
                self.stopped_by = signal.SIGHUP
            finally:
                self._leaving = True
                await self._stop()

    def _prepare(self, directory: str) -> None:
        """Set up what stands between this session and the terminal, and say what it is and what came before."""
        self._screen = screen = Screen(
            self._view,
            self,
            completer=make_completer(FileNames(Path(directory))),
            color=self._color,
            history=[] if self._history is None else load_history(self._history),
        )
        self._scrollback = Scrollback(screen.print, color=self._color, columns=lambda: screen.columns)
        self._asking = Asking(screen, self._show_question, directory=directory, clock=time.monotonic)
        self._narrator = Narrator(lambda: screen.columns)
        self._answer = AnswerStream(self._show_answer, lambda: screen.columns, color=self._color)
        events = self.session.events()
        self.status = Status.of(self.session.model, events, time.monotonic)
        label = [line(Span(self._label, "ask"))] if self._label else []
        head = line(Span(f"loom {__version__}", "strong"), Span(f"  session {self.session.id} in {directory}", "dim"))
        self._scrollback.tell("opening", [*label, head, *recap(events, screen.columns)])
        self._refresh()

    # What slash commands use

    def tell(self, lines: list[Line]) -> None:
        """Print lines of the program's own."""
        self._scrollback.tell("told", lines)
        self._refresh()

    def leave(self) -> None:
        """End the chat."""
        self._leaving = True
        self._screen.leave()

    # What the person does

    def submitted(self, text: str) -> None:
        """Carry out a command, or say it to the model: now, or to the run that is going on."""
        if not text.strip():
            return
        self._interrupts.forget()
        if self._history is not None:
            append_history(self._history, text)
        command = slash.parse(text)
        if command is None:
            self._say(slash.literal(text))
            return
        self._scrollback.tell("you", [line(Span(PROMPT, "you"), text.strip())], apart=True)
        slash.obey(self, *command)

    def interrupted(self) -> None:
        """Ctrl-C: refuse what is asked, cancel what runs, clear what is typed; twice, leave."""
        draft = bool(self._screen.draft) and not self._asking.shown
        match self._interrupts.press(running=self._run is not None, draft=draft):
            case "clear":
                self._screen.draft = ""
            case "warn":
                self._screen.hint("press Ctrl-C again to leave")
            case "cancel":
                self._asking.refuse("the user cancelled the turn")
                self._cancel()
                self._screen.hint("cancelling; Ctrl-C again leaves")
            case "leave":
                self._stop_by(signal.SIGINT)

    def take_back(self) -> str | None:
        """The latest queued text, unless the model has seen it by now."""
        if self._late:
            text: str | None = self._late.pop()
        else:
            text = None if self._run is None else self._run.take_back()
        if text is not None:
            self._view.queued.remove(text)
            self._refresh()
        return text

    def typed(self) -> None:
        """A key was pressed that answers nothing."""
        self._view.hint = ""
        self._asking.typed()

    def answered(self, key: str) -> None:
        """A key was pressed at a question."""
        self._asking.press(key)

    def reasoned(self, reason: str | None) -> None:
        """The person said why not, or thought better of it."""
        self._asking.refuse(reason)

    # Runs

    def _say(self, text: str) -> None:
        if self._run is None:
            self._begin(text)
            return
        try:
            self._run.steer(text)
        except ValueError:  # it has just ended; `_next` takes it from there
            self._late.append(text)
        self._view.queued.append(text)
        self._refresh()

    def _begin(self, prompt: str) -> None:
        self._task = asyncio.get_running_loop().create_task(self._converse(prompt))
        self._task.add_done_callback(self._conversed)

    async def _converse(self, prompt: str) -> None:
        """Run after run, as long as something was said that no model has seen."""
        following = prompt
        while following and not self._leaving:
            run = self._run = self.session.start(following, RunContext(inputs=dict(self._inputs)))
            self._inputs.clear()
            self._tick()
            async for event in run.events():
                await self._take(event)
            result = await run.wait()
            self._run = None
            following = self._next(run, result)
        self._view.hint = ""
        self._refresh()
        self._screen.compact()
        if not self._stay:
            self.leave()

    def _next(self, run: Run, result: RunResult) -> str:
        """What was queued and came too late: the next prompt, or after a failure the person's to send again."""
        left = [*run.take_steering(), *self._late]
        self._late.clear()
        self._view.queued.clear()
        if result.ok:
            return "\n\n".join(left)
        if left:
            self._screen.draft = "\n\n".join([*left, self._screen.draft]).rstrip("\n")
        return ""

    def _conversed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._screen.fail(error)

    def _cancel(self) -> None:
        if self._run is not None:
            self._run.cancel()

    def _stop_by(self, number: int) -> None:
        self.stopped_by = number
        self.leave()

    async def _stop(self) -> None:
        self._cancel()
        if self._task is not None:
            await self._task

    # What happens in a run

    async def _take(self, event: Event) -> None:
        self.status.apply(event, self._narrator.describe)
        await self._answer.take(event)
        if isinstance(event, UserMessage) and event.steer and event.text in self._view.queued:
            self._view.queued.remove(event.text)
        if not (self._leaving and isinstance(event, RunEnd)):
            is_user = isinstance(event, UserMessage)
            self._scrollback.tell("you" if is_user else "work", self._narrator.tell(event), apart=is_user)
        if isinstance(event, ApprovalRequest):
            self._requested.add(event.approval)
            self._ask()
        elif isinstance(event, ApprovalAnswer):
            self._asking.settle()
        self._refresh()

    def _approve(self, approval: Approval) -> None:
        self._approvals[approval.id] = approval
        self._ask()

    def _ask(self) -> None:
        """Ask what was asked for and whose turn has come in the order of events."""
        for name in self._requested & self._approvals.keys():
            self._requested.remove(name)
            self._asking.ask(self._approvals.pop(name))
        self._refresh()

    # The screen

    def _show_answer(self, text: str) -> None:
        self._scrollback.put("answer", text, apart=True)

    def _show_question(self, lines: list[Line]) -> None:
        self._scrollback.tell("work", lines, apart=True, exact=True)
        self._refresh()

    def _refresh(self) -> None:
        view = self._view
        view.tail = self._answer.tail
        view.activity = self.status.activity()
        if self._asking.held_back:
            view.activity += " · pause typing to see the question"
        status = self.status.summary(self.session.gate.mode)
        view.status = f"{self._label} · {status}" if self._label else status
        view.placeholder = _IDLE if self._run is None else _BUSY
        self._screen.refresh()

    def _tick(self) -> None:
        if self._run is not None:
            self._refresh()
            asyncio.get_running_loop().call_later(_TICK_S, self._tick)
