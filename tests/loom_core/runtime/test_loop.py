"""Every path of the loop, without a model."""

from __future__ import annotations

import pytest

from loom_core.errors import ApprovalUnavailable, ContextTooLong, LoomError, ProviderUnavailable
from loom_core.messages import ToolCall, Usage
from loom_core.runtime.loop import (
    STOPPED_AT,
    TOLD_AT,
    Acted,
    AskModel,
    Begun,
    Decision,
    Failed,
    Limits,
    LoopState,
    Replied,
    RunTools,
    Steered,
    Stop,
    TimeUp,
    call_key,
    decide,
)


def replied(*calls: ToolCall, text: str = "", stop: str = "end", tokens: int = 0, changing: bool = False) -> Replied:
    return Replied(
        text=text,
        calls=calls,
        changing=frozenset(call.id for call in calls) if changing else frozenset(),
        stop=stop,
        usage=Usage(input_tokens=tokens),
        cost_usd=None,
        spent_usd=0.5 if tokens else 0.0,
    )


def call(name: str = "Read", **arguments: object) -> ToolCall:
    return ToolCall(id=f"c{id(arguments)}", name=name, arguments=arguments)


def stopped(decision: Decision) -> str:
    assert isinstance(decision, Stop)
    return decision.reason


def test_asks_acts_and_asks_again_until_the_model_answers() -> None:
    state, first = decide(LoopState(limits=Limits()), Begun())
    assert first == AskModel(turn=1)
    state, second = decide(state, replied(call(path="a")))
    assert isinstance(second, RunTools)
    state, third = decide(state, Acted())
    assert third == AskModel(turn=2)
    state, last = decide(state, replied(text="done"))
    assert stopped(last) == "completed"
    assert (state.answer, state.turns, state.tool_calls) == ("done", 2, 1)


def test_a_service_that_pauses_is_asked_to_go_on_and_its_words_are_joined() -> None:
    state, _ = decide(LoopState(limits=Limits()), Begun())
    state, again = decide(state, replied(text="first half, ", stop="pause"))
    assert again == AskModel(turn=2)
    state, last = decide(state, replied(text="second half"))
    assert (stopped(last), state.answer) == ("completed", "first half, second half")


def test_words_said_since_the_answer_are_answered_too() -> None:
    state, _ = decide(LoopState(limits=Limits()), Begun())
    state, _ = decide(state, replied(text="done"))
    assert decide(state, Steered())[1] == AskModel(turn=2)


def test_arguments_that_utf8_cannot_say_are_told_apart_all_the_same() -> None:
    assert call_key(call(a="\ud800")) != call_key(call(a="\ud801"))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (replied(text="half", stop="max_tokens"), "budget_exhausted"),
        (replied(text="I won't", stop="refusal"), "provider_error"),
        (replied(text="  \n"), "provider_error"),
        (replied(text="Error: is how this answer begins"), "completed"),
    ],
    ids=["cut off", "refused", "nothing said", "words are no error"],
)
def test_only_a_whole_answer_is_completed(reply: Replied, reason: str) -> None:
    assert stopped(decide(LoopState(limits=Limits(), turns=1), reply)[1]) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProviderUnavailable("down"), "provider_error"),
        (ContextTooLong("long"), "context_overflow"),
        (LoomError("odd"), "internal_error"),
    ],
)
def test_failures_keep_their_error(error: LoomError, reason: str) -> None:
    decision = decide(LoopState(limits=Limits()), Failed(error=error))[1]
    assert isinstance(decision, Stop)
    assert (decision.reason, decision.error) == (reason, error)


def test_a_missing_approval_stops_the_run() -> None:
    error = ApprovalUnavailable("nobody")
    assert decide(LoopState(limits=Limits()), Acted(blocked=error))[1] == Stop(
        reason="approval_unavailable", error=error, unrun="nobody"
    )


def test_turn_limit() -> None:
    state = LoopState(limits=Limits(max_turns=3), turns=3)
    assert stopped(decide(state, Acted())[1]) == "max_turns"


@pytest.mark.parametrize(
    ("limits", "elapsed"),
    [(Limits(max_tokens=100), 0), (Limits(max_cost_usd=0.5), 0), (Limits(max_seconds=9), 9)],
    ids=["tokens", "cost", "time"],
)
def test_budgets_end_the_run_before_the_next_request(limits: Limits, elapsed: float) -> None:
    state, decision = decide(LoopState(limits=limits, turns=1), replied(call(), tokens=100))
    assert isinstance(decision, RunTools)
    assert stopped(decide(state, Acted(), elapsed_s=elapsed)[1]) == "budget_exhausted"


def test_a_budget_warns_once() -> None:
    state = LoopState(limits=Limits(max_tokens=100), usage=Usage(input_tokens=85))
    state, first = decide(state, Begun())
    state, second = decide(state, Acted())
    assert isinstance(first, AskModel)
    assert [warning.budget for warning in first.warnings] == ["tokens"]
    assert second == AskModel(turn=2)


def test_tool_call_limit_runs_none_of_the_calls_beyond_it() -> None:
    state = LoopState(limits=Limits(max_tool_calls=1))
    assert stopped(decide(state, replied(call(path="a"), call(path="b")))[1]) == "budget_exhausted"


def test_time_up() -> None:
    assert stopped(decide(LoopState(limits=Limits(max_seconds=1)), TimeUp())[1]) == "budget_exhausted"


def test_repeated_calls_are_told_and_stopped() -> None:
    state, told = LoopState(limits=Limits(max_turns=None)), []
    decision: Decision = AskModel(turn=1)
    for repetition in range(1, STOPPED_AT + 1):
        state, decision = decide(state, replied(call(path="a", limit=1) if repetition % 2 else call(limit=1, path="a")))
        if isinstance(decision, RunTools) and decision.advice:
            told.append(repetition)
    assert tuple(told) == TOLD_AT
    assert stopped(decision) == "repeated_calls"


def test_alternating_calls_are_repetitions_too() -> None:
    state = LoopState(limits=Limits())
    for _ in range(STOPPED_AT):
        state, _ = decide(state, replied(call("Shell", command="a"), changing=True))
        state, _ = decide(state, replied(call("Shell", command="b"), changing=True))
    assert stopped(decide(state, replied(call("Shell", command="a"), changing=True))[1]) == "repeated_calls"


def test_looking_again_after_a_new_change_is_no_repetition() -> None:
    state = LoopState(limits=Limits())
    for number in range(20):
        state, _ = decide(state, replied(call("Edit", number=number), changing=True))
        state, decision = decide(state, replied(call("Read", path="a")))
        assert isinstance(decision, RunTools)
        assert not decision.advice


@pytest.mark.parametrize("bad", [{"max_turns": 0}, {"max_cost_usd": -1.0}, {"max_seconds": float("nan")}])
def test_limits_name_the_field_that_is_wrong(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Limits(**bad)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="max_turns"):
        Limits(max_turns="3")  # type: ignore[arg-type]
