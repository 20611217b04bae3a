"""Admission: taking one tool call through the gate, and to a person where the gate says so.

Every decision and every answer is an event before anything rests on it.
"""

import asyncio
from collections.abc import Callable
from shlex import quote
from typing import Any

from msgspec import Struct

from loom_core.errors import ApprovalUnavailable, ToolError
from loom_core.events import Action, ApprovalAnswer, ApprovalRequest, Denial, Event, Outcome, ToolDecision
from loom_core.messages import ToolCall
from loom_core.runtime.approvals import Approval, Approver
from loom_core.runtime.equipment import Equipment
from loom_core.runtime.governance import GovernanceDecision, Judgement
from loom_core.tools.spec import Tool


class Admitted(Struct, frozen=True, kw_only=True):
    """The call may run."""

    call: ToolCall
    tool: Tool
    arguments: dict[str, Any]
    """Keyword arguments of the tool's function."""


class Refused(Struct, frozen=True, kw_only=True):
    """The call may not run; the model is told why."""

    outcome: Outcome
    reason: str
    blocked: ApprovalUnavailable | None = None
    """Set where the run shall end for want of somebody who could have approved."""


class Admission:
    """The way of a run's calls through its gate."""

    def __init__(self, equipment: Equipment, emit: Callable[[Event], Event]) -> None:
        self._with = equipment
        self._emit = emit
        self.denials: list[Denial] = []

    async def admit(self, call: ToolCall) -> Admitted | Refused:
        """Judge the call, ask where that is decided, and count the attempt."""
        try:
            tool = self._with.tools.get(call.name)
        except ToolError as error:
            return self._refuse(call, GovernanceDecision(reason=str(error), stage="validation", rule="tools"))
        judgement = self._with.gate.judge(tool, call)
        decision = judgement.decision
        if not decision.allowed and not decision.requires_approval:
            return self._refuse(call, decision)
        self._decided(call, decision)
        if decision.requires_approval and (refused := await self._without_approval(call, judgement)):
            return refused
        limited = self._with.gate.attempt(tool.name)
        if limited is not None:
            return self._refuse(call, limited)
        return Admitted(call=call, tool=tool, arguments=judgement.arguments)

    def _refuse(self, call: ToolCall, decision: GovernanceDecision) -> Refused:
        self._decided(call, decision)
        return self._denied(call, decision, decision.reason)

    def _decided(self, call: ToolCall, decision: GovernanceDecision) -> None:
        action: Action = "ask" if decision.requires_approval else "allow" if decision.allowed else "deny"
        self._emit(
            ToolDecision(
                call=call.id,
                tool=call.name,
                action=action,
                stage=decision.stage,
                rule=decision.rule,
                reason=decision.reason,
            )
        )

    def _denied(self, call: ToolCall, decision: GovernanceDecision, reason: str) -> Refused:
        self.denials.append(Denial(tool=call.name, stage=decision.stage, rule=decision.rule, reason=reason))
        return Refused(outcome="invalid" if decision.stage == "validation" else "denied", reason=reason)

    async def _without_approval(self, call: ToolCall, judgement: Judgement) -> Refused | None:
        """Ask a person; None where the answer is yes."""
        decision = judgement.decision
        if self._with.approver is None:
            return self._unasked(call, judgement)
        approval = await self._ask(self._with.approver, call, judgement)
        if approval.status == "approved":
            if approval.scope == "session":
                self._with.gate.grant(approval.rule)
            return None
        reason = f"{approval.status} by {approval.by}" + (f": {approval.note}" if approval.note else "")
        return self._denied(call, decision, reason)

    def _unasked(self, call: ToolCall, judgement: Judgement) -> Refused:
        reason = f"{call.name} needs an approval and nobody is here to give it ({judgement.decision.reason})"
        refused = self._denied(call, judgement.decision, reason)
        if not self._with.stop_when_unapproved:
            return refused
        hint = f"to allow exactly this call: --allow {quote(judgement.rule)}"
        blocked = ApprovalUnavailable(f"{reason}: {judgement.summary}", hint=hint)
        return Refused(outcome="denied", reason=reason, blocked=blocked)

    async def _ask(self, approver: Approver, call: ToolCall, judgement: Judgement) -> Approval:
        approval = Approval(
            id=f"apr_{call.id}",
            call=call,
            summary=judgement.summary,
            reason=judgement.decision.reason,
            rule=judgement.rule,
        )
        self._emit(
            ApprovalRequest(
                approval=approval.id, call=call.id, tool=call.name, summary=approval.summary, reason=approval.reason
            )
        )
        await self._with.log.sync()
        try:
            async with asyncio.TaskGroup() as group:
                showing = group.create_task(_show(approver, approval))
                await approval.wait(self._with.approval_timeout_s)
                showing.cancel()
        finally:
            approval.cancel()  # nothing when it was answered; otherwise the run ended and the question with it
            self._emit(
                ApprovalAnswer(
                    approval=approval.id,
                    call=call.id,
                    status=approval.status,  # type: ignore[arg-type]  # never pending after cancel()
                    scope=approval.scope,
                    by=approval.by,
                    reason=approval.note,
                    rule=approval.rule if approval.scope == "session" else "",
                )
            )
        return approval


async def _show(approver: Approver, approval: Approval) -> None:
    """Let the approver show it; where it cannot, nobody has said yes."""
    try:
        shown = approver(approval)
        if shown is not None:
            await shown
    except Exception as error:  # noqa: BLE001 - foreign code; its fault denies this call and no other
        approval.reject(f"the question could not be shown ({type(error).__name__}: {error})", by="loom")
