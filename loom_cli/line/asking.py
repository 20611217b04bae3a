"""Approvals asked on the screen: shown when the person pauses, answered by a key that was meant for them."""

import asyncio
from collections.abc import Callable

from loom_cli.line.questions import CHOICES, Questions, question
from loom_cli.line.screen import Screen
from loom_cli.render.paint import Line
from loom_core.runtime.approvals import Approval


class Asking:
    """Carries approvals to the screen and the answers back."""

    def __init__(
        self, screen: Screen, show: Callable[[list[Line]], None], *, directory: str, clock: Callable[[], float]
    ) -> None:
        self._screen = screen
        self._show = show
        self._directory = directory
        self._questions = Questions(clock)

    @property
    def held_back(self) -> bool:
        """Whether a question waits for the person to pause typing."""
        return self._questions.current is not None and not self._questions.shown

    @property
    def shown(self) -> bool:
        """Whether a question is on the screen."""
        return self._questions.shown

    def ask(self, approval: Approval) -> None:
        """Show the question, when the person pauses and those before it are answered."""
        if approval.status == "pending":
            self._questions.add(approval)
            self._offer()

    def typed(self) -> None:
        """A key was pressed that answers nothing."""
        self._questions.guard.typed()
        if self._questions.shown:
            self._open()

    def press(self, key: str) -> None:
        """A key was pressed at the question. Esc, Enter and all others answer nothing."""
        approval = self._questions.current
        if approval is None or not self._questions.guard.accepts():
            return
        match key.lower():
            case "y":
                approval.approve()
            case "s":
                approval.approve(scope="session")
            case "n":
                self._screen.ask_reason()
        self.settle()

    def refuse(self, reason: str | None) -> None:
        """Say no for this reason; None leaves the question as it was."""
        approval = self._questions.current
        if approval is None:
            return
        if reason is None:
            self._screen.ask()
            self._open()
            return
        approval.reject(reason.strip())
        self.settle()

    def settle(self) -> None:
        """Take what has been answered, here or elsewhere, off the screen, and show the next."""
        if self._questions.settle():
            self._screen.end_question()
        self._offer()

    def _offer(self) -> None:
        approval = self._questions.current
        if approval is None or self._questions.shown:
            return
        wait = self._questions.guard.wait_s()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._offer)
            return
        position, columns = self._questions.position, self._screen.columns
        self._questions.show()
        self._show(question(approval, directory=self._directory, position=position, columns=columns))
        self._screen.ask()
        self._open()

    def _open(self) -> None:
        """Show the keys that answer, as soon as they do."""
        if not self._questions.shown:
            return
        wait = self._questions.guard.opens_in_s()
        self._screen.offer("" if wait > 0 else CHOICES)
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._open)
