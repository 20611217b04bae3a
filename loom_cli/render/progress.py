"""Progress of a run on standard error: one live line on a terminal, at most a line a second elsewhere."""

import time
from collections.abc import Callable

from loom_cli.output import write_err
from loom_cli.render.numbers import compact, dollars
from loom_core.events import (
    ApprovalRequest,
    Event,
    ModelRequest,
    ModelResponse,
    Notice,
    RunStart,
    SessionRecovered,
    StreamRestarted,
    ToolCalled,
    ToolDecision,
    ToolResulted,
)
from loom_core.messages import Usage
from loom_core.safety.text import safe_text

INTERVAL_S = 1.0
"""Between two lines where standard error is no terminal."""
_SUBJECTS = ("command", "path", "pattern")


class ProgressState:
    """What the line says: a fold over the run's events."""

    def __init__(self) -> None:
        self.turn = 0
        self.max_turns: int | None = None
        self.doing = "starting"
        self.usage = Usage()
        self.cost_usd: float | None = None

    def apply(self, event: Event) -> bool:
        """Take in an event; whether the line changed."""
        match event:
            case RunStart():
                limit = event.limits.get("max_turns")
                self.max_turns = limit if isinstance(limit, int) else None
            case ModelRequest():
                self.turn, self.doing = event.turn, "thinking"
            case ModelResponse():
                self.usage = self.usage + event.usage
                if event.cost_usd is not None:
                    self.cost_usd = (self.cost_usd or 0.0) + event.cost_usd
                self.doing = "answered"
            case ToolCalled():
                self.doing = f"{event.tool} {_subject(event)}".rstrip()
            case ToolResulted():
                self.doing = f"{event.tool}: {event.outcome}" if event.is_error else "thinking"
            case ApprovalRequest():
                self.doing = f"waiting for approval of {event.tool}"
            case StreamRestarted():
                self.doing = f"asking again ({event.reason})"
            case _:
                return False
        return True

    def line(self, elapsed_s: float) -> str:
        """`turn 3/40 · Shell git log · 1.2k tok · $0.0041 · 6 s`."""
        turn = f"turn {self.turn}" + (f"/{self.max_turns}" if self.max_turns else "")
        parts = [turn, self.doing]
        if self.usage.total_tokens:
            parts.append(f"{compact(self.usage.total_tokens)} tok")
        if self.cost_usd:
            parts.append(dollars(self.cost_usd))
        parts.append(f"{elapsed_s:.0f} s")
        return " · ".join(parts)


class Progress:
    """Writes the line; `apply` each event, then `clear` before anything else is written."""

    def __init__(
        self,
        *,
        terminal: bool,
        quiet: bool = False,
        verbose: bool = False,
        columns: int = 80,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`verbose` adds a line for each decision of the gate. `columns` is the terminal's width."""
        self._terminal, self._quiet, self._verbose = terminal, quiet, verbose
        self._columns, self._clock = columns, clock
        self._begun = clock()
        self._last = self._begun  # where lines stay, a run of less than a second needs none
        self._state = ProgressState()
        self._shown = 0  # length of the live line that stands on the terminal

    def apply(self, event: Event) -> None:
        """Take in an event and show where the run is."""
        match event:
            case Notice(text=text):
                self.say(text)
            case SessionRecovered(torn_bytes=torn, saved_as=saved) if torn:
                self.say(f"the session's log ended in the middle of a line; {torn} bytes were put aside in {saved}")
            case ToolDecision() if self._verbose:
                self.say(f"{event.tool}: {event.action}, {event.stage} {event.rule}: {event.reason}")
            case _:
                pass
        if not self._state.apply(event) or self._quiet:
            return
        now = self._clock()
        if not self._terminal and now - self._last < INTERVAL_S:
            return
        self._last = now
        line = safe_text(self._state.line(now - self._begun)).replace("\n", " ")
        if self._terminal:
            # Cut so that it never wraps, and padded over the old one: that needs no escape sequence in any mode.
            line = line[: self._columns - 1]
            write_err(f"\r{line:<{self._shown}}")
            self._shown = len(line)
        else:
            write_err(f"{line}\n")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        if not self._quiet:
            write_err(f"loom: {safe_text(text)}\n")

    def clear(self) -> None:
        """Take the live line off the terminal."""
        if self._shown:
            write_err(f"\r{'':<{self._shown}}\r")
            self._shown = 0


def _subject(event: ToolCalled) -> str:
    return next((str(event.arguments[name]) for name in _SUBJECTS if name in event.arguments), "").split("\n")[0][:60]
