"""The conversation as plain values: messages, their parts, tool definitions and token usage.

All are frozen. `to_json` and `from_json` of `loom_core.events` carry them; providers translate them to each wire.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

JSON: TypeAlias = Any
"""A value that JSON can say. A recursive alias costs more in the checker than it finds."""


class Text(Struct, frozen=True, kw_only=True, tag="text", tag_field="type"):
    """Words, of whichever role."""

    text: str


class Thinking(Struct, frozen=True, kw_only=True, tag="thinking", tag_field="type", omit_defaults=True):
    """A model's reasoning. Bound to its maker: see `Opaque`."""

    text: str
    origin: str
    """`"provider:model"` that made it; it is sent back to no other."""
    signature: str | None = None
    """The service's seal over the text, bit-exact."""
    redacted: str | None = None
    """Encrypted reasoning, sent back as it came, where the service hides the text."""


class Opaque(Struct, frozen=True, kw_only=True, tag="opaque", tag_field="type"):
    """A block this version does not know, kept bit-exact and returned only to the service and model that made it."""

    origin: str
    data: dict[str, JSON]


class Image(Struct, frozen=True, kw_only=True, tag="image", tag_field="type"):
    """A picture, as base64 text."""

    media_type: str
    data: str


class ToolCall(Struct, frozen=True, kw_only=True, tag="tool_call", tag_field="type", omit_defaults=True):
    """The model asks for a tool. `invalid` holds the text of arguments that were no JSON object; they never run."""

    id: str
    name: str
    arguments: dict[str, JSON]
    invalid: str | None = None


class ToolResult(Struct, frozen=True, kw_only=True, tag="tool_result", tag_field="type"):
    """What came of one call, paired to it by `call_id`."""

    call_id: str
    name: str
    content: str
    is_error: bool


Part: TypeAlias = Text | Thinking | Opaque | Image | ToolCall | ToolResult
Role: TypeAlias = Literal["user", "assistant", "tool"]


class Message(Struct, frozen=True, kw_only=True):
    """One side's contribution. A `tool` message holds only results, all those of the assistant message before it."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The words of the message, without reasoning, calls or results."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls in it, in the model's order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


def user(text: str) -> Message:
    """A user's message of plain text."""
    return Message(role="user", parts=(Text(text=text),))


class ToolDefinition(Struct, frozen=True, kw_only=True):
    """What a model is told of a tool: name, purpose, and the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, JSON]


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one or more requests. `None` means the service did not say, which is not zero."""

    input_tokens: int | None = None
    """All tokens sent, cached ones included, whatever the service's own convention."""
    output_tokens: int | None = None
    """All tokens received, reasoning included."""
    cached_tokens: int | None = None
    """Those of `input_tokens` that were read from the service's prompt cache."""
    cache_write_tokens: int | None = None
    """Those of `input_tokens` that were written to it."""
    reasoning_tokens: int | None = None
    """Those of `output_tokens` that were reasoning."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{name: _sum(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__})

    @property
    def total_tokens(self) -> int:
        """Input and output together, what is unknown counted as nothing."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)


def _sum(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b
