"""OpenAI chat completions: the request. It serves OpenAI, DeepSeek, Ollama and every compatible server.

The answer is read by `openai_chat_stream`. Facts about single services stand where they are used.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from loom_core.errors import BadRequest
from loom_core.messages import (
    JSON,
    Image,
    Message,
    Opaque,
    Part,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from loom_core.providers.base import Generation, ModelRequest
from loom_core.providers.openai_chat_stream import ChatAssembler
from loom_core.providers.service import Service

_CHOOSES_REASONING_OR_TOOLS = re.compile(r"gpt-(5\.[4-9]|[6-9])")
"""From GPT-5.4 on OpenAI answers 400 to tools with reasoning on this route, and reasoning is on unless refused."""


class ChatWire:
    """The chat completions of one service."""

    path = "/chat/completions"

    def __init__(self, service: Service) -> None:
        self._service = service

    def assembler(self, request: ModelRequest) -> ChatAssembler:
        """A fresh assembler for one attempt."""
        return ChatAssembler(self._service, request)

    def body(self, request: ModelRequest) -> dict[str, JSON]:
        """The request. Messages come last, so that the next turn's request begins with the bytes of this one's."""
        service = self._service.name
        body: dict[str, JSON] = {
            "model": request.model,
            "stream": True,
            "stream_options": {"include_usage": True},
            **_settings(service, request.generation),
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
            if service == "openai" and _CHOOSES_REASONING_OR_TOOLS.match(request.model):
                body.setdefault("reasoning_effort", "none")
        body |= self._service.extensions
        body |= request.generation.extensions
        messages: list[JSON] = [{"role": "system", "content": request.system}] if request.system else []
        origin = f"{service}:{request.model}"
        for message in request.messages:
            messages.extend(_messages(message, origin))
        body.setdefault("messages", messages)
        return body


def _messages(message: Message, origin: str) -> Iterable[dict[str, JSON]]:
    if message.role == "tool":
        return [
            {"role": "tool", "tool_call_id": part.call_id, "content": part.content}
            for part in message.parts
            if isinstance(part, ToolResult)
        ]
    if message.role == "assistant":
        return [_assistant(message, origin)]
    return [{"role": "user", "content": _user_content(message)}]


def _user_content(message: Message) -> JSON:
    """Plain text where there is only text: many servers take nothing else."""
    if any(isinstance(part, Image) for part in message.parts):
        return [content for part in message.parts for content in _content(part)]
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))


def _content(part: Part) -> Iterable[dict[str, JSON]]:
    match part:
        case Text(text=text):
            yield {"type": "text", "text": text}
        case Image(media_type=media_type, data=data):
            yield {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}


def _assistant(message: Message, origin: str) -> dict[str, JSON]:
    calls = message.calls
    entry: dict[str, JSON] = {"role": "assistant", "content": message.text or (None if calls else "")}
    if calls:
        entry["tool_calls"] = [_call(call) for call in calls]
    if origin.startswith("deepseek:"):
        # In thinking mode DeepSeek answers 400 to a turn with calls that has no reasoning, be it "", and ignores it
        # elsewhere. What there was follows below.
        entry["reasoning_content"] = ""
    for part in message.parts:
        if isinstance(part, Opaque) and part.origin == origin:
            entry |= part.data
    return entry


def _call(call: ToolCall) -> dict[str, JSON]:
    # Arguments that were no JSON go back as "{}": several servers parse them when they render the history.
    arguments = msgspec.json.encode(call.arguments).decode()
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: ToolDefinition) -> dict[str, JSON]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _settings(service: str, generation: Generation) -> dict[str, JSON]:
    # OpenAI's reasoning models refuse max_tokens; everyone else knows only that.
    limit = "max_completion_tokens" if service == "openai" else "max_tokens"
    settings = {
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        limit: generation.max_output_tokens,
        "stop": list(generation.stop) or None,
        "seed": generation.seed,
    }
    body = {name: value for name, value in settings.items() if value is not None}
    return body | _reasoning(service, generation) | _response_format(service, generation)


def _reasoning(service: str, generation: Generation) -> dict[str, JSON]:
    level = generation.reasoning
    if level is None:
        return {}
    if isinstance(level, int):
        raise BadRequest(
            f"{service} takes no number of tokens for reasoning",
            hint="Set reasoning to off, low, medium or high.",
        )
    if service == "deepseek":  # https://api-docs.deepseek.com/guides/thinking_mode
        if level == "off":
            return {"thinking": {"type": "disabled"}}
        return {"thinking": {"type": "enabled"}, "reasoning_effort": level}
    return {"reasoning_effort": "none" if level == "off" else level}


def _response_format(service: str, generation: Generation) -> dict[str, JSON]:
    schema = generation.response_schema
    if schema is None:
        return {}
    if service == "deepseek":
        raise BadRequest(
            "deepseek takes no response schema, it only promises some JSON",
            hint="Leave response_schema out and describe the shape in the instructions, or choose another service.",
        )
    json_schema = {"name": "answer", "strict": _is_strict(schema), "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": json_schema}}


def _is_strict(schema: JSON) -> bool:
    """Whether OpenAI's strict mode takes it: every object is closed and requires all its properties."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if schema.get("type") == "object" or properties is not None:
            closed = schema.get("additionalProperties") is False
            if not closed or set(schema.get("required", ())) != set(properties or ()):
                return False
        return all(_is_strict(value) for value in schema.values())
    return all(_is_strict(value) for value in schema) if isinstance(schema, list | tuple) else True
