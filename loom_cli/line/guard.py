"""The guard between a person's typing and an approval: keys meant for something else never answer one."""

from collections.abc import Callable

PAUSE_S = 1.0
"""Without a key for this long, the person is not typing."""
SETTLE_S = 0.5
"""For this long after a question appeared no key answers it: nobody reads faster."""


class TypingGuard:
    """Knows when a question may appear and from when on a key may answer it. Times are in seconds of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_key = float("-inf")
        self._open_from = float("-inf")

    def typed(self) -> None:
        """A key was pressed that is no answer; one at a question closes it until there was a pause."""
        self._last_key = self._clock()
        self._open_from = max(self._open_from, self._last_key + PAUSE_S)

    def wait_s(self) -> float:
        """How long the person has still to pause before a question may appear; 0 when it may now."""
        return max(0.0, self._last_key + PAUSE_S - self._clock())

    def shown(self) -> None:
        """The question is on the screen from now on."""
        self._open_from = self._clock() + SETTLE_S

    def opens_in_s(self) -> float:
        """How long keys are still ignored; 0 when the next may answer."""
        return max(0.0, self._open_from - self._clock())

    def accepts(self) -> bool:
        """Whether a key pressed now answers the question. Where it does not, the person is typing."""
        if self.opens_in_s() == 0:
            return True
        self.typed()
        return False
