"""The engine: the one place where a model is asked and a tool is run.

It performs what `loop.decide` says and reports back what happened. Every step is an event, on disk before its effect
is relied on: the user's words before the request, a tool's start before the tool, its result before the next request.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing

from msgspec.structs import replace

from loom_core.context.transcript import check_pairs
from loom_core.errors import BadResponse, LoomError, StorageError
from loom_core.events import (
    BudgetWarn,
    Denial,
    Event,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    Notice,
    Outcome,
    StreamRestarted,
    ToolCalled,
    ToolOutput,
    ToolResulted,
    ToolStart,
    UserMessage,
)
from loom_core.messages import Part, Text, ToolCall, Usage
from loom_core.providers import base, catalog
from loom_core.runtime.admission import Admission, Admitted, Refused
from loom_core.runtime.equipment import Equipment
from loom_core.runtime.hooks import HookEvent, HookName
from loom_core.runtime.loop import (
    Acted,
    AskModel,
    Begun,
    Failed,
    LoopState,
    Observation,
    Replied,
    RunTools,
    Steered,
    Stop,
    TimeUp,
    decide,
)
from loom_core.tools.execution import run_tool


class Engine:
    """One run of the loop. `execute` once; after a cancel, `close_open` says what became of calls under way."""

    def __init__(
        self,
        equipment: Equipment,
        *,
        run_id: str,
        emit: Callable[[Event], Event],
        take_steering: Callable[[], tuple[str, ...]],
        stop_steering: Callable[[], bool],
    ) -> None:
        self._with = equipment
        self._run_id = run_id
        self._emit = emit
        self._take_steering = take_steering
        self._stop_steering = stop_steering
        self._open: dict[str, ToolCall] = {}
        self._started: set[str] = set()
        self.state = LoopState(limits=equipment.limits)
        self._admission = Admission(equipment, emit)

    @property
    def denials(self) -> tuple[Denial, ...]:
        """The calls that were not allowed."""
        return tuple(self._admission.denials)

    async def execute(self) -> Stop:
        """Reason and act until the loop says stop. Cancelling it is normal and loses nothing."""
        begun = time.monotonic()
        observed: Observation = Begun()
        deadline = asyncio.timeout(self._with.limits.max_seconds)
        try:
            async with deadline:
                while True:
                    self.state, decision = decide(self.state, observed, elapsed_s=time.monotonic() - begun)
                    match decision:
                        case AskModel():
                            observed = await self._reason(decision)
                        case RunTools():
                            observed = await self._act(decision)
                        case Stop(reason="completed") if not self._stop_steering():
                            observed = Steered()
                        case Stop():
                            break
        except TimeoutError:
            if not deadline.expired():  # a provider's or an approver's own
                raise
            self.state, decision = decide(self.state, TimeUp())
            assert isinstance(decision, Stop)  # noqa: S101 - nothing follows the end of time
        self.close_open(decision.unrun, outcome="cancelled")
        return decision

    def close_open(self, why: str, *, outcome: Outcome) -> None:
        """Give each call that has no result yet one that says why, so that every call stays paired."""
        for call in tuple(self._open.values()):
            if call.id in self._started:
                text = f"{outcome} while it was running; it may have taken effect. {why}".rstrip()
            else:
                text = f"not run: {why or outcome}"
            self._result(call, text, outcome)

    # Reason

    async def _reason(self, ask: AskModel) -> Observation:
        for warning in ask.warnings:
            self._emit(BudgetWarn(budget=warning.budget, used=warning.used, limit=warning.limit))
        for text in self._take_steering():
            self._emit(UserMessage(text=text, steer=True))
        await self._fire("before_llm", iteration=ask.turn)
        request = self._request()
        self._emit(ModelRequest(turn=ask.turn, model=self._with.model, messages=len(request.messages)))
        await self._with.log.sync()
        begun, shown = time.monotonic(), [""]
        try:
            reply = await self._listen(self._with.provider().stream(request), shown)
        except (Exception, asyncio.CancelledError) as error:
            if shown[0]:
                self.state = replace(self.state, answer=shown[0])
                self._responded(ask.turn, (Text(text=shown[0]),), Usage(), "cut off", begun, partial=True)
            if isinstance(error, LoomError):
                return Failed(error=error)
            raise
        parts = self._renamed(reply.parts)
        cost = self._responded(ask.turn, parts, reply.usage, reply.stop, begun)
        calls = tuple(part for part in parts if isinstance(part, ToolCall))
        self._open = {call.id: call for call in calls}
        return Replied(
            text="".join(part.text for part in parts if isinstance(part, Text)),
            calls=calls,
            changing=frozenset(call.id for call in calls if self._may_change(call)),
            stop=reply.stop,
            usage=reply.usage,
            cost_usd=cost,
            spent_usd=catalog.cost_at_most(self._with.model, reply.usage),
        )

    def _request(self) -> base.ModelRequest:
        messages = self._with.transcript.messages
        check_pairs(messages)
        return base.ModelRequest(
            model=self._with.model.partition(":")[2],
            system=self._with.system,
            messages=messages,
            tools=self._with.tools.definitions,
            generation=self._with.generation,
        )

    async def _listen(self, stream: AsyncIterator[base.StreamItem], shown: list[str]) -> base.Reply:
        """The reply at the stream's end; `shown[0]` always holds the text that was shown of it so far."""
        async with aclosing(stream) as items:  # type: ignore[type-var]  # every adapter is an async generator
            async for item in items:
                match item:
                    case base.Delta():
                        if item.kind == "text":
                            shown[0] += item.text
                        self._emit(ModelDelta(kind=item.kind, text=item.text))
                    case base.Restarted():
                        shown[0] = ""
                        self._emit(StreamRestarted(attempt=item.attempt, reason=item.reason, delay_s=item.delay_s))
                    case base.Reply():
                        return item
        raise BadResponse("the provider's stream ended without a reply or an error", kind="truncated_stream")

    def _responded(
        self, turn: int, parts: tuple[Part, ...], usage: Usage, stop: str, begun: float, *, partial: bool = False
    ) -> float | None:
        cost = None if partial else catalog.cost(self._with.model, usage)
        response = ModelResponse(
            turn=turn,
            model=self._with.model,
            parts=parts,
            usage=usage,
            stop=stop,
            duration_ms=_milliseconds_since(begun),
            cost_usd=cost,
            partial=partial,
        )
        self._emit(response)
        return cost

    def _renamed(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """The parts, the ids of calls made unique within the session and among themselves."""
        ids: set[str] = set()
        renamed: list[Part] = []
        for part in parts:
            if isinstance(part, ToolCall):
                part = replace(part, id=self._with.transcript.unique_id(part.id, ids))  # noqa: PLW2901
                ids.add(part.id)
            renamed.append(part)
        return tuple(renamed)

    def _may_change(self, call: ToolCall) -> bool:
        tool = self._with.tools.find(call.name)
        return tool is not None and not tool.read_only

    # Act

    async def _act(self, run: RunTools) -> Observation:
        for batch in self._batches(run.calls):
            admitted = []
            for call in batch:
                self._emit(ToolCalled(call=call.id, tool=call.name, arguments=call.arguments))
                match await self._admission.admit(call):
                    case Admitted() as ready:
                        admitted.append(ready)
                    case Refused() as refused:
                        self._result(call, f"{refused.outcome}: {refused.reason}", refused.outcome)
                        if refused.blocked is not None:
                            return Acted(blocked=refused.blocked)
            await self._run_batch(admitted, run.advice)
        return Acted()

    def _batches(self, calls: tuple[ToolCall, ...]) -> Iterator[list[ToolCall]]:
        """The calls in order; neighbours that are safe to run side by side stand in one batch."""
        batch: list[ToolCall] = []
        for call in calls:
            tool = self._with.tools.find(call.name)
            if tool is not None and tool.concurrency_safe:
                batch.append(call)
                continue
            if batch:
                yield batch
            yield [call]
            batch = []
        if batch:
            yield batch

    async def _run_batch(self, batch: list[Admitted], advice: Mapping[str, str]) -> None:
        if not batch:
            return
        for ready in batch:
            await self._fire("before_tool", iteration=self.state.turns, tool_name=ready.tool.name)
            self._started.add(ready.call.id)
            self._emit(ToolStart(call=ready.call.id, tool=ready.tool.name))
        await self._with.log.sync()
        if len(batch) == 1:
            await self._run(batch[0], advice)
            return
        try:
            async with asyncio.TaskGroup() as group:
                for ready in batch:
                    group.create_task(self._run(ready, advice))
        except ExceptionGroup as faults:  # a tool's fault is a result, so this is the log or a bug: one tells enough
            raise faults.exceptions[0] from None

    async def _run(self, ready: Admitted, advice: Mapping[str, str]) -> None:
        call, begun = ready.call, time.monotonic()
        context = self._with.bench.for_call(lambda text: self._show(call, text))
        output = await run_tool(ready.tool, ready.arguments, context)
        outcome: Outcome = "timeout" if output.timed_out else "error" if output.is_error else "ok"
        note = advice.get(call.id)
        content = f"{output.content}\n\n[loom: {note}]" if note else output.content
        blob, fault = "", None
        try:
            if output.full is not None:
                blob = await asyncio.to_thread(self._with.log.blob, output.full)
        except StorageError as error:  # that the tool ran and what came of it is known all the same
            fault = error
        self._result(
            call, content, outcome, begun=begun, size=output.size if blob else 0, blob=blob, display=output.display
        )
        if fault is not None:
            raise fault
        await self._fire(
            "after_tool", iteration=self.state.turns, tool_name=ready.tool.name, success=not output.is_error
        )

    def _show(self, call: ToolCall, text: str) -> None:
        self._emit(ToolOutput(call=call.id, text=text))

    def _result(
        self,
        call: ToolCall,
        content: str,
        outcome: Outcome,
        *,
        begun: float | None = None,
        size: int = 0,
        blob: str = "",
        display: str = "",
    ) -> None:
        self._open.pop(call.id, None)
        self._emit(
            ToolResulted(
                call=call.id,
                tool=call.name,
                content=content,
                is_error=outcome != "ok",
                outcome=outcome,
                duration_ms=0 if begun is None else _milliseconds_since(begun),
                bytes=size,
                blob=blob,
                display=display,
            )
        )

    async def _fire(
        self,
        hook: HookName,
        *,
        iteration: int | None = None,
        tool_name: str | None = None,
        success: bool | None = None,
    ) -> None:
        event = HookEvent(hook=hook, run_id=self._run_id, iteration=iteration, tool_name=tool_name, success=success)
        for fault in await self._with.hooks.fire(event):
            self._emit(Notice(text=fault))


def _milliseconds_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
