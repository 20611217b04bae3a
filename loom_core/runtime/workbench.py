"""What a tool is handed while it runs: the workspace, the files the model has seen, and a child's environment."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from loom_core.errors import ToolError
from loom_core.tools.spec import FileStamps, Workspace


class SeenFiles:
    """Digest of each file as the model last saw it. Per session, and empty again after a resume."""

    def __init__(self) -> None:
        self._digests: dict[Path, bytes] = {}

    def seen(self, path: Path, content: bytes) -> None:
        """Note that the model knows `path` with this content."""
        self._digests[path] = hashlib.sha256(content).digest()

    def check(self, path: Path, content: bytes) -> None:
        """Raise `ToolError` unless the model last saw `path` with this content."""
        known = self._digests.get(path)
        if known is None:
            raise ToolError(f"{path.name} was not read yet: read it first, so that nothing unseen is overwritten")
        if known != hashlib.sha256(content).digest():
            raise ToolError(f"{path.name} changed since it was read: read it again before changing it")


class Workbench(Struct, frozen=True, kw_only=True):
    """The `ToolContext` of one session; `for_call` makes the one of a single call."""

    workspace: Workspace
    files: FileStamps
    environment: Mapping[str, str]
    scratch_directory: Callable[[], Path]
    report: Callable[[str], None] = lambda _: None

    @property
    def scratch(self) -> Path:
        """A private directory on the session's file system, made when it is first needed."""
        return self.scratch_directory()

    def progress(self, text: str) -> None:
        """Show a piece of output while the tool runs."""
        self.report(text)

    def for_call(self, report: Callable[[str], None]) -> "Workbench":
        """The same bench, its progress going to one call's events."""
        return replace(self, report=report)
