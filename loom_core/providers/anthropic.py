"""Anthropic messages: the request. The answer is read by `anthropic_stream`."""

import re
from collections.abc import Iterator

from loom_core.errors import BadRequest
from loom_core.messages import (
    JSON,
    Image,
    Message,
    Opaque,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from loom_core.providers.anthropic_stream import MessagesAssembler
from loom_core.providers.base import Generation, ModelRequest
from loom_core.providers.service import Service

_CACHED: dict[str, JSON] = {"type": "ephemeral"}
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 24_576}
"""Tokens of thinking for models that know no levels."""
_LEAST_BUDGET = 1_024
_ANSWER_TOKENS = 8_192
"""The limit of the answer's tokens when none is set: the service demands one, and every model takes this."""
_ADAPTIVE_ANSWER_TOKENS = 32_000
"""The same for models that think as they see fit, whose thoughts count too; all of them allow four times as many."""
_VERSION = re.compile(r"claude-[a-z]+-(\d+)(?:-(\d{1,2}))?(?!\d)")


class MessagesWire:
    """The messages of one service."""

    path = "/v1/messages"

    def __init__(self, service: Service) -> None:
        self._service = service

    def assembler(self, request: ModelRequest) -> MessagesAssembler:
        """A fresh assembler for one attempt."""
        return MessagesAssembler(self._service, request)

    def body(self, request: ModelRequest) -> dict[str, JSON]:
        """The request. Messages come last and carry no cache marks, so that a turn begins with the bytes of the last.

        The mark at the top level makes the service cache up to the last block; that on the system prompt keeps tools
        and system cached when a turn adds more blocks than the service looks back over (20).
        """
        body: dict[str, JSON] = {
            "model": request.model,
            "stream": True,
            **_settings(request.model, request.generation),
            "cache_control": _CACHED,
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.system:
            body["system"] = [{"type": "text", "text": request.system, "cache_control": _CACHED}]
        body |= self._service.extensions
        body |= request.generation.extensions
        body.setdefault("messages", _messages(request.messages, f"{self._service.name}:{request.model}"))
        return body


def _messages(messages: tuple[Message, ...], origin: str) -> list[JSON]:
    """The conversation with its roles in turn: the service would join what one side says in a row, servers like it do
    not. The results of one message's calls so stand in one message, before what the user says.
    """
    joined: list[JSON] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [block for part in message.parts for block in _blocks(part, origin)]
        if joined and joined[-1]["role"] == role:
            joined[-1]["content"] += blocks
        elif blocks:
            joined.append({"role": role, "content": blocks})
    return joined


def _blocks(part: Part, origin: str) -> Iterator[dict[str, JSON]]:
    match part:
        case Text(text=text):
            if text.strip():  # the service refuses blank text
                yield {"type": "text", "text": text}
        case Image(media_type=media_type, data=data):
            yield {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}
        case ToolCall():
            yield {"type": "tool_use", "id": _identifier(part.id), "name": part.name, "input": part.arguments}
        case ToolResult():
            result = {"type": "tool_result", "tool_use_id": _identifier(part.call_id), "content": part.content}
            yield result | {"is_error": True} if part.is_error else result
        case Thinking():
            if part.origin == origin:
                yield from _thinking_block(part)
        case Opaque():
            if part.origin == origin:
                yield part.data


def _thinking_block(part: Thinking) -> Iterator[dict[str, JSON]]:
    if part.redacted is not None:
        yield {"type": "redacted_thinking", "data": part.redacted}
    elif part.signature is not None:  # without its seal the service refuses it
        yield {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _identifier(call_id: str) -> str:
    """A call's id in the letters the service allows; other services' ids (`functions.Read:0`) have more."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)


def _tool(tool: ToolDefinition) -> dict[str, JSON]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _settings(model: str, generation: Generation) -> dict[str, JSON]:
    if generation.seed is not None:
        raise BadRequest("anthropic takes no seed", hint="Leave seed out, or choose another service.")
    thinking, effort = _reasoning(model, generation)
    output: dict[str, JSON] = {"effort": effort} if effort else {}
    if generation.response_schema is not None:
        output["format"] = {"type": "json_schema", "schema": generation.response_schema}
    settings = {
        "max_tokens": _max_tokens(model, generation, thinking),
        "thinking": thinking or None,
        "output_config": output or None,
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "stop_sequences": list(generation.stop) or None,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _max_tokens(model: str, generation: Generation, thinking: dict[str, JSON]) -> int:
    budget: int = thinking.get("budget_tokens", 0)
    if generation.max_output_tokens is None:
        return budget + (_ADAPTIVE_ANSWER_TOKENS if _version(model) >= (4, 6) else _ANSWER_TOKENS)
    if budget >= generation.max_output_tokens:
        raise BadRequest(
            f"reasoning: {budget} tokens of thinking leave nothing of max_output_tokens {generation.max_output_tokens}",
            hint="The limit counts both; raise it or lower reasoning.",
        )
    return generation.max_output_tokens


def _reasoning(model: str, generation: Generation) -> tuple[dict[str, JSON], str | None]:
    """The `thinking` field and the effort.

    From 4.6 on models think adaptively, by levels; from 4.7 on they take no budget, and from 5 on they think unless
    told otherwise, but keep even the words between two tool calls to themselves unless a summary is asked for
    (https://platform.claude.com/docs/en/build-with-claude/thinking).
    """
    version = _version(model)
    adaptive: dict[str, JSON] = {"type": "adaptive", "display": "summarized"}
    match generation.reasoning:
        case None:
            return (adaptive if version >= (5, 0) else {}), None
        case "off":
            return ({"type": "disabled"} if version >= (4, 6) else {}), None
        case int() as budget:
            if version >= (4, 7):
                raise BadRequest(
                    f"{model} takes no number of tokens for reasoning",
                    hint="Set reasoning to off, low, medium or high.",
                )
            if budget < _LEAST_BUDGET:
                raise BadRequest(f"reasoning: {budget} tokens are less than the {_LEAST_BUDGET} anthropic demands")
            return {"type": "enabled", "budget_tokens": budget}, None
        case level:
            if version >= (4, 6):
                return adaptive, level
            return {"type": "enabled", "budget_tokens": _BUDGETS[level]}, None


def _version(model: str) -> tuple[int, int]:
    """The version in a model's name, or (0, 0) where it has none after its family (`claude-3-5-haiku-20241022`)."""
    found = _VERSION.match(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
