"""Running one tool: within its time, its output cut to size, its failures turned into results a model can read."""

import asyncio
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from loom_core.errors import ToolError
from loom_core.messages import JSON
from loom_core.tools.capture import SPOOLED
from loom_core.tools.spec import Tool, ToolContext, ToolOutput, is_async
from loom_core.tools.text import plain, shorten
from loom_core.tools.threads import in_thread

TIMEOUT = 120.0
"""Seconds a tool may take that does not say otherwise."""
LIMIT = 30_000
"""Characters of a result that a model reads; about 8,000 tokens."""


async def run_tool(
    tool: Tool,
    arguments: Mapping[str, Any],
    context: ToolContext,
    *,
    timeout: float | None = TIMEOUT,  # noqa: ASYNC109  # the tool's own comes first
    limit: int = LIMIT,
) -> ToolOutput:
    """Call `tool` with keyword arguments as its `convert` made them, and give what the model is to read.

    A sync function runs in a thread. `timeout` (seconds, None for no limit) holds where the tool has none of its own; a
    sync function that takes longer is not waited for, which is all that can be done about it. Every failure of the tool
    is an output with `is_error`; only cancellation is raised.
    """
    seconds = timeout if tool.timeout is None else tool.timeout
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            output = _as_output(await _call(tool, arguments, context))
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled the call: the tool waited for something that was cancelled, which is a fault like any other.
        output = ToolOutput(content=f"CancelledError: {error}".removesuffix(": "), is_error=True)
    except ToolError as error:
        output = ToolOutput(content=f"{error}\n{error.hint}" if error.hint else str(error), is_error=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the seam where any tool's fault becomes a result
        if isinstance(error, TimeoutError) and deadline.expired():
            text = f"{tool.name} was stopped at its time limit of {seconds:g} s; it may have done part of its work"
            output = ToolOutput(content=text, is_error=True, timed_out=True)
        else:
            output = ToolOutput(content=f"{type(error).__name__}: {error}".removesuffix(": "), is_error=True)
    return _within(output, limit)


async def _call(tool: Tool, arguments: Mapping[str, Any], context: ToolContext) -> object:
    given = {**arguments, tool.takes_context: context} if tool.takes_context else dict(arguments)
    if is_async(tool.function):
        result = tool.function(**given)
    else:
        result = await in_thread(tool.function, **given)
    return await result if inspect.isawaitable(result) else result


def _as_output(result: object) -> ToolOutput:
    """What a function returned, as text: its own, or JSON. Raises `TypeError` for what is neither."""
    match result:
        case ToolOutput():
            return result
        case None:
            return ToolOutput(content="")
        case str():
            return ToolOutput(content=result)
        case bytes():
            return ToolOutput(content=result.decode("utf-8", "replace"))
    return ToolOutput(content=msgspec.json.encode(result, enc_hook=_to_json).decode())


def _to_json(value: Any) -> JSON:
    """JSON of what msgspec does not know: pydantic models, which are not imported for it, and paths."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a tool returns text, JSON values or a ToolOutput, not {type(value).__name__}")


def _within(output: ToolOutput, limit: int) -> ToolOutput:
    """`output` with at most about `limit` characters of text that controls nothing; the rest is in `full`."""
    content, full, size = output.content, output.full, output.size
    if not size:
        size = len(content.encode("utf-8", "replace"))
    if len(content) > limit:
        if full is None:
            full = content[:SPOOLED].encode("utf-8", "replace")[:SPOOLED]
        content = shorten(content, content, limit=limit, size=size)
    display = output.display.encode("utf-8", "backslashreplace").decode()  # half characters have no JSON form
    return msgspec.structs.replace(output, content=plain(content), display=display, full=full, size=size)
