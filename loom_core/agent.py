"""Agent: the assembled thing. It opens sessions; they run."""

import asyncio
import dataclasses
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from loom_core.config import AgentConfig, Instructions, Memory, Model
from loom_core.context.rendering import render_system
from loom_core.events import Event
from loom_core.messages import JSON
from loom_core.providers.base import Generation, Provider
from loom_core.runtime.approvals import Approver
from loom_core.runtime.capability import Capability, Toolset
from loom_core.runtime.governance import GovernancePolicy
from loom_core.runtime.hooks import Handler, Hooks
from loom_core.runtime.profile import Runtime
from loom_core.runtime.run import RunContext, RunResult, RuntimeTask
from loom_core.runtime.session import Assembly, Session, SessionConfig
from loom_core.runtime.session_store import Log, SessionStore
from loom_core.safety.environment import child_environment
from loom_core.safety.paths import WorkspacePaths
from loom_core.tools.registry import ToolRegistry
from loom_core.tools.spec import Tool


class Agent:
    """A model with instructions, tools and policies.

    Either `config=AgentConfig(...)` alone, or the keywords of `AgentConfig`. Raises `TypeError` for a value of a
    wrong type, `ValueError` for a wrong one (a model without `provider:`, two tools of one name).
    """

    def __init__(
        self,
        *,
        model: Model | str | Provider | None = None,
        instructions: str | Instructions = "",
        tools: Iterable[Tool] = (),
        capabilities: Iterable[Capability] = (),
        generation: Generation | None = None,
        runtime: Runtime | None = None,
        memory: Memory | None = None,
        governance: GovernancePolicy | None = None,
        session_store: SessionStore | None = None,
        workspace: Path | str | WorkspacePaths | None = None,
        environment: Mapping[str, str] | None = None,
        inherit: Iterable[str] = (),
        key: Callable[[str], str | None] | None = None,
        approver: Approver | None = None,
        config: AgentConfig | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "model": model,
            "instructions": instructions or None,
            "tools": _sequence("tools", tools) or None,
            "capabilities": _sequence("capabilities", capabilities) or None,
            "generation": generation,
            "runtime": runtime,
            "memory": memory,
            "governance": governance,
            "session_store": session_store,
            "workspace": Path(workspace) if isinstance(workspace, str) else workspace,
            "environment": environment,
            "inherit": _sequence("inherit", inherit) or None,
            "key": key,
            "approver": approver,
        }
        given = {name: value for name, value in given.items() if value is not None}
        if config is None:
            if model is None:
                raise TypeError("model: needed, a Model or 'provider:name'")
            config = AgentConfig(**given)
        elif given:
            raise TypeError(f"config= excludes {', '.join(given)}: say it in the AgentConfig")
        self.config = config
        self._hooks = Hooks()
        self._store = config.session_store or _memory()
        self._assembly = _assemble(config, self._hooks)
        self._sessions: dict[str, Session] = {}

    def __repr__(self) -> str:
        return f"<Agent {self._assembly.model} tools={list(self._assembly.tools.names)}>"

    @property
    def system(self) -> str:
        """The system prompt of every request."""
        return self._assembly.system

    def session(self, config: SessionConfig | str | None = None) -> Session:
        """A session: a new one, or by id the one in use, or its log opened again.

        The same id gives the same object until it is closed or unused for the runtime's `session_ttl_s`.
        Raises `SessionLocked` where another process has it.
        """
        if isinstance(config, str):
            config = SessionConfig(id=config)
        config = config or SessionConfig()
        known = self._sessions.get(config.id) if config.id else None
        inherited: tuple[Provider, ...] = ()
        if known is not None and not known.closed:
            if known.busy or time.monotonic() - known.last_used < self.config.runtime.session_ttl_s:
                known.metadata.update(config.metadata)
                known.last_used = time.monotonic()
                return known
            inherited = known.release()
        resumed = config.id is not None and self._store.exists(config.id)
        log = self._store.open(config.id) if config.id and resumed else self._new_log(config)
        try:
            session = Session(self._assembly, log, metadata=config.metadata, inherited=inherited, resumed=resumed)
        except BaseException:
            log.close()
            raise
        self._sessions = {each.id: each for each in (*self._sessions.values(), session) if not each.closed}
        return session

    async def run(self, task: RuntimeTask | str, context: RunContext | None = None) -> RunResult:
        """One goal in a session of its own, to its end."""
        async with self.session() as session:
            result = await session.run(task, context)
        self._forget(session)
        return result

    def run_sync(self, task: RuntimeTask | str, context: RunContext | None = None) -> RunResult:
        """`run` for programs without an event loop."""
        return asyncio.run(self.run(task, context))

    async def stream(self, task: RuntimeTask | str, context: RunContext | None = None) -> AsyncIterator[Event]:
        """One goal in a session of its own, event by event; leaving the loop early cancels the run."""
        async with self.session() as session:
            async for event in session.stream(task, context):
                yield event
        self._forget(session)

    def on(self, hook: str, handler: Handler) -> None:
        """Call `handler` at before_run, before_llm, before_tool, after_tool or after_run, in every session."""
        self._hooks.on(hook, handler)

    def off(self, hook: str, handler: Handler) -> None:
        """Undo `on`."""
        self._hooks.off(hook, handler)

    def connection(self, model: str) -> Callable[[], Provider]:
        """How to reach another model with this agent's keys, for `Session.use_model`.

        One of the same provider is reached as the agent's own is: at its address, with its time-outs.
        """
        wanted, own = Model.parse(model), self.config.model
        if isinstance(own, Model) and own.provider == wanted.provider:
            wanted = dataclasses.replace(own, name=wanted.name)
        return _connection(wanted, self.config)

    def describe(self) -> dict[str, JSON]:
        """What was assembled, as plain data."""
        assembly, runtime = self._assembly, self.config.runtime
        return {
            "model": assembly.model,
            "tools": list(assembly.tools.names),
            "turns": assembly.limits.max_turns,
            "mode": assembly.governance.mode,
            "on_denied": assembly.governance.on_denied,
            "approval_timeout_s": runtime.approval_timeout_s,
            "session_ttl_s": runtime.session_ttl_s,
            "workspace": str(assembly.workspace.root),
        }

    def _forget(self, session: Session) -> None:
        """Without a store nobody can come back to the session, so nothing of it is kept."""
        if self.config.session_store is None:
            self._store.delete(session.id)

    def _new_log(self, config: SessionConfig) -> Log:
        return self._store.create(
            cwd=str(self._assembly.workspace.root),
            title=config.title,
            session_id=config.id,
            metadata=dict(config.metadata),
        )


def create_agent(config: AgentConfig) -> Agent:
    """An agent from a config: the same as `Agent(config=config)`."""
    return Agent(config=config)


def _memory() -> SessionStore:
    from loom_core.runtime.memory_store import MemorySessionStore

    return MemorySessionStore()


def _sequence(name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise TypeError(f"{name}: a list, not {type(values).__name__}")
    return tuple(values)


def _assemble(config: AgentConfig, hooks: Hooks) -> Assembly:
    capabilities = (*config.capabilities, *((Toolset("tools", *config.tools),) if config.tools else ()))
    tools = ToolRegistry()
    for capability in capabilities:
        for tool in capability.tools():
            tools.add(replace(tool, capability=capability.name))
    workspace = config.workspace
    if not isinstance(workspace, WorkspacePaths):
        workspace = WorkspacePaths(workspace or Path.cwd())
    instructions = config.instructions if isinstance(config.instructions, str) else config.instructions.render()
    facts = (f"Working directory: {workspace.root}",) if tools.names else ()
    environment = os.environ if config.environment is None else config.environment
    return Assembly(
        model=config.model.identifier if isinstance(config.model, Model) else f"{_provider(config.model).name}:model",
        connect=_connection(config.model, config),
        system=render_system(instructions, config.memory.blocks, facts),
        generation=config.generation,
        tools=tools,
        governance=config.governance or config.runtime.governance,
        limits=config.runtime.limits,
        workspace=workspace,
        environment=child_environment(environment, config.inherit),
        hooks=hooks,
        approver=config.approver,
        approval_timeout_s=config.runtime.approval_timeout_s,
    )


def _provider(model: object) -> Provider:
    assert hasattr(model, "stream")  # noqa: S101 - AgentConfig checked it
    return model  # type: ignore[return-value]


def _connection(model: object, config: AgentConfig) -> Callable[[], Provider]:
    if not isinstance(model, Model):
        return lambda: _provider(model)
    environment = os.environ if config.environment is None else config.environment

    def connect() -> Provider:
        from loom_core.providers.registry import connect as connect_model

        key = config.key(model.provider) if config.key is not None else None
        return connect_model(model, environment, key)

    return connect
