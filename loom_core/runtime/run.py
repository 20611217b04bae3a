"""A run: one goal on its way to an answer, as an object to wait for, listen to, steer and cancel."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import force_setattr

from loom_core.errors import LoomError
from loom_core.events import (
    TRANSIENT,
    ApprovalAnswer,
    ApprovalRequest,
    Denial,
    ErrorData,
    Event,
    ModelResponse,
    RunEnd,
    RunStart,
    RunState,
    StopReason,
    StreamRestarted,
    ToolResulted,
)
from loom_core.messages import JSON, Usage


class RuntimeTask(Struct, frozen=True, kw_only=True):
    """What is to be done. `input` is data for it; `criteria` say when the result is good."""

    goal: str
    input: Mapping[str, JSON] = {}
    criteria: Sequence[str] = ()
    metadata: Mapping[str, JSON] = {}

    def __post_init__(self) -> None:
        if not isinstance(self.goal, str):
            raise TypeError(f"goal: a string, not {type(self.goal).__name__}")
        if not self.goal.strip():
            raise ValueError("goal: empty")
        for name in ("input", "metadata"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"{name}: a mapping, not {type(getattr(self, name)).__name__}")
        criteria: object = self.criteria
        if not isinstance(criteria, (tuple, list)) or not all(isinstance(line, str) for line in criteria):
            raise TypeError("criteria: a list of strings")
        force_setattr(self, "criteria", tuple(criteria))


class RunContext(Struct, frozen=True, kw_only=True):
    """What goes with one run and leaves with it. `inputs` reach the model as JSON, never as Python repr."""

    inputs: Mapping[str, JSON] = {}
    extensions: Mapping[str, JSON] = {}

    def __post_init__(self) -> None:
        for name in ("inputs", "extensions"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"{name}: a mapping, not {type(getattr(self, name)).__name__}")


class RunResult(Struct, frozen=True, kw_only=True):
    """How a run ended."""

    run_id: str
    state: RunState
    stop_reason: StopReason
    output: str | None
    """The answer, or as much of one as there was."""
    artifacts: tuple[str, ...]
    """Paths of the files the run wrote."""
    usage: Usage
    cost_usd: float | None
    turns: int
    duration_ms: int
    error: LoomError | None
    denials: tuple[Denial, ...]

    @property
    def ok(self) -> bool:
        """Whether the run did what it was for."""
        return self.state == "completed"


class Run:
    """One run of a session. Its events can be listened to at any time, from the start."""

    def __init__(self, run_id: str, task: RuntimeTask, context: RunContext) -> None:
        self.id = run_id
        self.task = task
        self.context = context
        self.state: RunState = "queued"
        self._created = time.monotonic()
        self._events: list[Event] = []
        self._live: list[Event] = []
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._steering: deque[str] = deque()
        self._deaf = False
        self._result: asyncio.Future[RunResult] = asyncio.get_running_loop().create_future()
        self._cancel: Callable[[], object] = self.abandon
        self._cancelled_as: StopReason = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether there is a result."""
        return self._result.done()

    async def wait(self) -> RunResult:
        """The result, when the run has ended. Cancelling the waiting does not cancel the run."""
        return await asyncio.shield(self._result)

    async def events(self) -> AsyncIterator[Event]:
        """Every event of the run from its first to `run.end`, live; also for those who come late.

        A late listener gets the pieces of the answer in progress, and of finished answers only the whole.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        for event in (*self._events, *self._live):
            queue.put_nowait(event)
        if self._result.done():
            queue.put_nowait(None)
        self._listeners.add(queue)
        try:
            while (next_event := await queue.get()) is not None:
                yield next_event
        finally:
            self._listeners.discard(queue)

    def transcript(self) -> tuple[Event, ...]:
        """The run's logged events so far."""
        return tuple(self._events)

    def steer(self, text: str) -> None:
        """Say something to the model at its next turn. `ValueError` where the run has ended."""
        if self._deaf or self._result.done():
            raise ValueError("the run has ended; start another")
        self._steering.append(text)

    def take_back(self) -> str | None:
        """Withdraw the latest steering text the model has not seen yet; None where there is none."""
        return self._steering.pop() if self._steering else None

    def take_steering(self) -> tuple[str, ...]:
        """Hand over what was said, in order; it cannot be taken back after that."""
        texts = tuple(self._steering)
        self._steering.clear()
        return texts

    def stop_steering(self) -> bool:
        """Refuse further steering, unless some waits that the model has not seen: then False."""
        self._deaf = not self._steering
        return self._deaf

    def cancel(self, *, reason: StopReason = "cancelled") -> None:
        """Stop the run: its model call is dropped, its tools' processes end. Nothing happens to one that ended."""
        if not self._result.done():
            self._cancelled_as = reason
            self._cancel()

    # For the session that carries the run out.

    @property
    def cancelled_as(self) -> StopReason:
        """The stop reason a cancel asked for."""
        return self._cancelled_as

    def bind(self, cancel: Callable[[], object]) -> None:
        """From here on `cancel()` means this."""
        self._cancel = cancel

    def publish(self, event: Event) -> None:
        """Show an event that is in the log (or is transient) to all listeners, now and later."""
        match event:
            case RunStart() | ApprovalAnswer():
                self.state = "running"
            case ApprovalRequest():
                self.state = "waiting_approval"
            case RunEnd():
                self.state = event.state
            case ModelResponse() | StreamRestarted():  # it holds the pieces, or makes them void
                self._live.clear()
            case ToolResulted():
                self._live = [each for each in self._live if getattr(each, "call", "") != event.call]
            case _:
                pass
        (self._live if isinstance(event, TRANSIENT) else self._events).append(event)
        for queue in self._listeners:
            queue.put_nowait(event)

    def finish(self, result: RunResult) -> None:
        """The run has ended: waiters get the result, listeners the end."""
        self.state = result.state
        if not self._result.done():
            self._result.set_result(result)
        for queue in self._listeners:
            queue.put_nowait(None)

    def abandon(self) -> None:
        """The run was cancelled before it began: it never becomes an event, since nothing happened."""
        if self._result.done():
            return
        self.finish(
            RunResult(
                run_id=self.id,
                state="cancelled",
                stop_reason=self._cancelled_as,
                output=None,
                artifacts=(),
                usage=Usage(),
                cost_usd=None,
                turns=0,
                duration_ms=round((time.monotonic() - self._created) * 1000),
                error=None,
                denials=(),
            )
        )


def error_data(error: LoomError) -> ErrorData:
    """The error as data for logs and JSON."""
    return ErrorData(code=error.code, message=str(error), hint=error.hint, retryable=error.retryable)
