"""The one layer of retries, and the breaker that stops asking a service that is down."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from msgspec import Struct

from loom_core.errors import ProviderError, ProviderUnavailable
from loom_core.providers.base import Delta, Reply, Restarted, StreamItem

RETRYABLE = frozenset({"rate_limit", "overloaded", "server", "timeout", "connection"})
"""Kinds of failure that another try may not have. All others fail again."""


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """How often and how long. Times in seconds."""

    tries: int = 3
    """In all, the first included."""
    first_delay: float = 0.5
    """Doubled for each further try, then scattered by half so that many clients do not come back at once."""
    longest_delay: float = 8.0
    longest_wait: float = 60.0
    """A service that asks for more patience than this (a spent daily quota: 68940 s seen) gets none."""

    def delay(self, failed: int, error: ProviderError) -> float | None:
        """Seconds to wait after try number `failed`, or `None` when there is to be no other."""
        if failed >= self.tries or error.kind not in RETRYABLE:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest_wait else None
        import random  # drags in hashlib: 4 ms that a session without failures need not pay

        full = min(self.longest_delay, self.first_delay * 2.0 ** (failed - 1))
        return full * random.uniform(0.5, 1.0)  # noqa: S311  # scatters clients, hides nothing


class Breaker:
    """Counts failed calls in a row; enough of them and the service is left alone for a while."""

    def __init__(self, *, limit: int = 5, pause: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    def check(self) -> None:
        """`ProviderUnavailable` while it is open. After the pause one call is let through to try the service."""
        left = self._open_until - self._clock()
        if left > 0:
            raise ProviderUnavailable(
                f"the service failed {self._failures} times in a row; it is not asked for another {left:.0f} s",
                kind="server",
                hint="Wait, or choose another model.",
            )

    def succeeded(self) -> None:
        """A call came to its end: the count starts anew."""
        self._failures = 0

    def failed(self, error: ProviderError) -> None:
        """A call failed with `error`. What a sound service refuses (a wrong key, a bad request) does not count."""
        if error.kind not in RETRYABLE:
            return
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = self._clock() + self._pause


async def with_retries(
    attempt: Callable[[], AsyncGenerator[Delta | Reply, None]],
    policy: RetryPolicy,
    breaker: Breaker,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[StreamItem, None]:
    """The items of the first attempt that ends well; `Restarted` comes before each further one, and before its wait."""
    breaker.check()
    tried = 0
    while True:
        tried += 1
        shown = False
        try:
            async with aclosing(attempt()) as items:
                async for item in items:
                    if isinstance(item, Reply):
                        breaker.succeeded()
                    shown = True
                    yield item
            return
        except ProviderError as error:
            delay = policy.delay(tried, error)
            if delay is None:
                breaker.failed(error)
                raise
            restarted = Restarted(attempt=tried + 1, reason=str(error), delay_s=delay, shown=shown)
        yield restarted
        await sleep(delay)
