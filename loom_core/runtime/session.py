"""A session: one conversation, one log, one run at a time. What is started while a run goes on waits its turn."""

import asyncio
import hashlib
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Self, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from loom_core._version import __version__
from loom_core.context.rendering import input_data
from loom_core.context.transcript import Transcript
from loom_core.errors import LoomError, SessionClosed, StorageError
from loom_core.events import (
    SCHEMA_VERSION,
    ErrorRaised,
    Event,
    Notice,
    RunEnd,
    RunStart,
    RunState,
    SessionClear,
    SessionResume,
    SessionStart,
    ToolCalled,
    ToolResulted,
    UserMessage,
)
from loom_core.messages import JSON, Message
from loom_core.providers.base import Generation, Provider
from loom_core.runtime.approvals import Approver
from loom_core.runtime.engine import Engine
from loom_core.runtime.equipment import Equipment
from loom_core.runtime.governance import GovernancePolicy
from loom_core.runtime.hooks import HookEvent, HookName, Hooks
from loom_core.runtime.loop import Limits, Stop
from loom_core.runtime.run import Run, RunContext, RunResult, RuntimeTask, error_data
from loom_core.runtime.session_store import Log
from loom_core.runtime.workbench import SeenFiles, Workbench
from loom_core.tools.registry import ToolRegistry
from loom_core.tools.spec import Workspace

T = TypeVar("T")


class SessionConfig(Struct, frozen=True, kw_only=True):
    """Which session, and what to note about it. Without an id a new one is made."""

    id: str | None = None
    title: str = ""
    """Of a session that is made; without one it is known by its first message."""
    metadata: Mapping[str, JSON] = {}
    extensions: Mapping[str, JSON] = {}


class Assembly(Struct, frozen=True, kw_only=True):
    """All that an agent decided and its sessions share; immutable."""

    model: str
    """`"provider:name"`."""
    connect: Callable[[], Provider]
    """A connection to the model, one a session."""
    system: str
    generation: Generation
    tools: ToolRegistry
    governance: GovernancePolicy
    limits: Limits
    workspace: Workspace
    environment: Mapping[str, str]
    hooks: Hooks
    approver: Approver | None
    approval_timeout_s: float | None


class Session:
    """One conversation over one log. Made by `Agent.session`; `close` it, or use it as an async context manager."""

    def __init__(
        self,
        assembly: Assembly,
        log: Log,
        *,
        metadata: Mapping[str, JSON] | None = None,
        inherited: Iterable[Provider] = (),
        resumed: bool = False,
    ) -> None:
        """`resumed`: the log has a past, which becomes the conversation."""
        self._assembly = assembly
        self._log = log
        self.id = log.session_id
        self.metadata: dict[str, JSON] = {}
        self.gate = assembly.governance.gate(assembly.workspace)
        self._provider: Provider | None = None
        self._transcript = Transcript(self._past()) if resumed else Transcript()
        self.metadata.update(metadata or {})
        self._bench = self._new_bench()
        self._runs: list[Run] = []
        self._waiting: deque[Run] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False
        self._closing: asyncio.Task[None] | None = None
        self._replaced = list(inherited)
        """Connections no longer used, closed with the session."""
        self._storage_failed = False
        """Whether the last run ended because the log cannot be written."""
        self.last_used = time.monotonic()
        if resumed:
            self._record(SessionResume(cwd=str(assembly.workspace.root), loom=__version__))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def busy(self) -> bool:
        """Whether a run is going or waiting."""
        return any(not run.ended for run in self._runs[-1:]) or bool(self._waiting)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs this object started, oldest first."""
        return tuple(self._runs)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation as the next request would carry it."""
        return self._transcript.messages

    @property
    def model(self) -> str:
        """`"provider:name"` of the model that answers."""
        return self._assembly.model

    def events(self) -> tuple[Event, ...]:
        """Everything in the session's log."""
        return tuple(self._log.events())

    def start(self, task: RuntimeTask | str, context: RunContext | None = None) -> Run:
        """Begin a run, or queue it behind the one that is going. Raises `SessionClosed`."""
        if self._closed:
            raise SessionClosed(f"session {self.id} is closed", hint="agent.session(id) gives a fresh one on its log")
        run = Run(
            f"run_{secrets.token_hex(6)}",
            RuntimeTask(goal=task) if isinstance(task, str) else task,
            context or RunContext(),
        )
        self.last_used = time.monotonic()
        self._runs.append(run)
        self._waiting.append(run)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work(), name=f"session {self.id}")
        return run

    async def run(self, task: RuntimeTask | str, context: RunContext | None = None) -> RunResult:
        """`start` and wait for the result; cancelling the waiting cancels the run."""
        run = self.start(task, context)
        try:
            return await run.wait()
        except asyncio.CancelledError:
            run.cancel()
            await run.wait()
            raise

    async def stream(self, task: RuntimeTask | str, context: RunContext | None = None) -> AsyncIterator[Event]:
        """`start` and yield the run's events; leaving the loop early does not stop the run, `close` does."""
        async for event in self.start(task, context).events():
            yield event

    def use_model(self, model: str, connect: Callable[[], Provider]) -> None:
        """Let another model answer from the next run on. Raises `ValueError` while a run is going."""
        if self.busy:
            raise ValueError("a run is going; change the model when it has ended")
        self._assembly = replace(self._assembly, model=model, connect=connect)
        if self._provider is not None:
            self._replaced.append(self._provider)
            self._provider = None

    def clear(self) -> None:
        """Start the conversation afresh; what was said stays in the log. Raises `ValueError` while a run is going."""
        if self.busy:
            raise ValueError("a run is going; clear when it has ended")
        self._record(SessionClear())
        self._bench = self._new_bench()  # what was read is out of the model's sight

    async def close(self) -> None:
        """Cancel what is going on, and give back the log and the connection. Closing twice is harmless."""
        if self._closing is None and not self._closed:
            self._closed = True
            self._closing = asyncio.get_running_loop().create_task(self._close(), name=f"closing {self.id}")
        if self._closing is not None and not self._closing.done():
            await asyncio.shield(self._closing)

    async def _close(self) -> None:
        for run in self._runs:
            run.cancel()
        try:
            if self._worker is not None:
                await self._worker
            for provider in (*self._replaced, self._provider):
                if provider is not None:
                    await provider.aclose()
            await self._log.sync()
        except StorageError:
            if not self._storage_failed:  # else the run that met it has said so
                raise
        finally:
            self._log.close()

    def release(self) -> tuple[Provider, ...]:
        """Close an idle session without waiting for anything; its connections are the caller's to close."""
        self._closed = True
        self._log.close()
        return (*self._replaced, *((self._provider,) if self._provider is not None else ()))

    async def _work(self) -> None:
        """Carry out what waits, one run after the other."""
        while self._waiting:
            run = self._waiting.popleft()
            if not run.ended:
                await self._carry_out(run)

    async def _carry_out(self, run: Run) -> None:
        begun = time.monotonic()
        engine = Engine(
            self._equipment(),
            run_id=run.id,
            emit=lambda event: self._record(event, run),
            take_steering=run.take_steering,
            stop_steering=run.stop_steering,
        )
        task = await self._cancellable(run, self._execute(run, engine))
        if task.cancelled() and run.state == "queued":
            run.abandon()
        else:
            await self._end(run, engine, _stop(task, run), begun)

    async def _cancellable(self, run: Run, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """The task of this work when it is done; `run.cancel` ends it and nothing else, so its end is always told."""
        task = asyncio.get_running_loop().create_task(work, name=run.id)
        run.bind(task.cancel)
        await asyncio.wait({task})
        return task

    async def _execute(self, run: Run, engine: Engine) -> Stop:
        assembly = self._assembly
        start = RunStart(
            model=assembly.model,
            mode=self.gate.mode,
            cwd=str(assembly.workspace.root),
            tools=assembly.tools.names,
            limits={name: value for name, value in asdict(assembly.limits).items() if value is not None},
            instructions=hashlib.sha256(assembly.system.encode()).hexdigest(),
            task=str(run.task.metadata.get("name", "")),
        )
        self._record(start, run)
        await self._fire("before_run", run)
        inputs = {**run.task.input, **run.context.inputs}
        message = UserMessage(
            text=run.task.goal,
            criteria=tuple(run.task.criteria),
            inputs=tuple(input_data(name, value) for name, value in inputs.items()),
        )
        self._record(message, run)
        return await engine.execute()

    async def _end(self, run: Run, engine: Engine, stop: Stop, begun: float) -> None:
        """Say how the run ended, to the log and to everybody who waits; this always comes through."""
        state: RunState = "completed" if stop.reason == "completed" else "failed"
        if stop.reason in ("cancelled", "interrupted"):
            state = "cancelled"
        loop, error = engine.state, stop.error
        end = RunEnd(
            run=run.id,
            state=state,
            stop_reason=stop.reason,
            answer=loop.answer,
            usage=loop.usage,
            turns=loop.turns,
            duration_ms=round((time.monotonic() - begun) * 1000),
            cost_usd=loop.cost_usd,
            error=None if error is None else error_data(error),
            denials=engine.denials,
        )
        try:
            engine.close_open(f"the run was {stop.reason}", outcome="cancelled")
            if error is not None:
                self._record(ErrorRaised(error=error_data(error)), run)
            hooks = await self._cancellable(run, self._fire("after_run", run, success=state == "completed"))
            if not hooks.cancelled():
                hooks.result()
            end = self._log.append(end)
            await self._log.sync()
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever waits for the run must hear of its end
            error = _known(fault)
            data = error_data(error)
            end = replace(end, v=SCHEMA_VERSION, state="failed", stop_reason="internal_error", error=data)
            with suppress(LoomError):  # the log's last word on this run, as soon as it can be written
                end = self._log.append(end)
            run.publish(ErrorRaised(v=SCHEMA_VERSION, run=run.id, error=data))
        self._show(end, run)
        self._storage_failed = isinstance(error, StorageError)
        self.last_used = time.monotonic()
        run.finish(
            RunResult(
                run_id=run.id,
                state=end.state,
                stop_reason=end.stop_reason,
                output=end.answer,
                artifacts=self._artifacts(run),
                usage=end.usage,
                cost_usd=end.cost_usd,
                turns=end.turns,
                duration_ms=end.duration_ms,
                error=error,
                denials=end.denials,
            )
        )

    def _equipment(self) -> Equipment:
        assembly = self._assembly
        return Equipment(
            provider=self._connected,
            model=assembly.model,
            system=assembly.system,
            generation=assembly.generation,
            tools=assembly.tools,
            gate=self.gate,
            limits=assembly.limits,
            log=self._log,
            transcript=self._transcript,
            bench=self._bench,
            hooks=assembly.hooks,
            approver=assembly.approver,
            approval_timeout_s=assembly.approval_timeout_s,
            stop_when_unapproved=assembly.governance.on_denied == "stop",
        )

    def _past(self) -> Iterator[Event]:
        """The events of the log, what they say of the session itself taken in on the way."""
        for event in self._log.events():
            if isinstance(event, SessionStart):
                self.metadata.update(event.metadata)
            yield event

    def _new_bench(self) -> Workbench:
        return Workbench(
            workspace=self._assembly.workspace,
            files=SeenFiles(),
            environment=self._assembly.environment,
            scratch_directory=lambda: self._log.scratch,
        )

    def _connected(self) -> Provider:
        if self._provider is None:
            self._provider = self._assembly.connect()
        return self._provider

    def _record(self, event: Event, run: Run | None = None) -> Event:
        """The one way an event comes to be: into the log, then into the context, then to whoever listens."""
        if run is not None:
            event = replace(event, run=run.id)
        try:
            event = self._log.append(event)
        except StorageError:
            self._transcript.apply(event)  # it has its place in the log and is written with what comes next
            raise
        self._transcript.apply(event)
        if run is not None:
            self._show(event, run)
        return event

    def _show(self, event: Event, run: Run) -> None:
        """Publish the event and what the log had to say of itself: between the run's first event and its last."""
        own = [each for each in self._log.drain() if not isinstance(each, SessionStart)]
        for each in (event, *own) if isinstance(event, RunStart) else (*own, event):
            run.publish(each)

    async def _fire(self, hook: HookName, run: Run, *, success: bool | None = None) -> None:
        for fault in await self._assembly.hooks.fire(HookEvent(hook=hook, run_id=run.id, success=success)):
            self._record(Notice(text=fault), run)

    def _artifacts(self, run: Run) -> tuple[str, ...]:
        paths: dict[str, None] = {}
        calls: dict[str, ToolCalled] = {}
        for event in run.transcript():
            if isinstance(event, ToolCalled):
                calls[event.call] = event
            elif isinstance(event, ToolResulted) and event.outcome == "ok":
                tool = self._assembly.tools.find(event.tool)
                if tool is not None and tool.subject_kind == "path" and not tool.read_only:
                    paths[str(calls[event.call].arguments.get(tool.subject, ""))] = None
        return tuple(paths)


def _stop(task: asyncio.Task[Stop], run: Run) -> Stop:
    """What a run's task came to. A bug ends its run, said as such; the session goes on."""
    if task.cancelled():
        return Stop(reason=run.cancelled_as)
    error = task.exception()
    if error is None:
        return task.result()
    return Stop(reason="internal_error", error=_known(error))


def _known(error: BaseException) -> LoomError:
    """The error as one of ours."""
    if isinstance(error, LoomError):
        return error
    known = LoomError(f"internal error: {type(error).__name__}: {error}")
    known.__cause__ = error
    return known
