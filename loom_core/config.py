"""The values an agent is made of."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import force_setattr

from loom_core.providers.base import Generation, Provider
from loom_core.providers.model import Model
from loom_core.runtime.approvals import Approver
from loom_core.runtime.capability import Capability
from loom_core.runtime.governance import GovernancePolicy
from loom_core.runtime.loop import Limits
from loom_core.runtime.profile import Runtime
from loom_core.runtime.session_store import SessionStore
from loom_core.safety.paths import WorkspacePaths
from loom_core.tools.spec import Tool

__all__ = ["AgentConfig", "Generation", "Instructions", "Limits", "Memory", "Model", "Runtime"]


class Instructions(Struct, frozen=True, kw_only=True):
    """Stable behaviour, in parts that are joined into the head of the system prompt."""

    role: str = ""
    style: str = ""
    constraints: tuple[str, ...] = ()
    content: str = ""

    def render(self) -> str:
        """The parts that are set, as one text."""
        constraints = "Constraints:\n" + "\n".join(f"- {line}" for line in self.constraints) if self.constraints else ""
        return "\n\n".join(text for text in (self.role, self.style, constraints, self.content) if text)


class Memory(Struct, frozen=True, kw_only=True):
    """What an agent is reminded of in every request, after its instructions."""

    blocks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What was found and could not be used as it is, in words for the user."""

    @classmethod
    def none(cls) -> "Memory":
        """Nothing."""
        return cls()

    @classmethod
    def instruction_files(cls, directory: Path) -> "Memory":
        """The AGENTS.md files from the repository's root down to `directory`, outermost first."""
        from loom_core.memory.instructions import load_instructions, render_instructions

        files = load_instructions(directory)
        text = render_instructions(files)
        return cls(blocks=(text,) if text else (), warnings=tuple(file.warning for file in files if file.warning))


class AgentConfig(Struct, frozen=True, kw_only=True):
    """Everything `Agent` takes, as one value."""

    model: Model | str | Provider
    """`Model`, `"provider:name"`, or an object with a provider's `name` and `stream` (a test double)."""
    instructions: str | Instructions = ""
    tools: tuple[Tool, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    generation: Generation = field(default_factory=Generation)
    runtime: Runtime = field(default_factory=Runtime.sdk)
    memory: Memory = field(default_factory=Memory.none)
    governance: GovernancePolicy | None = None
    """Overrides the runtime's."""
    session_store: SessionStore | None = None
    """Where sessions are kept; None keeps them in memory."""
    workspace: Path | WorkspacePaths | None = None
    """The tree file tools may touch and the shell starts in; None is the current directory."""
    environment: Mapping[str, str] | None = None
    """Where keys are looked up and what children inherit the harmless part of; None is this process's."""
    inherit: tuple[str, ...] = ()
    """Names of further variables that children inherit."""
    key: Callable[[str], str | None] | None = None
    """A provider's key where the environment has none."""
    approver: Approver | None = None
    """Shows approvals to a person; None where there is nobody to ask."""

    def __post_init__(self) -> None:
        if isinstance(self.model, str):
            force_setattr(self, "model", Model.parse(self.model))
        elif not isinstance(self.model, Model) and not hasattr(self.model, "stream"):
            raise TypeError(f"model: a Model or 'provider:name', not {type(self.model).__name__}")
        if not isinstance(self.instructions, (str, Instructions)):
            raise TypeError(f"instructions: a string or Instructions, not {type(self.instructions).__name__}")
        for tool in self.tools:
            _check("tools", tool, Tool, "; make one with @tool")
        for capability in self.capabilities:
            _check("capabilities", capability, Capability)
        force_setattr(self, "tools", tuple(self.tools))
        force_setattr(self, "capabilities", tuple(self.capabilities))
        _check("generation", self.generation, Generation)
        _check("runtime", self.runtime, Runtime)
        _check("memory", self.memory, Memory)
        if self.governance is not None:
            _check("governance", self.governance, GovernancePolicy)

    def __repr__(self) -> str:
        return f"<AgentConfig model={self.model!r} tools={[tool.name for tool in self.tools]}>"  # no environment: keys


def _check(name: str, value: object, kind: type, hint: str = "") -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name}: a {kind.__name__}, not {type(value).__name__}{hint}")
