"""What fills the next request, by kind, as far as it can be told without asking the service."""

from collections.abc import Iterable

import msgspec

from loom_cli.render.paint import Line, Span, line
from loom_core.config import AgentConfig, Instructions
from loom_core.messages import Image, Message, Part, Text, Thinking, ToolCall, ToolResult, Usage
from loom_core.providers.catalog import context_window
from loom_core.tools.spec import Tool

_CHARACTERS_A_TOKEN = 4
"""English text and code have 3.5 to 4.5 in today's vocabularies."""
_TOKENS_AN_IMAGE = 1_500
"""Services count pictures by their size, from some hundred to some thousand."""


def context_lines(config: AgentConfig, messages: tuple[Message, ...], last: Usage, model: str) -> list[Line]:
    """A table of kinds with estimated tokens, then what the service itself counted last."""
    rows = [*_fixed(config), *_history(messages)]
    total = sum(tokens for _, tokens, _ in rows)
    lines = [line(Span("  What the next request holds, in estimated tokens", "strong"))]
    lines += [_row(name, tokens, what) for name, tokens, what in rows]
    lines.append(_row("in all", total, ""))
    if last.total_tokens:
        cached = f", {last.cached_tokens:,} of them from its cache" if last.cached_tokens else ""
        counted = f"{last.input_tokens or 0:,} tokens in{cached}, {last.output_tokens or 0:,} out"
        lines.append(line(Span(f"  The service counted for the last request: {counted}", "dim")))
    window = context_window(model)
    known = f"{window:,} tokens, of which {total / window:.0%} would be used" if window else "not known"
    lines.append(line(Span(f"  Context window of {model}: {known}", "dim")))
    return lines


def _fixed(config: AgentConfig) -> Iterable[tuple[str, int, str]]:
    """What each request begins with."""
    text = config.instructions.render() if isinstance(config.instructions, Instructions) else config.instructions
    yield "instructions", _tokens(text), ""
    if config.memory.blocks:
        yield "memory", sum(map(_tokens, config.memory.blocks)), "AGENTS.md"
    tools = [*config.tools, *(tool for capability in config.capabilities for tool in capability.tools())]
    if tools:
        yield "tools", sum(map(_definition_tokens, tools)), " ".join(tool.name for tool in tools)


def _history(messages: tuple[Message, ...]) -> Iterable[tuple[str, int, str]]:
    parts = [(message.role, part) for message in messages for part in message.parts]
    kinds = (
        ("your words", [part for role, part in parts if role == "user" and isinstance(part, Text)]),
        ("answers", [part for role, part in parts if role == "assistant" and isinstance(part, Text)]),
        ("reasoning", [part for _, part in parts if isinstance(part, Thinking)]),
        ("tool calls", [part for _, part in parts if isinstance(part, ToolCall)]),
        ("tool results", [part for _, part in parts if isinstance(part, ToolResult)]),
        ("images", [part for _, part in parts if isinstance(part, Image)]),
    )
    for name, found in kinds:
        if found:
            yield name, sum(map(_part_tokens, found)), str(len(found))


def _part_tokens(part: Part) -> int:
    match part:
        case Text(text=text) | Thinking(text=text) | ToolResult(content=text):
            return _tokens(text)
        case ToolCall():
            return _tokens(part.name) + len(msgspec.json.encode(part.arguments)) // _CHARACTERS_A_TOKEN
        case Image():
            return _TOKENS_AN_IMAGE
        case _:
            return len(msgspec.json.encode(part)) // _CHARACTERS_A_TOKEN


def _definition_tokens(tool: Tool) -> int:
    return len(msgspec.json.encode(tool.definition)) // _CHARACTERS_A_TOKEN


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_A_TOKEN)


def _row(name: str, tokens: int, what: str) -> Line:
    return line(f"    {name:<14}{tokens:>9,}  ", Span(what, "dim"))
