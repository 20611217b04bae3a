"""How often a tool may be called."""

import time
from collections import deque
from collections.abc import Callable, Mapping

WINDOW_S = 60.0


class RateLimit:
    """Calls per tool within a sliding window of 60 seconds.

    What counts is the attempt, whether or not the call then succeeds. A refused attempt does not count: a model that
    keeps asking would otherwise never be let in again.
    """

    def __init__(self, default: int, limits: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._default = default
        self._limits = limits
        self._clock = clock
        self._attempts: dict[str, deque[float]] = {}

    def limit(self, name: str) -> int:
        """Calls of this tool that the window holds."""
        return self._limits.get(name, self._default)

    def attempt(self, name: str) -> float:
        """Count an attempt and return 0, or, where the window is full, return the seconds until it is not."""
        now = self._clock()
        attempts = self._attempts.get(name)
        if attempts is None:
            attempts = self._attempts[name] = deque(maxlen=self.limit(name))
        if len(attempts) == attempts.maxlen and now - attempts[0] < WINDOW_S:
            return WINDOW_S - (now - attempts[0])
        attempts.append(now)  # a full deque drops its oldest, which has left the window
        return 0.0
