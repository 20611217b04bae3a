"""Calls per minute."""

from loom_core.safety.limits import RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_call_after_the_last_permitted_one_waits_a_minute() -> None:
    clock = Clock()
    limit = RateLimit(60, {"Shell": 1}, clock)
    assert limit.attempt("Shell") == 0
    clock.now = 1.5
    assert limit.attempt("Shell") == 58.5
    clock.now = 60
    assert limit.attempt("Shell") == 0


def test_a_refused_attempt_does_not_lengthen_the_wait() -> None:
    clock = Clock()
    limit = RateLimit(1, {}, clock)
    limit.attempt("Read")
    for second in range(1, 60):
        clock.now = second
        assert limit.attempt("Read")
    clock.now = 60
    assert not limit.attempt("Read")


def test_the_window_slides() -> None:
    clock = Clock()
    limit = RateLimit(3, {}, clock)
    granted = []
    for second in range(200):
        clock.now = second
        if not limit.attempt("Read"):
            granted.append(second)
    assert granted == [0, 1, 2, 60, 61, 62, 120, 121, 122, 180, 181, 182]


def test_each_tool_has_its_own_window() -> None:
    limit = RateLimit(1, {"Read": 2}, Clock())
    assert [limit.attempt(name) > 0 for name in ("Read", "Read", "Shell", "Read", "Shell")] == [
        *(False, False, False, True, True)
    ]
