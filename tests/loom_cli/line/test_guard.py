from __future__ import annotations

import pytest

from loom_cli.line.guard import TypingGuard
from loom_cli.line.interrupts import Interrupts


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_question_waits_for_a_second_without_typing() -> None:
    clock = Clock()
    guard = TypingGuard(clock)
    assert guard.wait_s() == 0
    guard.typed()
    clock.now += 0.4
    assert guard.wait_s() == pytest.approx(0.6)
    guard.typed()
    assert guard.wait_s() == 1
    clock.now += 1
    assert guard.wait_s() == 0


def test_keys_count_half_a_second_after_the_question_came() -> None:
    clock = Clock()
    guard = TypingGuard(clock)
    guard.shown()
    assert guard.opens_in_s() == 0.5
    clock.now += 0.5
    assert guard.accepts()


def test_a_key_that_came_too_early_asks_for_a_pause() -> None:
    clock = Clock()
    guard = TypingGuard(clock)
    guard.shown()
    clock.now += 0.4
    assert not guard.accepts()
    clock.now += 0.9
    assert not guard.accepts()
    clock.now += 1
    assert guard.accepts()


def test_typing_at_an_open_question_closes_it() -> None:
    clock = Clock()
    guard = TypingGuard(clock)
    guard.shown()
    clock.now += 1
    guard.typed()
    assert not guard.accepts()


def test_ctrl_c_from_before_a_message_does_not_count_after_it() -> None:
    interrupts = Interrupts(Clock())
    assert interrupts.press(running=False, draft=False) == "warn"
    interrupts.forget()
    assert interrupts.press(running=True, draft=False) == "cancel"


@pytest.mark.parametrize(
    ("presses", "meanings"),
    [
        ([(0, False, True)], ["clear"]),
        ([(0, False, False), (1.9, False, False)], ["warn", "leave"]),
        ([(0, False, False), (2.1, False, False)], ["warn", "warn"]),
        ([(0, True, False)], ["cancel"]),
        ([(0, True, True), (3, False, True)], ["cancel", "clear"]),
        ([(0, True, False), (1, True, False)], ["cancel", "leave"]),
        ([(0, False, True), (1, False, False)], ["clear", "warn"]),
        ([(0, True, False), (1, False, True), (1.5, False, False)], ["cancel", "clear", "leave"]),
    ],
    ids=repr,
)
def test_ctrl_c_means_what_the_moment_asks_for(presses: list[tuple[float, bool, bool]], meanings: list[str]) -> None:
    clock = Clock()
    interrupts = Interrupts(clock)
    found = []
    for at, running, draft in presses:
        clock.now = 100 + at
        found.append(interrupts.press(running=running, draft=draft))
    assert found == meanings
