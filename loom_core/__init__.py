"""loom: an agent runtime. Public names are imported when they are first used, so `import loom_core` costs nothing."""

from loom_core._version import __version__

TYPE_CHECKING = False  # as of typing, whose import costs 10 ms
if TYPE_CHECKING:
    from loom_core.agent import Agent, create_agent
    from loom_core.config import AgentConfig, Generation, Instructions, Limits, Memory, Model, Runtime
    from loom_core.errors import LoomError
    from loom_core.runtime.approvals import Approval
    from loom_core.runtime.capability import Capability, Files, Shell, Toolset
    from loom_core.runtime.governance import GovernanceDecision, GovernancePolicy
    from loom_core.runtime.memory_store import MemorySessionStore
    from loom_core.runtime.run import Run, RunContext, RunResult, RuntimeTask
    from loom_core.runtime.session import Session, SessionConfig
    from loom_core.runtime.session_store import FileSessionStore
    from loom_core.tools.decorate import tool
    from loom_core.tools.spec import Tool, ToolContext, ToolOutput

_HOMES = {
    "Agent": "agent",
    "AgentConfig": "config",
    "Approval": "runtime.approvals",
    "Capability": "runtime.capability",
    "FileSessionStore": "runtime.session_store",
    "Files": "runtime.capability",
    "Generation": "config",
    "GovernanceDecision": "runtime.governance",
    "GovernancePolicy": "runtime.governance",
    "Instructions": "config",
    "Limits": "config",
    "LoomError": "errors",
    "Memory": "config",
    "MemorySessionStore": "runtime.memory_store",
    "Model": "config",
    "Run": "runtime.run",
    "RunContext": "runtime.run",
    "RunResult": "runtime.run",
    "Runtime": "config",
    "RuntimeTask": "runtime.run",
    "Session": "runtime.session",
    "SessionConfig": "runtime.session",
    "Shell": "runtime.capability",
    "Tool": "tools.spec",
    "ToolContext": "tools.spec",
    "ToolOutput": "tools.spec",
    "Toolset": "runtime.capability",
    "create_agent": "agent",
    "tool": "tools.decorate",
}
"""Public name -> the module it lives in."""

# Written out, since checkers and editors read only a literal; a test holds it equal to the table.
__all__ = [
    "Agent",
    "AgentConfig",
    "Approval",
    "Capability",
    "FileSessionStore",
    "Files",
    "Generation",
    "GovernanceDecision",
    "GovernancePolicy",
    "Instructions",
    "Limits",
    "LoomError",
    "Memory",
    "MemorySessionStore",
    "Model",
    "Run",
    "RunContext",
    "RunResult",
    "Runtime",
    "RuntimeTask",
    "Session",
    "SessionConfig",
    "Shell",
    "Tool",
    "ToolContext",
    "ToolOutput",
    "Toolset",
    "__version__",
    "create_agent",
    "tool",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
