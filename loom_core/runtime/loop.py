"""L*, the loop, as a pure state machine: what was observed in, what to do next out.

    Reason (ask the model) -> Act (run what it asked for) -> Observe -> Delta (decide again)

Nothing here waits, reads a clock or touches a file, so every path is tested without a model. `engine.py` performs
the decisions and comes back with observations.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TypeAlias, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from loom_core.errors import (
    ApprovalUnavailable,
    BadResponse,
    BudgetExhausted,
    ContentRefused,
    ContextTooLong,
    LoomError,
    ProviderError,
)
from loom_core.events import StopReason
from loom_core.messages import ToolCall, Usage

TOLD_AT = (3, 5, 8)
"""Repetitions of one call at which the model is told of it."""
STOPPED_AT = 12
"""The repetition that is not run any more and ends the run."""
WARN_AT = 0.8
"""Share of a budget from which on the user is warned, once."""


class Limits(Struct, frozen=True, kw_only=True):
    """What one run may use up. `None` means no limit."""

    max_turns: int | None = 32
    """Model requests."""
    max_tool_calls: int | None = None
    max_tokens: int | None = None
    """Input and output tokens of all requests, added up."""
    max_cost_usd: float | None = None
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_turns", "max_tool_calls", "max_tokens", "max_cost_usd", "max_seconds"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(f"{name}: a number or None, not {type(value).__name__}")
            if not value > 0:  # which is also how nan is refused
                raise ValueError(f"{name}: {value} is not above 0")


# What is observed.


class Begun(Struct, frozen=True, kw_only=True):
    """The run starts."""


class Steered(Struct, frozen=True, kw_only=True):
    """The model has answered, but the user has said something since."""


class Replied(Struct, frozen=True, kw_only=True):
    """The model answered."""

    text: str
    calls: tuple[ToolCall, ...]
    changing: frozenset[str] = frozenset()
    """Ids of the calls that may change something, that is, whose tool is not read-only."""
    stop: str
    usage: Usage
    cost_usd: float | None
    spent_usd: float = 0.0
    """What counts against the budget: the cost, or where that is unknown an upper bound of it."""


class Acted(Struct, frozen=True, kw_only=True):
    """The calls were carried out or refused. `blocked`: one needed an approval that nobody could give."""

    blocked: ApprovalUnavailable | None = None


class Failed(Struct, frozen=True, kw_only=True):
    """Asking the model failed for good."""

    error: LoomError


class TimeUp(Struct, frozen=True, kw_only=True):
    """The run's time ended in the middle of a step."""


Observation: TypeAlias = Begun | Steered | Replied | Acted | Failed | TimeUp


# What is decided.


class BudgetUse(Struct, frozen=True, kw_only=True):
    """How much of one budget is gone."""

    budget: str
    used: float
    limit: float


class AskModel(Struct, frozen=True, kw_only=True):
    """Reason: send the next request."""

    turn: int
    warnings: tuple[BudgetUse, ...] = ()


class RunTools(Struct, frozen=True, kw_only=True):
    """Act: carry out these calls; `advice` by call id is told to the model with the result."""

    calls: tuple[ToolCall, ...]
    advice: Mapping[str, str] = {}


class Stop(Struct, frozen=True, kw_only=True):
    """The run ends. Calls still open were not run, for the reason `unrun`."""

    reason: StopReason
    error: LoomError | None = None
    unrun: str = ""


Decision: TypeAlias = AskModel | RunTools | Stop


class LoopState(Struct, frozen=True, kw_only=True):
    """All the loop remembers between two decisions."""

    limits: Limits
    turns: int = 0
    tool_calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    spent_usd: float = 0.0
    answer: str | None = None
    """The model's latest words; the run's answer when it ends completed."""
    paused: str = ""
    """Words of a turn that the service interrupted and will go on with."""
    repeats: Mapping[str, int] = {}
    """How often each call was made since something new was done."""
    known: frozenset[str] = frozenset()
    """Every call that was ever made."""
    warned: frozenset[str] = frozenset()


def decide(state: LoopState, observed: Observation, *, elapsed_s: float = 0.0) -> tuple[LoopState, Decision]:
    """The next step, and the state after it."""
    match observed:
        case Begun() | Steered():
            return _ask(state, elapsed_s)
        case Replied():
            return _after_reply(state, observed, elapsed_s)
        case Acted():
            if observed.blocked is not None:
                return state, Stop(reason="approval_unavailable", error=observed.blocked, unrun=str(observed.blocked))
            return _ask(state, elapsed_s)
        case Failed(error=error):
            return state, _failure(error)
        case TimeUp():
            limit = state.limits.max_seconds or 0
            return state, _exhausted("time", f"{limit:g} s", "--timeout")
        case _:
            assert_never(observed)


def _ask(state: LoopState, elapsed_s: float) -> tuple[LoopState, Decision]:
    """Reason again, unless a budget forbids it."""
    limits = state.limits
    if limits.max_turns is not None and state.turns >= limits.max_turns:
        error = BudgetExhausted(
            f"stopped at the limit of {limits.max_turns} turns before the answer was complete",
            hint="resume the session to go on, or raise --max-turns",
        )
        return state, Stop(reason="max_turns", error=error)
    used = _used(state, elapsed_s)
    for use in used:
        if use.used >= use.limit:
            return state, _exhausted(use.budget, f"{use.limit:g}", _FLAGS[use.budget])
    warnings = tuple(use for use in used if use.used >= WARN_AT * use.limit and use.budget not in state.warned)
    state = replace(state, turns=state.turns + 1, warned=state.warned | {use.budget for use in warnings})
    return state, AskModel(turn=state.turns, warnings=warnings)


_FLAGS = {"tokens": "--max-tokens", "cost": "--max-cost", "time": "--timeout", "tool calls": "--max-tool-calls"}


def _used(state: LoopState, elapsed_s: float) -> tuple[BudgetUse, ...]:
    limits = state.limits
    budgets = (
        ("tokens", float(state.usage.total_tokens), limits.max_tokens),
        ("cost", state.spent_usd, limits.max_cost_usd),
        ("time", elapsed_s, limits.max_seconds),
    )
    return tuple(BudgetUse(budget=name, used=used, limit=limit) for name, used, limit in budgets if limit is not None)


def _exhausted(budget: str, limit: str, flag: str) -> Stop:
    error = BudgetExhausted(
        f"stopped at the {budget} limit of {limit}", hint=f"resume the session to go on, or raise {flag}"
    )
    return Stop(reason="budget_exhausted", error=error, unrun=f"the run's {budget} limit was reached")


def _after_reply(state: LoopState, reply: Replied, elapsed_s: float) -> tuple[LoopState, Decision]:
    cost = reply.cost_usd if state.cost_usd is None else state.cost_usd + (reply.cost_usd or 0.0)
    state = replace(
        state,
        usage=state.usage + reply.usage,
        cost_usd=cost,
        spent_usd=state.spent_usd + reply.spent_usd,
        answer=state.paused + reply.text or state.answer,
        paused="",
    )
    if reply.calls:
        return _act(state, reply)
    match reply.stop:
        case "pause":  # the service asks to be called again with its own turn, and goes on where it was
            return _ask(replace(state, paused=state.answer or ""), elapsed_s)
        case "refusal":
            return state, _failure(ContentRefused("the model refused to answer", kind="content_filter"))
        case "max_tokens":
            error = BudgetExhausted(
                "the answer was cut off at the model's output limit",
                hint="ask it to go on, or raise model.max_output_tokens",
            )
            return state, Stop(reason="budget_exhausted", error=error)
    if not reply.text.strip():
        return state, _failure(BadResponse("the model ended its turn without an answer", kind="protocol"))
    return state, Stop(reason="completed")


def _act(state: LoopState, reply: Replied) -> tuple[LoopState, Decision]:
    calls = reply.calls
    limit = state.limits.max_tool_calls
    if limit is not None and state.tool_calls + len(calls) > limit:
        return state, _exhausted("tool calls", str(limit), _FLAGS["tool calls"])
    repeats, known, advice = dict(state.repeats), set(state.known), {}
    for call in calls:
        key = call_key(call)
        if call.id in reply.changing and key not in known:
            repeats.clear()  # the world may look different now, so looking again is no repetition
        repeats[key] = repeats.get(key, 0) + 1
        known.add(key)
        if repeats[key] in TOLD_AT:
            advice[call.id] = (
                f"This same call was made {repeats[key]} times with nothing new done in between. "
                "Use what it already returned, or try something else."
            )
    state = replace(state, tool_calls=state.tool_calls + len(calls), repeats=repeats, known=frozenset(known))
    worst = max(calls, key=lambda call: repeats.get(call_key(call), 0))
    if repeats.get(call_key(worst), 0) >= STOPPED_AT:
        message = (
            f"stopped: the model made the same call of {worst.name} {STOPPED_AT} times with nothing new in between"
        )
        error = BudgetExhausted(message, hint="resume the session with other words, or try another model")
        return state, Stop(reason="repeated_calls", error=error, unrun=message)
    return state, RunTools(calls=calls, advice=advice)


def call_key(call: ToolCall) -> str:
    """Two calls are the same when this is: the tool and its arguments, whatever their order."""
    if call.invalid is not None:
        return f"{call.name} {call.invalid}"
    arguments = json.dumps(call.arguments, sort_keys=True)  # which can say half a surrogate pair
    return f"{call.name} {hashlib.sha256(arguments.encode()).hexdigest()}"


def _failure(error: LoomError) -> Stop:
    if isinstance(error, ContextTooLong):
        return Stop(reason="context_overflow", error=error)
    return Stop(reason="provider_error" if isinstance(error, ProviderError) else "internal_error", error=error)
