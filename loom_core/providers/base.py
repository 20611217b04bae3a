"""What every model service has in common: which model, what is sent, what comes back.

A provider has one method, `stream`. It yields pieces for display and ends with exactly one `Reply`, the whole turn;
a stream that cannot end so raises a `ProviderError`.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Literal, Protocol, TypeAlias

import msgspec
from msgspec import Struct

from loom_core.messages import JSON, Message, Part, ToolDefinition, Usage

Reasoning: TypeAlias = Literal["off", "low", "medium", "high"] | int


class Generation(Struct, frozen=True, kw_only=True):
    """How the model shall answer. `None` leaves a setting to the service; everything set is sent, or refused."""

    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    reasoning: Reasoning | None = None
    """A level, or a budget in tokens."""
    response_schema: Mapping[str, JSON] | None = None
    """JSON Schema the answer must satisfy."""
    extensions: Mapping[str, JSON] = {}
    """Fields added to the request body as they are, after all others."""

    def __post_init__(self) -> None:
        _number("temperature", self.temperature, 0, 2)
        _number("top_p", self.top_p, 0, 1)
        _number("max_output_tokens", self.max_output_tokens, 1, None)
        if isinstance(self.reasoning, str) and self.reasoning not in ("off", "low", "medium", "high"):
            raise ValueError(f"reasoning: {self.reasoning!r} is not off, low, medium, high or a number of tokens")


def _number(name: str, value: float | None, low: float, high: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: a number, not {type(value).__name__}")
    if value < low or (high is not None and value > high):
        raise ValueError(f"{name}: {value} is not in [{low}, {'...' if high is None else high}]")


class ModelRequest(Struct, frozen=True, kw_only=True):
    """One request, in loom's own terms."""

    model: str
    """The service's name of the model, without the provider."""
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolDefinition, ...] = ()
    generation: Generation = Generation()


class Delta(Struct, frozen=True, kw_only=True):
    """A piece of an answer in progress: text, thinking, or (kind tool) the arguments of a call."""

    kind: Literal["text", "thinking", "tool"]
    text: str


class Restarted(Struct, frozen=True, kw_only=True):
    """The attempt failed and another begins after `delay_s` seconds; deltas seen so far are void."""

    attempt: int
    reason: str
    delay_s: float
    shown: bool
    """Whether any delta of the failed attempt was yielded."""


class Reply(Struct, frozen=True, kw_only=True):
    """The model's whole turn."""

    parts: tuple[Part, ...]
    usage: Usage
    stop: str
    """end, tool_calls, max_tokens, refusal, pause, or the service's own word."""


StreamItem: TypeAlias = Delta | Restarted | Reply


class Provider(Protocol):
    """A model service, as the engine sees it."""

    @property
    def name(self) -> str:
        """The provider's name, as in `"provider:model"`."""

    def stream(self, request: ModelRequest) -> AsyncIterator[StreamItem]:
        """Ask once; retries happen below this line and are announced by `Restarted`."""

    async def aclose(self) -> None:
        """Give back connections. The provider may be used again afterwards."""


def parse_arguments(text: str) -> tuple[dict[str, JSON], str | None]:
    """Tool arguments as sent: `(arguments, None)`, or `({}, text)` where they are no JSON object.

    Nothing means no arguments. A string holding JSON (double encoding, seen from several servers) is opened once.
    """
    if not text.strip():
        return {}, None
    try:
        value = msgspec.json.decode(text)
        if isinstance(value, str):
            value = msgspec.json.decode(value) if value.strip() else {}
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}, text
    if value is None:
        return {}, None
    return (value, None) if isinstance(value, dict) else ({}, text)
