"""What a tool is handed, without a session: a workspace in a temporary directory and a real memory of files."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom_core.errors import ToolError
from loom_core.tools.execution import run_tool
from loom_core.tools.spec import Tool, ToolOutput


@dataclass(frozen=True, kw_only=True)
class DirectoryWorkspace:
    """Everything below `root`, except entries of the names in `secret`."""

    root: Path
    secret: frozenset[str] = frozenset({".env"})

    def resolve(self, path: str, *, write: bool = False) -> Path:
        resolved = Path(os.path.realpath(self.root / path))
        if not resolved.is_relative_to(self.root):
            raise ToolError(f"{path} is outside the workspace")
        if self.denied(resolved):
            raise ToolError(f"{path} is protected")
        return resolved

    def denied(self, path: Path) -> bool:
        return path.name in self.secret


@dataclass(frozen=True, kw_only=True)
class SeenContents:
    contents: dict[Path, bytes] = field(default_factory=dict)

    def seen(self, path: Path, content: bytes) -> None:
        self.contents[path] = content

    def check(self, path: Path, content: bytes) -> None:
        if self.contents.get(path) != content:
            raise ToolError(f"{path.name} is not as it was when it was last read")


@dataclass(frozen=True, kw_only=True)
class DirectoryContext:
    """A `ToolContext` over a directory."""

    workspace: DirectoryWorkspace
    scratch: Path
    files: SeenContents = field(default_factory=SeenContents)
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
    shown: list[str] = field(default_factory=list)

    def progress(self, text: str) -> None:
        self.shown.append(text)


def context_in(directory: Path) -> DirectoryContext:
    """A context with `directory`/work as its workspace and `directory`/scratch beside it."""
    root, scratch = Path(os.path.realpath(directory)) / "work", directory / "scratch"
    root.mkdir()
    scratch.mkdir(mode=0o700)
    return DirectoryContext(workspace=DirectoryWorkspace(root=root), scratch=scratch)


def call(tool: Tool, context: DirectoryContext, /, **arguments: Any) -> ToolOutput:
    """What a model gets when it calls `tool` so."""
    return asyncio.run(run_tool(tool, tool.convert(arguments), context))
