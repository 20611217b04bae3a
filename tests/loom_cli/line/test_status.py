from __future__ import annotations

from loom_cli.line.status import Status
from loom_cli.render.numbers import dollars
from loom_core.events import (
    ModelDelta,
    ModelRequest,
    ModelResponse,
    RunEnd,
    RunStart,
    SessionClear,
    ToolResulted,
    ToolStart,
)
from loom_core.messages import Usage

MODEL = "anthropic:claude-sonnet-5"


def response(**fields: object) -> ModelResponse:
    values = {"usage": Usage(input_tokens=90_000, output_tokens=10_000), "cost_usd": 0.25, **fields}
    return ModelResponse(turn=1, model=MODEL, parts=(), stop="end", duration_ms=1, **values)  # type: ignore[arg-type]


def test_the_status_line_says_model_mode_tokens_cost_and_context() -> None:
    status = Status(MODEL, lambda: 0.0)
    assert status.summary("plan") == f"{MODEL} · mode plan"
    status.apply(response())
    assert status.summary("default") == f"{MODEL} · mode default · 100k tokens · $0.2500 · context 10%"
    status.apply(SessionClear())
    assert status.summary("default") == f"{MODEL} · mode default · 100k tokens · $0.2500"


def test_the_activity_says_turn_doing_and_time() -> None:
    now = [0.0]
    status = Status(MODEL, lambda: now[0])
    assert status.activity() == ""
    status.apply(RunStart(model=MODEL, mode="default", cwd="/", tools=(), limits={}))
    now[0] = 6.4
    status.apply(ModelRequest(turn=2, model=MODEL, messages=1))
    assert status.activity() == f"turn 2 · waiting for {MODEL} · 6 s"
    status.apply(ModelDelta(kind="thinking", text="hm"))
    assert status.activity() == "turn 2 · thinking · 6 s"
    status.apply(ToolStart(call="c", tool="Shell"), {"c": "Shell ls"}.__getitem__)
    now[0] = 130
    assert status.activity() == "turn 2 · Shell ls · 2 min 10 s"
    status.apply(ToolResulted(call="c", tool="Shell", content="", is_error=False, outcome="ok", duration_ms=1))
    status.apply(RunEnd(state="completed", stop_reason="completed", answer="", usage=Usage(), turns=1, duration_ms=1))
    assert status.activity() == ""


def test_money_is_shown_as_exactly_as_it_matters() -> None:
    assert (dollars(0.00042), dollars(12.345)) == ("$0.0004", "$12.35")
