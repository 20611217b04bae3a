"""From settings, a task and flags to an agent: what holds, and the agent that it makes."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from loom_cli.fields import BUILT_IN, Budget, Capabilities, Fields, Files, Shell, Task, fields_of, over
from loom_cli.flags import Flags, long_name
from loom_cli.invocation import Invocation
from loom_cli.keys import find_key
from loom_cli.options import SessionFlags
from loom_cli.places import session_store
from loom_cli.prompt import INSTRUCTIONS
from loom_cli.resolution import Resolved, resolve
from loom_cli.setting_checks import rule_warnings
from loom_cli.settings import Settings
from loom_core.agent import Agent
from loom_core.config import Generation, Limits, Memory, Model, Runtime
from loom_core.errors import SessionNotFound, UsageError
from loom_core.providers.registry import discover, locate
from loom_core.runtime import capability
from loom_core.runtime.approvals import Approver
from loom_core.runtime.governance import GovernancePolicy
from loom_core.runtime.session_store import SessionStore
from loom_core.safety.paths import WorkspacePaths

CHAT = over(
    Fields(
        # With a person there every change is asked for, so all tools can be on offer and nothing needs an end.
        capabilities=Capabilities(files=Files(mode="write"), shell=Shell(enabled=True)),
        budget=Budget(max_turns=200, max_tool_calls=2000, timeout_s=24 * 3600),
    ),
    BUILT_IN,
)
"""What `chat` and an interactive resume start from."""


def said(*flags: Flags) -> dict[str, Any]:
    """The options of these classes by their long names."""
    return {long_name(field): getattr(one, field.name) for one in flags for field in fields_of(type(one))}


def chosen_session(flags: SessionFlags, fields: Fields) -> str | None:
    """The id of the session to go on with; None begins one. Raises `SessionNotFound`, `UsageError`."""
    if flags.resume_latest:
        return latest_session()
    if flags.session is not None:
        return session_store().find(flags.session)
    return fields.session.id


def latest_session() -> str:
    """The session of this directory that was written last. Raises `SessionNotFound`."""
    cwd = str(Path.cwd())
    for info in session_store().list():
        if info.cwd == cwd:
            return info.id
    raise SessionNotFound(f"no session was begun in {cwd}", hint="loom sessions list shows all; -s ID goes on with one")


def settle(settings: Settings, flags: Task, task: Task | None = None, *, base: Fields = BUILT_IN) -> Resolved:
    """What holds when `base` stands below the user's settings; see `resolve`."""
    fields = Fields()
    for layer in settings.layers:
        fields = over(fields, layer.fields)
    return resolve(replace(settings, fields=over(fields, base)), _implied(flags), task)


def _implied(flags: Task) -> Task:
    """With the tools switched on that an `--allow` names: who allows a call wants it to be possible."""
    tools = {rule.partition("(")[0] for rule in flags.governance.allow or ()}
    files, shell = flags.capabilities.files, flags.capabilities.shell
    if tools & {"Shell", "Bash"} and shell.enabled is None:
        shell = replace(shell, enabled=True)
    if tools & {"Write", "Edit"} and files.mode is None:
        files = replace(files, mode="write")
    return replace(flags, capabilities=Capabilities(files=files, shell=shell))


def choose_model(fields: Fields, environment: Mapping[str, str], key: Callable[[str], str | None]) -> Model:
    """The model that was said, or the one that is found. Raises `UsageError`, `NoModel`."""
    said = fields.model
    if said.name is None:
        found = asyncio.run(discover(environment, lambda provider: key(provider) is not None))
        return Model(
            found.provider,
            found.name,
            base_url=said.base_url or found.base_url,
            timeout=said.timeout_s or found.timeout,
            max_retries=said.retries or found.max_retries,
        )
    return named_model(said.name, fields)


def named_model(name: str, fields: Fields) -> Model:
    """The model of this name, reached as the settings say. Raises `UsageError`."""
    said = fields.model
    try:
        return Model.parse(name, base_url=said.base_url, timeout=said.timeout_s or 120.0, max_retries=said.retries or 3)
    except ValueError as error:
        raise UsageError(str(error), hint="loom models list shows which there are") from None


def build_agent(
    fields: Fields, invocation: Invocation, *, approver: Approver | None = None, store: SessionStore | None = None
) -> Agent:
    """The agent for these settings in the current directory. Raises `UsageError`, `NoModel`."""
    if store is None:
        from loom_core.runtime.memory_store import MemorySessionStore

        store = session_store() if fields.session.save is not False else MemorySessionStore()
    key = find_key(fields, invocation)
    model = choose_model(fields, invocation.environment, key)
    locate(model, invocation.environment, key(model.provider))  # what cannot be reached is said before anything is made
    memory = Memory.instruction_files(Path.cwd())
    for warning in (*memory.warnings, *rule_warnings(fields.governance)):
        invocation.notice(warning)
    return Agent(
        model=model,
        instructions=fields.instructions if isinstance(fields.instructions, str) else INSTRUCTIONS,
        capabilities=_capabilities(fields.capabilities),
        generation=_generation(fields),
        runtime=Runtime(limits=_limits(fields.budget), governance=_governance(fields)),
        memory=memory,
        session_store=store,
        workspace=WorkspacePaths(Path.cwd(), deny=fields.capabilities.files.deny or ()),
        environment=invocation.environment,
        inherit=fields.capabilities.shell.env or (),
        key=key,
        approver=approver,
    )


def _capabilities(said: Capabilities) -> tuple[capability.Capability, ...]:
    granted: list[capability.Capability] = []
    if said.files.mode != "off":
        granted.append(capability.Files(read_only=said.files.mode != "write"))
    if said.shell.enabled:
        granted.append(capability.Shell(require_approval=False, timeout_s=said.shell.timeout_s or 60.0))
    return tuple(granted)


def _generation(fields: Fields) -> Generation:
    said = fields.model
    return Generation(
        temperature=said.temperature,
        top_p=said.top_p,
        max_output_tokens=said.max_output_tokens,
        reasoning=said.reasoning,
        seed=said.seed,
        extensions=said.extensions or {},
    )


def _limits(said: Budget) -> Limits:
    return Limits(
        max_turns=said.max_turns,
        max_tool_calls=said.max_tool_calls,
        max_tokens=said.max_tokens,
        max_cost_usd=said.max_cost_usd,
        max_seconds=said.timeout_s,
    )


def _governance(fields: Fields) -> GovernancePolicy:
    said = fields.governance
    try:
        return GovernancePolicy(
            mode=said.mode or "default",
            allow=said.allow or (),
            ask=said.ask or (),
            deny=said.deny or (),
            # Whoever grants a tool that destroys still has the mode between it and the files.
            destructive=True,
            on_denied=said.on_denied or "stop",
            max_calls=said.max_calls or {},
        )
    except ValueError as error:
        raise UsageError(str(error), hint="loom help rules explains how rules are written") from None
