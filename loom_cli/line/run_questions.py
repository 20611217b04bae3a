"""Approvals of a one-shot run whose user sits at the terminal."""

import asyncio
from collections import defaultdict
from pathlib import Path

from loom_cli.line.input_lines import InputLines
from loom_cli.line.line_question import ask_in_lines
from loom_cli.output import STDIN
from loom_cli.render.progress import Progress
from loom_core.events import ApprovalRequest, Event
from loom_core.runtime.approvals import Approval


class RunQuestions:
    """Hand `ask` to the agent, and tell each event that was shown: a question stands below what led to it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lines = InputLines(STDIN)
        self._shown: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def shown(self, event: Event) -> None:
        """What happened up to this event is on the terminal."""
        if isinstance(event, ApprovalRequest):
            self._shown[event.approval].set()

    async def ask(self, approval: Approval) -> None:
        """Ask the user."""
        await self._shown[approval.id].wait()
        self._progress.clear()
        await ask_in_lines(approval, self._lines, directory=str(Path.cwd()))
