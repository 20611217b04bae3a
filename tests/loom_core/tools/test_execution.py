"""Running a tool: what it gives, how long it may take, and what its faults become."""

import asyncio
import contextvars
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest

from loom_core.errors import ToolError
from loom_core.tools.decorate import tool
from loom_core.tools.execution import run_tool
from loom_core.tools.spec import ToolContext, ToolOutput
from tests.support.tool_context import DirectoryContext, context_in


@pytest.fixture
def context(tmp_path: Path) -> DirectoryContext:
    return context_in(tmp_path)


@dataclasses.dataclass
class Point:
    x: int


class Item(pydantic.BaseModel):
    name: str


def run(function: Callable[..., Any], context: ToolContext, **limits: Any) -> ToolOutput:
    return asyncio.run(run_tool(tool(function, name="tried"), {}, context, **limits))


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("text", "text"),
        ("", ""),
        (None, ""),
        (5, "5"),
        (True, "true"),
        (b"caf\xc3\xa9\xff", "café\ufffd"),
        ({"a": [1, None], "b": "é"}, '{"a":[1,null],"b":"é"}'),
        ([1, 2], "[1,2]"),
        (Point(1), '{"x":1}'),
        ({"items": [Item(name="n")]}, '{"items":[{"name":"n"}]}'),
        ([Path("a/b")], '["a/b"]'),
        (float("nan"), "null"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_value_becomes_text(context: DirectoryContext, value: object, content: str, kind: str) -> None:
    def sync() -> object:
        return value

    async def awaited() -> object:
        return value

    output = run(sync if kind == "sync" else awaited, context)
    assert output == ToolOutput(content=content, size=len(content.encode()))


def test_an_output_of_its_own_is_kept(context: DirectoryContext) -> None:
    output = run(lambda: ToolOutput(content="a", is_error=True, display="\udcff+a"), context)
    assert output == ToolOutput(content="a", is_error=True, display="\\udcff+a", size=1)


def fails(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "content"),
    [
        (ToolError("no such file"), "no such file"),
        (ToolError("no such file", hint="try Glob"), "no such file\ntry Glob"),
        (ValueError("bad"), "ValueError: bad"),
        (KeyError("k"), "KeyError: 'k'"),
        (RuntimeError(), "RuntimeError"),
        (TimeoutError("its own"), "TimeoutError: its own"),
        (SystemExit(3), "SystemExit: 3"),
        (StopIteration("x"), "RuntimeError: coroutine raised StopIteration"),
    ],
    ids=repr,
)
def test_an_error_becomes_a_result_without_a_traceback(
    context: DirectoryContext, error: BaseException, content: str
) -> None:
    output = run(fails(error), context)
    assert (output.content, output.is_error, output.timed_out) == (content, True, False)


def test_a_value_without_a_json_form_is_an_error_and_no_repr(context: DirectoryContext) -> None:
    output = run(lambda: object(), context)  # noqa: PLW0108  # `object` has no signature
    assert output.is_error
    assert "not object" in output.content
    assert " at 0x" not in output.content


def test_a_context_is_handed_to_a_tool_that_asks(context: DirectoryContext) -> None:
    def function(bench: ToolContext) -> str:
        return str(bench.workspace.root)

    assert run(function, context).content == str(context.workspace.root)


def test_a_sync_tool_sees_the_callers_context_variables(context: DirectoryContext) -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    def read() -> str:
        return variable.get()

    async def main() -> ToolOutput:
        variable.set("set")
        return await run_tool(tool(read), {}, context)

    assert asyncio.run(main()).content == "set"


def test_a_sync_tool_does_not_stop_the_loop_and_is_not_waited_for(context: DirectoryContext) -> None:
    begun = time.monotonic()
    output = run(lambda: time.sleep(5), context, timeout=0.05)
    assert output.timed_out
    assert output.is_error
    assert "time limit of 0.05 s" in output.content
    assert time.monotonic() - begun < 2


def test_the_tools_own_time_limit_comes_first(context: DirectoryContext) -> None:
    async def slow() -> None:
        await asyncio.sleep(5)

    made = tool(slow, timeout=0.05)
    assert asyncio.run(run_tool(made, {}, context, timeout=None)).timed_out


def test_cancellation_passes_through(context: DirectoryContext) -> None:
    async def main() -> None:
        begun = asyncio.Event()

        async def waits() -> None:
            begun.set()
            await asyncio.sleep(5)

        task = asyncio.create_task(run_tool(tool(waits), {}, context))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_long_result_is_cut_and_whole_elsewhere(context: DirectoryContext) -> None:
    text = "a" * 20_000 + "é" * 20_000
    output = run(lambda: text, context)
    assert len(output.content) < 30_100
    assert output.content.startswith("aaa")
    assert output.content.endswith("ééé")
    assert "bytes left out; the whole output is 60,000 bytes" in output.content
    assert output.full == text.encode()
    assert output.size == 60_000


@pytest.mark.parametrize(
    "text",
    ["\x1b[31mred", "nul\0", "\u202eback", "half\ud800", "c1\x9b31m", "bell\x07", "\x1b]52;c;eA==\x07"],
    ids=ascii,
)
@pytest.mark.parametrize("way", ["result", "error"])
def test_no_text_controls_anything(context: DirectoryContext, text: str, way: str) -> None:
    output = run((lambda: text) if way == "result" else fails(ValueError(text)), context)
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F for character in output.content)
    assert "\u202e" not in output.content
    msgspec.json.encode(output.content)
