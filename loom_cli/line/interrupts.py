"""What Ctrl-C means, which depends on what is going on."""

from collections.abc import Callable
from typing import Literal, TypeAlias

AGAIN_S = 2.0
"""Two presses within this time leave."""

Meaning: TypeAlias = Literal["cancel", "clear", "warn", "leave"]


class Interrupts:
    """Turns presses of Ctrl-C into meanings. Times are in seconds of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = float("-inf")

    def forget(self) -> None:
        """Something else was done since: the next press is a first one again."""
        self._last = float("-inf")

    def press(self, *, running: bool, draft: bool) -> Meaning:
        """Cancel what runs, or clear what is typed; a second press in time after a cancel or a warning leaves."""
        now = self._clock()
        if not running and draft:
            return "clear"
        if now - self._last <= AGAIN_S:
            return "leave"
        self._last = now
        return "cancel" if running else "warn"
