import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from loom_core.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from loom_core.messages import Text, Usage
from loom_core.providers.base import Delta, Reply, Restarted, StreamItem
from loom_core.providers.retry import Breaker, RetryPolicy, with_retries

HELLO = Delta(kind="text", text="hello")
REPLY = Reply(parts=(Text(text="hello"),), usage=Usage(), stop="end")
DOWN = ProviderUnavailable("down", kind="server")


@dataclass
class Service:
    """Answers each attempt with the next of its scripts; an error in a script is raised."""

    scripts: list[list[Delta | Reply | ProviderError]]
    breaker: Breaker = field(default_factory=Breaker)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    waited: list[float] = field(default_factory=list)
    attempts: int = 0

    async def attempt(self) -> AsyncGenerator[Delta | Reply, None]:
        self.attempts += 1
        for item in self.scripts.pop(0):
            if isinstance(item, ProviderError):
                raise item
            yield item

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)

    def ask(self) -> list[StreamItem]:
        async def run() -> list[StreamItem]:
            return [item async for item in with_retries(self.attempt, self.policy, self.breaker, self.sleep)]

        return asyncio.run(run())


def test_a_good_answer_passes_through() -> None:
    service = Service([[HELLO, REPLY]])
    assert service.ask() == [HELLO, REPLY]
    assert (service.attempts, service.waited) == (1, [])


def test_another_try_is_announced_before_its_wait() -> None:
    service = Service([[DOWN], [HELLO, DOWN], [HELLO, REPLY]])
    first, hello, second, *rest = service.ask()
    assert isinstance(first, Restarted)
    assert isinstance(second, Restarted)
    assert (first.attempt, first.reason, first.shown) == (2, "down", False)
    assert (second.attempt, second.shown) == (3, True)
    assert [hello, *rest] == [HELLO, HELLO, REPLY]
    assert service.waited == [first.delay_s, second.delay_s]


def test_three_tries_and_no_more() -> None:
    service = Service([[DOWN]] * 9)
    with pytest.raises(ProviderUnavailable, match="down"):
        service.ask()
    assert service.attempts == 3


def test_waits_double_are_scattered_and_bounded() -> None:
    service = Service([[DOWN]] * 9, policy=RetryPolicy(tries=9))
    with pytest.raises(ProviderUnavailable):
        service.ask()
    full = [0.5, 1, 2, 4, 8, 8, 8, 8]
    assert all(most / 2 <= waited <= most for waited, most in zip(service.waited, full, strict=True))


@pytest.mark.parametrize("kind", ["rate_limit", "overloaded", "server", "timeout", "connection"])
def test_what_may_pass_is_tried_again(kind: str) -> None:
    service = Service([[ProviderError("x", kind=kind)], [REPLY]])
    assert service.ask()[-1] == REPLY


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(AuthenticationFailed("x", kind="auth"), id="auth"),
        pytest.param(AuthenticationFailed("x", kind="permission"), id="permission"),
        pytest.param(BadRequest("x", kind="bad_request"), id="bad request"),
        pytest.param(BadRequest("x", kind="not_found"), id="not found"),
        pytest.param(RateLimited("x", kind="quota_exhausted"), id="quota"),
        pytest.param(BadResponse("x", kind="truncated_stream"), id="truncated"),
        pytest.param(BadResponse("x", kind="protocol"), id="protocol"),
    ],
)
def test_what_will_not_pass_is_not(error: ProviderError) -> None:
    service = Service([[error]])
    with pytest.raises(type(error)):
        service.ask()
    assert service.waited == []


def test_the_service_says_how_long_to_wait() -> None:
    service = Service([[RateLimited("x", kind="rate_limit", retry_after=7.5)], [REPLY]])
    service.ask()
    assert service.waited == [7.5]


def test_but_not_for_ever() -> None:
    service = Service([[RateLimited("x", kind="rate_limit", retry_after=68940)], [REPLY]])
    with pytest.raises(RateLimited):
        service.ask()
    assert service.waited == []


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failing(breaker: Breaker, error: ProviderError = DOWN) -> Service:
    return Service([[error]] * 3, breaker=breaker)


def fail(breaker: Breaker, times: int, error: ProviderError = DOWN) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            failing(breaker, error).ask()


def test_five_failed_calls_open_the_breaker_for_a_minute() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    fail(breaker, 5)
    clock.now += 18
    service = Service([[REPLY]], breaker=breaker)
    with pytest.raises(ProviderUnavailable, match="another 42 s"):
        service.ask()
    assert service.attempts == 0
    clock.now += 42
    assert service.ask() == [REPLY]


def test_four_do_not() -> None:
    breaker = Breaker(clock=Clock())
    fail(breaker, 4)
    assert Service([[REPLY]], breaker=breaker).ask() == [REPLY]
    fail(breaker, 4)
    assert Service([[REPLY]], breaker=breaker).ask() == [REPLY]


def test_a_failure_after_the_pause_opens_it_again() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    fail(breaker, 5)
    clock.now += 61
    fail(breaker, 1)
    with pytest.raises(ProviderUnavailable, match="another 60 s"):
        failing(breaker).ask()


def test_what_a_sound_service_refuses_does_not_count() -> None:
    breaker = Breaker(clock=Clock())
    fail(breaker, 9, BadRequest("x", kind="bad_request"))
    assert Service([[REPLY]], breaker=breaker).ask() == [REPLY]


def test_a_consumer_that_leaves_closes_the_attempt() -> None:
    closed = False

    async def attempt() -> AsyncGenerator[Delta | Reply, None]:
        nonlocal closed
        try:
            yield HELLO
            yield REPLY
        finally:
            closed = True

    async def run() -> None:
        items = with_retries(attempt, RetryPolicy(), Breaker())
        assert await anext(items) == HELLO
        await items.aclose()

    asyncio.run(run())
    assert closed
