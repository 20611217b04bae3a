"""What a tool is: a name, a schema, a function, and the facts the gate needs to judge a call of it."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from loom_core.messages import JSON, ToolDefinition

SubjectKind: TypeAlias = Literal["none", "path", "command"]


class Workspace(Protocol):
    """The directory tree a session may touch. The safety floor implements it."""

    @property
    def root(self) -> Path:
        """The tree's top, resolved; relative paths start here."""

    def resolve(self, path: str, *, write: bool = False) -> Path:
        """The real path meant, inside the tree. Raises `ToolError` where it leads outside or is protected."""

    def denied(self, path: Path) -> bool:
        """Whether listings leave this (resolved) path out: secrets and protected names."""


class FileStamps(Protocol):
    """Which state of each file the model has seen, so that no edit overwrites what it has not."""

    def seen(self, path: Path, content: bytes) -> None:
        """Note that the model now knows `path` with this content."""

    def check(self, path: Path, content: bytes) -> None:
        """Raise `ToolError` unless this is the content the model last saw of `path`."""


class ToolOutput(Struct, frozen=True, kw_only=True):
    """What a tool returns when a string is not enough."""

    content: str
    is_error: bool = False
    display: str = ""
    """For a person, where that differs from what the model reads: a unified diff."""
    full: bytes | Path | None = None
    """The whole output where `content` is cut: bytes, or a temporary file which the runtime moves into its blobs."""
    size: int = 0
    """Bytes of the whole output, which may exceed even what `full` holds."""
    timed_out: bool = False


class ToolContext(Protocol):
    """What the runtime hands to a tool that asks for it by annotating a parameter so."""

    @property
    def workspace(self) -> Workspace:
        """Where files may be touched."""

    @property
    def files(self) -> FileStamps:
        """Which file states the model has seen."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The whole environment of a child process: built from an allow list, no secrets in it."""

    @property
    def scratch(self) -> Path:
        """A private directory (0700) on the session's file system for output on its way into a blob."""

    def progress(self, text: str) -> None:
        """Show a piece of output while the tool runs."""


ToolFunction: TypeAlias = Callable[..., Awaitable[object] | object]


class Tool(Struct, frozen=True, kw_only=True):
    """A tool, ready to be offered to a model. Made by `@tool`, by a built-in module, or from an MCP server."""

    name: str
    description: str
    parameters: Mapping[str, JSON]
    """JSON Schema (an object) of the arguments."""
    function: ToolFunction
    convert: Callable[[Mapping[str, JSON]], dict[str, Any]]
    """Arguments as the model sent them -> keyword arguments. Raises `ValueError` saying what is wrong and where."""
    takes_context: str | None = None
    """Name of the parameter that receives the `ToolContext`."""
    read_only: bool = False
    destructive: bool = False
    concurrency_safe: bool = False
    requires_approval: bool | None = None
    """True: asked for in every mode. False: never asked for by mode. None: the mode decides."""
    timeout: float | None = None
    """Seconds; None leaves it to the runtime's limit."""
    subject_kind: SubjectKind = "none"
    subject: str = ""
    """The argument that rules match: the path of a file tool, the command of a shell."""
    capability: str = "tools"
    """Who provides it, for messages about duplicates."""

    def __repr__(self) -> str:
        return f"<Tool {self.name}>"

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told."""
        return ToolDefinition(name=self.name, description=self.description, parameters=self.parameters)


def is_async(function: ToolFunction) -> bool:
    """Whether calling it gives something to await."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
