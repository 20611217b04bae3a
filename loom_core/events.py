"""The vocabulary of a session: every event type, its JSON form, and the schema version.

A session's log is a sequence of these, one JSON object a line, ordered by `seq`. Everything shown, exported, resumed
or audited is computed from them. The JSON form is flat: `type`, the header (`v seq id ts run`), then the fields of
the type. Fields and types this version does not know are kept and written back as they came.

An event is built without its header; the log stamps it when it appends it.
"""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from loom_core.messages import JSON, Part, Usage

SCHEMA_VERSION = 1

Approval: TypeAlias = Literal["approved", "rejected", "expired", "cancelled"]
Scope: TypeAlias = Literal["once", "session"]
Action: TypeAlias = Literal["allow", "ask", "deny"]
Outcome: TypeAlias = Literal["ok", "error", "invalid", "denied", "timeout", "cancelled", "interrupted"]
"""How a tool call ended. `interrupted`: the process died in between, so whether it took effect is unknown."""
RunState: TypeAlias = Literal["queued", "running", "waiting_approval", "completed", "failed", "cancelled"]
StopReason: TypeAlias = Literal[
    "completed",
    "quality_failed",
    "max_turns",
    "budget_exhausted",
    "repeated_calls",
    "cancelled",
    "interrupted",
    "blocked_by_policy",
    "approval_unavailable",
    "provider_error",
    "context_overflow",
    "internal_error",
    "not_started",
]
"""Why a run ended; `not_started`: what was asked for could not become a run."""


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True, forbid_unknown_fields=True
):
    """The header every event carries."""

    v: int = 0
    """Schema version; 0 before the log stamped the event."""
    seq: int = 0
    """Position in the session, from 1, without gaps. The order of events is this, never the time."""
    id: str = ""
    ts: str = ""
    """UTC, ISO 8601 with milliseconds. Information only."""
    run: str = ""
    """The run the event belongs to, or empty."""
    unknown: Mapping[str, JSON] = {}
    """Fields of a newer version, kept as they came."""

    @property
    def type(self) -> str:
        """The event's name, as in its JSON form."""
        return str(self.__struct_config__.tag)


class SessionStart(Event, frozen=True, kw_only=True, tag="session.start"):
    """The first event of a log."""

    session: str
    cwd: str
    loom: str
    """Version of the program that made the session."""
    title: str = ""
    parent: str = ""
    metadata: Mapping[str, JSON] = {}


class SessionResume(Event, frozen=True, kw_only=True, tag="session.resume"):
    """A process opened the session for writing again."""

    cwd: str
    loom: str


class SessionRecovered(Event, frozen=True, kw_only=True, tag="session.recovered"):
    """The log was found damaged and was mended; nothing was thrown away."""

    torn_bytes: int
    """Bytes after the last whole line, moved to the file `saved_as`."""
    saved_as: str
    bad_lines: int = 0


class SessionTitle(Event, frozen=True, kw_only=True, tag="session.title"):
    """The session got another title."""

    title: str


class SessionClear(Event, frozen=True, kw_only=True, tag="session.clear"):
    """The conversation starts afresh from here; what was before stays in the log but is not sent any more."""


class RunStart(Event, frozen=True, kw_only=True, tag="run.start"):
    """A run begins."""

    model: str
    """`"provider:name"`."""
    mode: str
    """Permission mode: plan, default or auto."""
    cwd: str
    tools: tuple[str, ...]
    limits: Mapping[str, JSON]
    instructions: str = ""
    """SHA-256 of the system prompt, so that two runs can be compared without storing it twice."""
    task: str = ""


class InputData(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of data that came with a goal, apart from it."""

    name: str
    text: str
    bytes: int
    sha256: str


class UserMessage(Event, frozen=True, kw_only=True, tag="user.message"):
    """Words of the user: a goal, an answer, or (`steer`) words said while a run was going."""

    text: str
    inputs: tuple[InputData, ...] = ()
    criteria: tuple[str, ...] = ()
    steer: bool = False


class SignalReceived(Event, frozen=True, kw_only=True, tag="signal.received"):
    """Something from outside arrived in the inbox."""

    signal: Mapping[str, JSON]


class ModelRequest(Event, frozen=True, kw_only=True, tag="model.request"):
    """The model is about to be asked."""

    turn: int
    model: str
    messages: int
    """Messages in the request, without the system prompt."""


class ModelDelta(Event, frozen=True, kw_only=True, tag="model.delta"):
    """A piece of an answer in progress. Shown, not logged: `model.response` holds the whole."""

    kind: Literal["text", "thinking", "tool"]
    text: str


class StreamRestarted(Event, frozen=True, kw_only=True, tag="stream.restarted"):
    """The answer in progress failed and is asked for again: what was shown of it so far is void."""

    attempt: int
    reason: str
    delay_s: float


class ModelResponse(Event, frozen=True, kw_only=True, tag="model.response"):
    """The model's whole turn."""

    turn: int
    model: str
    parts: tuple[Part, ...]
    usage: Usage
    stop: str
    """Why the model stopped: end, tool_calls, max_tokens, refusal, or the service's own word."""
    duration_ms: int
    cost_usd: float | None = None
    partial: bool = False
    """Cut off by a cancel or a failure: its text is kept, its tool calls are not."""


class ToolCalled(Event, frozen=True, kw_only=True, tag="tool.call"):
    """The model asked for a tool."""

    call: str
    tool: str
    arguments: Mapping[str, JSON]


class ToolDecision(Event, frozen=True, kw_only=True, tag="tool.decision"):
    """What the gate decided, at which stage, by which rule."""

    call: str
    tool: str
    action: Action
    stage: str
    """validation, veto, deny, mode, ask, allow, approval, rate_limit."""
    rule: str
    reason: str


class ApprovalRequest(Event, frozen=True, kw_only=True, tag="approval.request"):
    """A person is asked."""

    approval: str
    call: str
    tool: str
    summary: str
    """The exact call, in one piece of text: a command, a path with its change, or the arguments."""
    reason: str


class ApprovalAnswer(Event, frozen=True, kw_only=True, tag="approval.answer"):
    """The person's answer, or that there was none."""

    approval: str
    call: str
    status: Approval
    scope: Scope
    by: str
    reason: str = ""
    rule: str = ""
    """For scope `session`: the rule the answer added."""


class ToolStart(Event, frozen=True, kw_only=True, tag="tool.start"):
    """The tool is about to run. On disk before it does."""

    call: str
    tool: str


class ToolOutput(Event, frozen=True, kw_only=True, tag="tool.output"):
    """A piece of a running tool's output. Shown, not logged."""

    call: str
    text: str


class ToolResulted(Event, frozen=True, kw_only=True, tag="tool.result"):
    """What came of the call; `content` is what the model reads."""

    call: str
    tool: str
    content: str
    is_error: bool
    outcome: Outcome
    duration_ms: int
    bytes: int = 0
    """Size of the whole output, where `content` holds only a part of it."""
    blob: str = ""
    """SHA-256 of the whole output in the session's blobs, where it was stored."""
    display: str = ""
    """What a person wants to see of it (a diff), where that is not `content`."""


class ContextCompact(Event, frozen=True, kw_only=True, tag="context.compact"):
    """History was made shorter for the model; the originals stay in the log."""

    level: str
    tokens_before: int
    tokens_after: int
    through_seq: int
    summary: str = ""


class ContextRenew(Event, frozen=True, kw_only=True, tag="context.renew"):
    """The conversation goes on in a fresh context from a handoff."""

    handoff: Mapping[str, JSON]


class QualityResult(Event, frozen=True, kw_only=True, tag="quality.result"):
    """A gate judged the answer."""

    attempt: int
    passed: bool
    critique: str
    gate: str


class BudgetWarn(Event, frozen=True, kw_only=True, tag="budget.warn"):
    """A budget is nearly used up. Said once per budget."""

    budget: str
    used: float
    limit: float


class DelegateStart(Event, frozen=True, kw_only=True, tag="delegate.start"):
    """A child session begins."""

    child: str
    goal: str
    depth: int


class DelegateEnd(Event, frozen=True, kw_only=True, tag="delegate.end"):
    """A child session ended."""

    child: str
    success: bool
    output: str


class Notice(Event, frozen=True, kw_only=True, tag="notice"):
    """Something the user should know that is no error."""

    text: str


class ErrorData(msgspec.Struct, frozen=True, kw_only=True):
    """An error as data: the stable code, what happened, what to do."""

    code: str
    message: str
    hint: str | None = None
    retryable: bool = False


class ErrorRaised(Event, frozen=True, kw_only=True, tag="error"):
    """The run met an error it cannot go on from."""

    error: ErrorData


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call that was not allowed."""

    tool: str
    stage: str
    rule: str
    reason: str


class RunEnd(Event, frozen=True, kw_only=True, tag="run.end"):
    """The last event of a run, whatever happened."""

    state: RunState
    stop_reason: StopReason
    answer: str | None
    usage: Usage
    turns: int
    duration_ms: int
    cost_usd: float | None = None
    error: ErrorData | None = None
    denials: tuple[Denial, ...] = ()


class Unknown(Event, frozen=True, kw_only=True, tag="unknown"):
    """An event of a type this version does not know; `unknown` holds its fields."""

    name: str

    @property
    def type(self) -> str:
        """The name it came with."""
        return self.name


TRANSIENT: tuple[type[Event], ...] = (ModelDelta, ToolOutput)
"""Types that subscribers see and the log does not hold, since a later event repeats all of it."""

_KNOWN: dict[str, type[Event]] = {
    str(cls.__struct_config__.tag): cls for cls in Event.__subclasses__() if cls is not Unknown
}
EVENT_TYPES: tuple[str, ...] = tuple(_KNOWN)

_encoder = msgspec.json.Encoder()


@functools.cache
def _decoder() -> msgspec.json.Decoder[Event]:
    """Made when the first event is read, since it takes 8 ms and a new session reads none."""
    # Built from a run-time list, which the checker cannot read as a union.
    union: Any = _KNOWN["session.start"]
    for cls in _KNOWN.values():
        union = union | cls
    return msgspec.json.Decoder(union)


# Code points that steer a terminal, reorder text or break a line where a reader is careless. Inside JSON they can
# only stand in strings, so the six-byte escape may replace them anywhere.
_HAZARDS = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def to_json(event: Event) -> bytes:
    """One line of UTF-8 JSON without its newline; no control or bidirectional character stands in it unescaped."""
    if not event.unknown and not isinstance(event, Unknown):
        return encode(event)
    fields = msgspec.to_builtins(event)
    unknown = fields.pop("unknown", {})
    if isinstance(event, Unknown):
        del fields["name"]
    return encode({**fields, "type": event.type, **unknown})


def encode(value: object) -> bytes:
    """Any JSON value as UTF-8 in one line, with the same guarantee as `to_json`."""
    try:
        raw = _encoder.encode(value)
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot carry and \ud800 can
        return json.dumps(msgspec.to_builtins(value), allow_nan=False, separators=(",", ":")).encode()
    if raw.isascii():
        return raw.replace(b"\x7f", b"\\u007f")
    return _HAZARDS.sub(lambda m: f"\\u{ord(m[0]):04x}", raw.decode()).encode()


def from_json(line: bytes) -> Event:
    """The event of one line.

    Raises `ValueError` for anything that is not one whole event (bad JSON, nesting beyond the interpreter's limit,
    a field of the wrong type).
    """
    try:
        return _decoder().decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    # Slow path: a newer version's event, a lone surrogate, or damage.
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise ValueError("not an event: no type")  # noqa: TRY004 - one error for all damage
    cls = _KNOWN.get(fields["type"])
    if cls is None:
        header = {key: fields.pop(key) for key in ("v", "seq", "id", "ts", "run") if key in fields}
        return msgspec.convert({"type": "unknown", "name": fields.pop("type"), **header, "unknown": fields}, Unknown)
    known = {key: fields.pop(key) for key in ("type", *cls.__struct_fields__) if key in fields}
    return msgspec.convert({**known, "unknown": fields} if fields else known, cls)
