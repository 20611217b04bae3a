"""Runtime: the policies of an agent in one immutable value, and its presets."""

from msgspec import Struct, field

from loom_core.runtime.governance import GovernancePolicy
from loom_core.runtime.loop import Limits


class Runtime(Struct, frozen=True, kw_only=True):
    """How runs are bounded and governed."""

    limits: Limits = field(default_factory=Limits)
    governance: GovernancePolicy = field(default_factory=lambda: GovernancePolicy(mode="auto"))
    """The embedding program chose the tools, so by default they run unless a veto, a deny rule or their own
    `destructive` or `requires_approval` stands against it."""
    approval_timeout_s: float | None = 3600.0
    """After this many seconds without an answer an approval is expired."""
    session_ttl_s: float = 3600.0
    """A session object unused for this many seconds is replaced by a fresh one on the same log."""

    def __post_init__(self) -> None:
        if not isinstance(self.limits, Limits):
            raise TypeError(f"limits: a Limits, not {type(self.limits).__name__}")
        if not isinstance(self.governance, GovernancePolicy):
            raise TypeError(f"governance: a GovernancePolicy, not {type(self.governance).__name__}")

    @classmethod
    def sdk(cls) -> "Runtime":
        """For embedding: 32 turns, no delegation, no quality gate."""
        return cls()
