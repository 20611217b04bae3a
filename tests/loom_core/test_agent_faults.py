"""What holds when things go wrong in an embedding program: bad providers, cancels at every moment, full disks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from loom_core import Agent, FileSessionStore, GovernancePolicy, Limits, Runtime, SessionConfig, Shell, tool
from loom_core.context.transcript import check_pairs
from loom_core.errors import BadResponse, StorageError
from loom_core.events import Event, ModelResponse, ToolResulted
from loom_core.messages import Text, ToolCall, ToolResult, Usage
from loom_core.providers.base import Delta, ModelRequest, Reply, StreamItem
from loom_core.runtime.approvals import Approval
from loom_core.runtime.hooks import HookEvent
from loom_core.runtime.session import Session
from loom_core.testing import ScriptedModel, Step, calls


@tool(read_only=True)
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Streaming(ScriptedModel):
    """A provider whose every answer is this stream."""

    def __init__(self, stream: Callable[[], AsyncIterator[StreamItem]]) -> None:
        super().__init__()
        self._stream = stream

    async def stream(self, request: ModelRequest) -> AsyncIterator[StreamItem]:
        self.requests.append(request)
        async for item in self._stream():
            yield item


async def half_then_nothing() -> AsyncIterator[StreamItem]:
    yield Delta(kind="text", text="half an answer")
    await asyncio.sleep(60)


async def half_then_a_bug() -> AsyncIterator[StreamItem]:
    yield Delta(kind="text", text="half an answer")
    raise KeyError("choices")


async def half_then_the_end() -> AsyncIterator[StreamItem]:
    yield Delta(kind="text", text="half an answer")


def test_two_calls_of_one_id_are_told_apart() -> None:
    both = tuple(ToolCall(id="same", name="add", arguments={"a": n, "b": n}) for n in (1, 2))
    with ScriptedModel([Reply(parts=both, usage=Usage(), stop="tool_calls"), "fine"]) as model:
        assert Agent(model=model, tools=[add]).run_sync("go").ok
    sent = model.requests[1].messages
    check_pairs(sent)
    assert [part.content for part in sent[-1].parts if isinstance(part, ToolResult)] == ["2", "4"]


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (half_then_a_bug, "internal_error"),
        (half_then_the_end, "provider_error"),
        (half_then_nothing, "budget_exhausted"),
    ],
    ids=["bug", "no reply", "time"],
)
def test_of_an_answer_that_failed_what_was_shown_is_kept(
    stream: Callable[[], AsyncIterator[StreamItem]], reason: str
) -> None:
    runtime = Runtime(limits=Limits(max_seconds=0.3))

    async def main() -> None:
        async with Agent(model=Streaming(stream), runtime=runtime).session() as session:
            run = session.start("go")
            result = await run.wait()
            assert (result.stop_reason, result.output) == (reason, "half an answer")
            (response,) = (event for event in run.transcript() if isinstance(event, ModelResponse))
            assert response.partial
            assert run.transcript()[-1].type == "run.end"

    asyncio.run(main())


def test_a_stream_without_an_end_is_a_bad_response() -> None:
    assert isinstance(Agent(model=Streaming(half_then_the_end)).run_sync("go").error, BadResponse)


def test_somebody_elses_time_out_is_not_the_runs() -> None:
    result = Agent(model=ScriptedModel([TimeoutError("mine")])).run_sync("go")
    assert result.stop_reason == "internal_error"


def test_an_unknown_price_counts_as_the_dearest() -> None:
    step = calls(("add", {"a": 1, "b": 1}))
    million = Reply(parts=step.parts, usage=Usage(input_tokens=1_000_000), stop="tool_calls")
    result = Agent(
        model=ScriptedModel([million]), tools=[add], runtime=Runtime(limits=Limits(max_cost_usd=0.5))
    ).run_sync("go")
    assert (result.stop_reason, result.cost_usd) == ("budget_exhausted", None)


def test_however_often_it_is_cancelled_the_end_is_told() -> None:
    async def slowly(_: HookEvent) -> None:
        await asyncio.sleep(0.05)

    async def main() -> None:
        agent = Agent(model=Streaming(half_then_nothing))
        agent.on("after_run", slowly)
        session = agent.session()
        run = session.start("go")
        async for event in run.events():
            if event.type == "model.delta":
                break
        run.cancel()
        await asyncio.sleep(0)
        run.cancel()
        await session.close()
        assert run.transcript()[-1].type == "run.end"
        assert (await run.wait()).state == "cancelled"

    asyncio.run(main())


def test_a_close_that_is_cancelled_gives_the_session_back(tmp_path: Path) -> None:
    store = FileSessionStore(tmp_path / "s")

    async def main() -> None:
        agent = Agent(model=Streaming(half_then_nothing), session_store=store)
        session = agent.session("one")
        run = session.start("go")
        await asyncio.sleep(0.05)
        closing = asyncio.ensure_future(session.close())
        await asyncio.sleep(0)
        closing.cancel()
        await session.close()
        assert run.ended
        await Agent(model=ScriptedModel([]), session_store=store).session("one").close()

    asyncio.run(main())


def test_words_said_in_the_last_turn_are_heard() -> None:
    async def answers() -> AsyncIterator[StreamItem]:
        yield Delta(kind="text", text="answer")
        await said.wait()
        yield Reply(parts=(Text(text="answer"),), usage=Usage(), stop="end")

    said = asyncio.Event()
    model = Streaming(answers)

    async def main() -> None:
        async with Agent(model=model).session() as session:
            run = session.start("go")
            async for event in run.events():
                if event.type == "model.delta" and not said.is_set():
                    run.steer("and with tabs")
                    said.set()
            assert (await run.wait()).turns == 2

    asyncio.run(main())
    assert model.requests[1].messages[-1].text == "and with tabs"


@pytest.mark.parametrize("answer_elsewhere", [True, False])
def test_an_approver_that_takes_its_time_holds_nothing_up(tmp_path: Path, *, answer_elsewhere: bool) -> None:
    async def show(approval: Approval) -> None:
        if answer_elsewhere:
            asyncio.get_running_loop().call_later(0.02, approval.reject)
        await asyncio.sleep(60)

    model = ScriptedModel([calls(("Shell", {"command": "touch x"})), "well"])
    runtime = Runtime(approval_timeout_s=10 if answer_elsewhere else 0.05)
    agent = Agent(model=model, capabilities=[Shell()], runtime=runtime, workspace=tmp_path, approver=show)
    begun = time.monotonic()
    assert agent.run_sync("go").ok
    assert time.monotonic() - begun < 5


def test_an_approver_that_fails_denies_that_call(tmp_path: Path) -> None:
    def broken(_: Approval) -> None:
        raise OSError("no display")

    model = ScriptedModel([calls(("Shell", {"command": "touch x"})), "well"])
    result = Agent(model=model, capabilities=[Shell()], workspace=tmp_path, approver=broken).run_sync("go")
    assert result.ok
    assert "no display" in result.denials[0].reason


def test_a_scope_that_does_not_exist_is_refused() -> None:
    approval = Approval(id="a", call=ToolCall(id="1", name="x", arguments={}), summary="", reason="", rule="x")
    with pytest.raises(ValueError, match="scope"):
        approval.approve(scope="always")  # type: ignore[arg-type]
    assert approval.status == "pending"


def test_a_tool_that_waits_for_something_cancelled_has_failed() -> None:
    @tool(read_only=True, concurrency_safe=True)
    async def waits() -> str:
        """Wait for a lost cause."""
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        lost.cancel()
        return await lost

    with ScriptedModel([calls(("waits", {}), ("waits", {})), "I see"]) as model:
        assert Agent(model=model, tools=[waits]).run_sync("go").ok
    assert all(isinstance(part, ToolResult) and part.is_error for part in model.requests[1].messages[-1].parts)


def test_a_sync_hook_does_not_stall_the_loop() -> None:
    async def main() -> None:
        agent = Agent(model=ScriptedModel(["x"]))
        agent.on("before_llm", lambda _: time.sleep(0.3))
        async with agent.session() as session:
            run = session.start("go")
            slowest = 0.0
            while not run.ended:
                begun = time.monotonic()
                await asyncio.sleep(0.005)
                slowest = max(slowest, time.monotonic() - begun)
        assert slowest < 0.25

    asyncio.run(main())


def test_closed_sessions_are_forgotten() -> None:
    async def main() -> None:
        agent = Agent(model=ScriptedModel(["x"] * 20))
        for _ in range(20):
            await agent.run("go")
        assert len(agent._sessions) <= 1
        assert agent._store.list() == []

    asyncio.run(main())


def test_no_key_in_the_repr_of_a_config() -> None:
    agent = Agent(model=ScriptedModel([]), environment={"OPENAI_API_KEY": "sk-canary"})
    assert "canary" not in repr(agent.config)


class FullDisk:
    """A log that takes `room` more events."""

    def __init__(self, session: Session, room: int) -> None:
        self.room, self._log = room, session._log
        self._append = self._log.append
        self._log.append = self.append  # type: ignore[assignment,method-assign]

    def append(self, event: Event) -> Event:
        if self.room == 0:
            raise StorageError("cannot write events.jsonl: No space left on device")
        self.room -= 1
        return self._append(event)


@pytest.mark.parametrize("room", range(12))
def test_a_full_disk_ends_the_run_as_such_and_nobody_waits_for_ever(room: int) -> None:
    with_tool: list[Step] = [calls(("add", {"a": 1, "b": 2})), "three"]

    async def main() -> None:
        async with Agent(model=ScriptedModel(with_tool), tools=[add]).session() as session:
            disk = FullDisk(session, room)
            run = session.start("go")
            seen = [event async for event in run.events()]
            result = await asyncio.wait_for(run.wait(), 5)
            if disk.room:
                assert result.ok
                return
            assert (result.state, result.stop_reason) == ("failed", "internal_error")
            assert isinstance(result.error, StorageError)
            assert result.error.exit_code == 74
            assert [event.type for event in seen].count("run.end") == 1
            assert seen[-1].type == "run.end"
            started = {event.call for event in seen if event.type == "tool.start"}  # type: ignore[attr-defined]
            finished = {event.call for event in seen if isinstance(event, ToolResulted)}
            assert finished <= started or room < 8

    asyncio.run(main())


def test_limits_on_calls_know_no_case() -> None:
    policy = GovernancePolicy(mode="auto", max_calls={"ADD": 0})
    with ScriptedModel([calls(("add", {"a": 1, "b": 1})), "no"]) as model:
        result = Agent(model=model, tools=[add], governance=policy).run_sync("go")
    assert [denial.rule for denial in result.denials] == ["max_calls.add: 0"]


def test_what_is_cleared_must_be_read_again(tmp_path: Path) -> None:
    from loom_core import Files

    (tmp_path / "a").write_text("old")
    write = calls(("Write", {"path": "a", "content": "new"}))
    model = ScriptedModel([calls(("Read", {"path": "a"})), "seen", write, "done"])
    agent = Agent(model=model, capabilities=[Files(read_only=False)], workspace=tmp_path)

    async def main() -> None:
        async with agent.session(SessionConfig()) as session:
            await session.run("read")
            session.clear()
            await session.run("write")

    asyncio.run(main())
    assert (tmp_path / "a").read_text() == "old"


def test_metadata_comes_back_with_the_session(tmp_path: Path) -> None:
    store = FileSessionStore(tmp_path / "s")

    async def main() -> None:
        for metadata, known in (({"a": 1}, {"a": 1}), ({"b": 2}, {"a": 1, "b": 2})):
            agent = Agent(model=ScriptedModel([]), session_store=store)
            async with agent.session(SessionConfig(id="one", metadata=metadata)) as session:
                assert session.metadata == known

    asyncio.run(main())


def test_text_parts_alone_make_an_answer() -> None:
    reply = Reply(parts=(Text(text="a"), Text(text="b")), usage=Usage(), stop="end")
    assert Agent(model=ScriptedModel([reply])).run_sync("go").output == "ab"
