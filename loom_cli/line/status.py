"""What the status line says: a fold over the session's events."""

from collections.abc import Callable, Iterable

from loom_cli.render.numbers import compact, dollars
from loom_core.events import (
    ApprovalAnswer,
    ApprovalRequest,
    Event,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    RunEnd,
    RunStart,
    SessionClear,
    StreamRestarted,
    ToolResulted,
    ToolStart,
)
from loom_core.messages import Usage
from loom_core.providers.catalog import context_window

_DOING = {"text": "answering", "thinking": "thinking", "tool": "writing a tool call"}


class Status:
    """Where the session stands. `apply` its events in order; `doing` is empty while nothing is going on."""

    def __init__(self, model: str, clock: Callable[[], float]) -> None:
        self.model = model
        self.usage = Usage()
        """Of all requests of the session."""
        self.cost_usd: float | None = None
        self.last = Usage()
        """Of the latest request alone."""
        self.requests = 0
        self.doing = ""
        self._clock = clock
        self._begun = clock()
        self._running: dict[str, str] = {}
        self._turn = 0

    @classmethod
    def of(cls, model: str, events: Iterable[Event], clock: Callable[[], float]) -> "Status":
        """The status of a session with this past, in which nothing is going on."""
        status = cls(model, clock)
        for event in events:
            status.apply(event)
        status.model, status.doing = model, ""
        return status

    def apply(self, event: Event, describe: Callable[[str], str] = lambda _: "") -> None:
        """Take in an event; `describe` tells a tool call by its id."""
        match event:
            case RunStart():
                self.model, self._begun, self._turn = event.model, self._clock(), 0
                self._running.clear()
                self.doing = "starting"
            case ModelRequest():
                self._turn, self.doing = event.turn, f"waiting for {event.model}"
            case ModelDelta():
                self.doing = _DOING[event.kind]
            case StreamRestarted():
                self.doing = "asking again"
            case ModelResponse():
                self._count(event)
            case ToolStart():
                self._running[event.call] = describe(event.call) or event.tool
                self.doing = ", ".join(self._running.values())
            case ToolResulted():
                self._running.pop(event.call, None)
                self.doing = ", ".join(self._running.values()) or "next turn"
            case ApprovalRequest():
                self.doing = "waiting for your answer"
            case ApprovalAnswer():
                self.doing = "next turn"
            case SessionClear():
                self.last = Usage()
            case RunEnd():
                self.doing = ""
            case _:
                pass

    def _count(self, event: ModelResponse) -> None:
        self.requests += 1
        self.usage = self.usage + event.usage
        if not event.partial:
            self.last = event.usage
        if event.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + event.cost_usd
        self.doing = "next turn"

    def activity(self) -> str:
        """`turn 3 · Shell git log -5 · 6 s`, or nothing."""
        if not self.doing:
            return ""
        turn = f"turn {self._turn} · " if self._turn else ""
        seconds = int(self._clock() - self._begun)
        elapsed = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"
        return f"{turn}{self.doing} · {elapsed}"

    def summary(self, mode: str) -> str:
        """`anthropic:claude-sonnet-5 · mode default · 12k tokens · $0.0310 · context 9%`."""
        parts = [self.model, f"mode {mode}"]
        if self.usage.total_tokens:
            parts.append(f"{compact(self.usage.total_tokens)} tokens")
        if self.cost_usd:
            parts.append(dollars(self.cost_usd))
        used, window = self.last.total_tokens, context_window(self.model)
        if used and window:
            parts.append(f"context {used / window:.0%}")
        return " · ".join(parts)
