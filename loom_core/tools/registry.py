"""The tools on offer, by name and in order."""

from collections.abc import Iterable, Iterator

from loom_core.errors import ToolError
from loom_core.messages import ToolDefinition
from loom_core.tools.spec import Tool


class ToolRegistry:
    """An ordered set of tools with distinct names."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool) -> None:
        """Offer `tool` too. Raises `ValueError`, naming both owners, where the name is taken."""
        other = self._tools.get(tool.name)
        if other is not None:
            raise ValueError(f"the tool {tool.name} comes from both {other.capability!r} and {tool.capability!r}")
        self._tools[tool.name] = tool

    def find(self, name: str) -> Tool | None:
        """The tool of this name, if there is one."""
        return self._tools.get(name)

    def get(self, name: str) -> Tool:
        """The tool of this name. Raises `ToolError`, for the model to read, where there is none."""
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name!r}{self._near(name)}")
        return tool

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of offering."""
        return tuple(self._tools)

    @property
    def definitions(self) -> tuple[ToolDefinition, ...]:
        """What a model is told of them."""
        return tuple(tool.definition for tool in self)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def _near(self, name: str) -> str:
        import difflib

        if not self._tools:
            return ": none are available"
        by_folded = {known.casefold(): known for known in self._tools}
        near = difflib.get_close_matches(name.casefold(), by_folded, n=1)
        return f"; did you mean {by_folded[near[0]]}?" if near else f"; there are {', '.join(self._tools)}"
