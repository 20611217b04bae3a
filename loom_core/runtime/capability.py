"""Capabilities: named sets of tools that are handed to an agent as one thing."""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from loom_core.tools.spec import Tool


@runtime_checkable
class Capability(Protocol):
    """A source of tools. `Files`, `Shell` and `Toolset` are the built-in ones; any object of this shape will do."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def tools(self) -> tuple[Tool, ...]:
        """The tools, made when the agent is assembled."""


class Files(Struct, frozen=True, kw_only=True):
    """Read, Glob and Grep; with `read_only=False` Write and Edit too. All stay inside the workspace."""

    read_only: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return "files"

    def tools(self) -> tuple[Tool, ...]:
        """The file tools."""
        from loom_core.tools import builtin

        return builtin.files(read_only=self.read_only)


class Shell(Struct, frozen=True, kw_only=True):
    """The Shell tool. With `require_approval` each command asks in every mode; without, the mode decides."""

    require_approval: bool = True
    timeout_s: float = 60.0

    @property
    def name(self) -> str:
        """What messages call it."""
        return "shell"

    def tools(self) -> tuple[Tool, ...]:
        """The Shell tool alone."""
        from loom_core.tools import builtin

        return builtin.shell(requires_approval=True if self.require_approval else None, timeout=self.timeout_s)


class Toolset:
    """Tools of your own under one name."""

    def __init__(self, name: str, *tools: Tool) -> None:
        for tool in tools:
            if not isinstance(tool, Tool):
                raise TypeError(f"{name}: a Tool (made by @tool), not {type(tool).__name__}")
        self._name = name
        self._tools = tools

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._name

    def tools(self) -> tuple[Tool, ...]:
        """The tools as given."""
        return self._tools
