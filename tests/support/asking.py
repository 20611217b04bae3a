"""Short ways to ask a provider in tests."""

import asyncio
from collections.abc import Mapping
from typing import Any

from loom_core.messages import Message, Part, ToolDefinition, user
from loom_core.providers.base import Generation, ModelRequest, Provider, Reply, StreamItem

READ = ToolDefinition(name="Read", description="Read a file.", parameters={"type": "object"})


def request(
    *messages: Message,
    model: str = "m",
    system: str = "",
    tools: tuple[ToolDefinition, ...] = (),
    **generation: Any,
) -> ModelRequest:
    """A request; without messages it says hi."""
    conversation = messages or (user("hi"),)
    return ModelRequest(
        model=model, system=system, messages=conversation, tools=tools, generation=Generation(**generation)
    )


def assistant(*parts: Part) -> Message:
    """An assistant's message."""
    return Message(role="assistant", parts=parts)


def results(*parts: Part) -> Message:
    """A message of tool results."""
    return Message(role="tool", parts=parts)


def ask(provider: Provider, asked: ModelRequest | None = None) -> list[StreamItem]:
    """All items of one answer, on an event loop of its own."""

    async def run() -> list[StreamItem]:
        try:
            return [item async for item in provider.stream(asked or request())]
        finally:
            await provider.aclose()

    return asyncio.run(run())


def reply(provider: Provider, asked: ModelRequest | None = None) -> Reply:
    """The reply that ends an answer."""
    last = ask(provider, asked)[-1]
    assert isinstance(last, Reply)
    return last


def without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The mapping without some of its keys."""
    return {name: value for name, value in mapping.items() if name not in names}
