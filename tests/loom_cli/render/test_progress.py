"""The line of progress."""

from __future__ import annotations

import pytest

from loom_cli.render import progress
from loom_cli.render.numbers import compact
from loom_cli.render.progress import INTERVAL_S, Progress, ProgressState
from loom_core.events import Event, ModelRequest, ModelResponse, Notice, RunStart, ToolCalled, ToolDecision
from loom_core.messages import Usage

EVENTS: tuple[Event, ...] = (
    RunStart(model="p:m", mode="default", cwd="/", tools=(), limits={"max_turns": 40}),
    ModelRequest(turn=3, model="p:m", messages=1),
    ModelResponse(
        turn=3,
        model="p:m",
        parts=(),
        usage=Usage(input_tokens=1200, output_tokens=34),
        stop="end",
        duration_ms=1,
        cost_usd=0.0041,
    ),
    ToolCalled(call="1", tool="Shell", arguments={"command": "git log\x1b[31m\nmore"}),
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    pieces: list[str] = []
    monkeypatch.setattr(progress, "write_err", pieces.append)
    return pieces


def test_what_the_line_says() -> None:
    state = ProgressState()
    for event in EVENTS:
        assert state.apply(event)
    assert state.line(6.2) == "turn 3/40 · Shell git log\x1b[31m · 1.2k tok · $0.0041 · 6 s"


def test_a_terminal_gets_one_line_without_escape_sequences(written: list[str]) -> None:
    line = Progress(terminal=True, columns=30, clock=Clock())
    for event in EVENTS:
        line.apply(event)
    line.clear()
    text = "".join(written)
    assert "\x1b" not in text
    assert "\n" not in text
    assert all(len(piece.strip("\r")) < 30 for piece in text.split("\r"))
    assert text.endswith("\r")


def test_elsewhere_it_is_a_line_a_second(written: list[str]) -> None:
    clock = Clock()
    line = Progress(terminal=False, clock=clock)
    line.apply(EVENTS[0])
    assert written == []
    clock.now = INTERVAL_S
    line.apply(EVENTS[1])
    line.apply(EVENTS[3])
    assert written == ["turn 3/40 · thinking · 1 s\n"]


def test_quiet_is_quiet_and_verbose_says_what_the_gate_decided(written: list[str]) -> None:
    decision = ToolDecision(
        call="1", tool="Read", action="allow", stage="mode", rule="read-only", reason="it only reads"
    )
    quiet = Progress(terminal=True, quiet=True, verbose=True, clock=Clock())
    for event in (*EVENTS, Notice(text="x"), decision):
        quiet.apply(event)
    assert written == []
    Progress(terminal=False, verbose=True, clock=Clock()).apply(decision)
    assert written == ["loom: Read: allow, mode read-only: it only reads\n"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1200, "1.2k"), (9999, "10k"), (34_000, "34k"), (999_600, "1.0M"), (12_000_000, "12M")],
)
def test_counts_are_short(number: int, text: str) -> None:
    assert compact(number) == text
