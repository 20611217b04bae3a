"""loom: an agent runtime. Public names are imported when they are first used, so `import loom_core` costs nothing."""

import importlib
from typing import Any

from loom_core._version import __version__

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


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
