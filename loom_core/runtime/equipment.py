"""What a session's loop works with, in one value."""

from collections.abc import Callable

from msgspec import Struct

from loom_core.context.transcript import Transcript
from loom_core.providers.base import Generation, Provider
from loom_core.runtime.approvals import Approver
from loom_core.runtime.governance import Gate
from loom_core.runtime.hooks import Hooks
from loom_core.runtime.loop import Limits
from loom_core.runtime.session_store import Log
from loom_core.runtime.workbench import Workbench
from loom_core.tools.registry import ToolRegistry


class Equipment(Struct, frozen=True, kw_only=True):
    """What a session's engine works with."""

    provider: Callable[[], Provider]
    """The session's connection, made at the first call; it may raise for want of a key."""
    model: str
    """`"provider:name"`."""
    system: str
    generation: Generation
    tools: ToolRegistry
    gate: Gate
    limits: Limits
    log: Log
    transcript: Transcript
    bench: Workbench
    hooks: Hooks
    approver: Approver | None
    """Shows an approval to a person; None where there is nobody to ask."""
    approval_timeout_s: float | None
    stop_when_unapproved: bool
    """Whether a missing approval ends the run; otherwise the model is told and goes on."""
