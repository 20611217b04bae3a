"""Approvals: a person's yes or no to one tool call, as an object that is awaited.

pending -> approved | rejected | expired | cancelled. The first answer counts; later ones are refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias, get_args

from msgspec import Struct, field

from loom_core.events import Approval as AnswerStatus
from loom_core.events import Scope
from loom_core.messages import ToolCall

Status: TypeAlias = Literal["pending"] | AnswerStatus


class Approval(Struct, kw_only=True, eq=False):
    """One question to a person. Mutable: it is answered."""

    id: str
    call: ToolCall
    summary: str
    """The exact call as text; control characters are visible."""
    reason: str
    """Why it is asked: the rule or mode that said so."""
    rule: str
    """The exact rule that an answer with scope `session` adds."""
    status: Status = "pending"
    scope: Scope = "once"
    by: str = ""
    note: str = ""
    """The answering person's words to the model."""
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def approve(self, *, scope: Scope = "once", by: str = "user", note: str = "") -> bool:
        """Say yes. False where the question was answered already."""
        return self._answer("approved", scope, by, note)

    def reject(self, note: str = "", *, by: str = "user") -> bool:
        """Say no; `note` tells the model why. False where the question was answered already."""
        return self._answer("rejected", "once", by, note)

    def cancel(self) -> bool:
        """Withdraw the question: its run is over."""
        return self._answer("cancelled", "once", "loom", "")

    async def wait(self, timeout_s: float | None) -> None:
        """Until it is answered; after `timeout_s` seconds it is expired."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._answered.wait()
        except TimeoutError:
            self._answer("expired", "once", "loom", f"nobody answered within {timeout_s:g} s")

    def _answer(self, status: AnswerStatus, scope: Scope, by: str, note: str) -> bool:
        if scope not in get_args(Scope):
            raise ValueError(f"scope: one of {', '.join(get_args(Scope))}, not {scope!r}")
        if self.status != "pending":
            return False
        self.status, self.scope, self.by, self.note = status, scope, by, note
        self._answered.set()
        return True


Approver: TypeAlias = Callable[[Approval], Awaitable[None] | None]
"""Shows a question to whoever can answer it; answering, now or later, is calling `approve` or `reject` on it."""
