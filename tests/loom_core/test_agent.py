"""The SDK as an embedding program uses it: a scripted model, everything else real."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

import loom_core
from loom_core import (
    Agent,
    AgentConfig,
    Files,
    FileSessionStore,
    GovernancePolicy,
    Limits,
    Model,
    RunContext,
    Runtime,
    RuntimeTask,
    Session,
    SessionConfig,
    Shell,
    Toolset,
    create_agent,
    tool,
)
from loom_core.context.transcript import check_pairs
from loom_core.errors import AuthenticationFailed, BadRequest, SessionClosed
from loom_core.events import ApprovalAnswer, ModelDelta, ToolDecision, ToolOutput, ToolResulted, UserMessage, to_json
from loom_core.messages import Message, Text, ToolResult, Usage
from loom_core.providers.base import Delta, ModelRequest, Reply, StreamItem
from loom_core.runtime.approvals import Approval
from loom_core.runtime.hooks import HOOK_NAMES, HookEvent
from loom_core.runtime.loop import STOPPED_AT, TOLD_AT
from loom_core.runtime.run import Run
from loom_core.testing import ScriptedModel, Step, calls


@tool(read_only=True)
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def results(message: Message) -> list[str]:
    return [part.content for part in message.parts if isinstance(part, ToolResult)]


def types(run: Run) -> list[str]:
    return [event.type for event in run.transcript()]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def in_session(agent: Agent, scenario: Callable[[Session], Awaitable[None]], session: str | None = None) -> None:
    async def main() -> None:
        async with agent.session(SessionConfig(id=session)) as opened:
            await scenario(opened)

    asyncio.run(main())


def test_public_names_are_exactly_the_table() -> None:
    assert sorted(loom_core.__all__) == sorted(["__version__", *loom_core._HOMES])
    for name in loom_core.__all__:
        assert getattr(loom_core, name) is not None


def test_a_tool_is_called_and_its_result_is_in_the_next_request() -> None:
    with ScriptedModel([calls(("add", {"a": 2, "b": 3})), "five"]) as model:
        agent = Agent(model=model, tools=[add])

        async def scenario(session: Session) -> None:
            run = session.start("2 + 3?")
            result = await run.wait()
            assert (result.state, result.stop_reason, result.output, result.turns) == (
                "completed",
                "completed",
                "five",
                2,
            )
            second = model.requests[1].messages
            check_pairs(second)
            assert results(second[-1]) == ["5"]
            wanted = ["tool.call", "tool.decision", "tool.start", "tool.result"]
            assert [name for name in types(run) if name.startswith("tool.")] == wanted

        in_session(agent, scenario)


def test_three_runs_of_a_session_are_one_conversation() -> None:
    with ScriptedModel(["a1", "a2", "a3"]) as model:

        async def scenario(session: Session) -> None:
            for question in ("q1", "q2", "q3"):
                await session.run(question)

        in_session(Agent(model=model, instructions="Be brief."), scenario)
    last = model.requests[2]
    assert last.system.startswith("Be brief.")
    assert [(message.role, message.text) for message in last.messages] == [
        ("user", "q1"),
        ("assistant", "a1"),
        ("user", "q2"),
        ("assistant", "a2"),
        ("user", "q3"),
    ]


def test_sessions_of_one_agent_share_no_text() -> None:
    model = ScriptedModel([lambda r: f"to {r.messages[0].text}"] * 4)

    async def main() -> None:
        agent = Agent(model=model)
        async with agent.session() as one, agent.session() as two:
            for _ in range(2):
                await asyncio.gather(one.run("alpha"), two.run("beta"))

    asyncio.run(main())
    for request in model.requests:
        text = str(request.messages)
        assert ("alpha" in text) != ("beta" in text)


def test_hooks_fire_in_order() -> None:
    seen: list[HookEvent] = []
    with ScriptedModel([calls(("add", {"a": 1, "b": 1})), "2"]) as model:
        agent = Agent(model=model, tools=[add])
        for name in HOOK_NAMES:
            agent.on(name, seen.append)
        agent.run_sync("go")
    assert [event.hook for event in seen] == [
        "before_run",
        "before_llm",
        "before_tool",
        "after_tool",
        "before_llm",
        "after_run",
    ]
    assert (seen[1].iteration, seen[4].iteration) == (1, 2)
    assert (seen[2].tool_name, seen[3].success, seen[5].success) == ("add", True, True)
    with pytest.raises(ValueError, match="no hook 'before_lunch'"):
        agent.on("before_lunch", seen.append)


def test_a_hook_that_raises_is_said_and_does_no_harm() -> None:
    async def scenario(session: Session) -> None:
        run = session.start("go")
        assert (await run.wait()).ok
        assert any("ZeroDivisionError" in str(event) for event in run.transcript() if event.type == "notice")

    agent = Agent(model=ScriptedModel(["fine"]))
    agent.on("before_llm", lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    in_session(agent, scenario)


def test_a_stream_begins_and_ends_as_it_must() -> None:
    async def main(model: ScriptedModel) -> list[str]:
        return [event.type async for event in Agent(model=model, tools=[add]).stream("go")]

    good = asyncio.run(main(ScriptedModel([calls(("add", {"a": 1, "b": 1}), text="let me see"), "2"])))
    assert (good[0], good[-1]) == ("run.start", "run.end")
    assert (
        good.index("model.delta") < good.index("model.response") < good.index("tool.call") < good.index("tool.result")
    )
    bad = asyncio.run(main(ScriptedModel([BadRequest("no")])))
    assert (bad[0], bad[-2:]) == ("run.start", ["error", "run.end"])


def test_a_tools_start_is_seen_before_it_ends() -> None:
    release = threading.Event()

    @tool(read_only=True)
    def slow() -> str:
        """Wait."""
        assert release.wait(10)
        return "ok"

    async def scenario(session: Session) -> None:
        names = []
        async for event in session.stream("go"):
            names.append(event.type)
            if event.type == "tool.start":
                assert "tool.result" not in names
                release.set()
        assert "tool.result" in names

    in_session(Agent(model=ScriptedModel([calls(("slow", {})), "done"]), tools=[slow]), scenario)


def test_events_are_there_for_late_listeners_too() -> None:
    async def scenario(session: Session) -> None:
        run = session.start("go")
        live = [event async for event in run.events()]
        late = [event async for event in run.events()]
        assert [event for event in live if not isinstance(event, ModelDelta)] == late

    in_session(Agent(model=ScriptedModel(["hello"])), scenario)


PROFILES = [
    Runtime.sdk(),
    Runtime(governance=GovernancePolicy(mode="default")),
    Runtime(governance=GovernancePolicy(mode="plan"), limits=Limits(max_turns=32, max_seconds=60)),
]


@pytest.mark.parametrize("runtime", PROFILES, ids=["sdk", "default", "plan"])
class TestEveryProfile:
    def test_the_turn_limit_is_no_completion(self, runtime: Runtime) -> None:
        limits = Limits(max_turns=2)
        model = ScriptedModel([calls(("add", {"a": n, "b": n})) for n in range(2)])
        profile = Runtime(limits=limits, governance=runtime.governance)
        result = Agent(model=model, tools=[add], runtime=profile).run_sync("go")
        assert (result.state, result.stop_reason) == ("failed", "max_turns")
        assert result.error is not None
        assert result.error.exit_code == 5

    def test_a_provider_error_is_a_typed_failure(self, runtime: Runtime) -> None:
        result = Agent(model=ScriptedModel([BadRequest("broken")]), runtime=runtime).run_sync("go")
        assert (result.state, result.stop_reason) == ("failed", "provider_error")
        assert isinstance(result.error, BadRequest)

    def test_an_answer_that_starts_with_error_is_an_answer(self, runtime: Runtime) -> None:
        result = Agent(model=ScriptedModel(["Error: a word"]), runtime=runtime).run_sync("go")
        assert (result.state, result.output) == ("completed", "Error: a word")


def test_without_a_key_the_run_fails_at_once_and_says_what_to_do() -> None:
    result = Agent(model="anthropic:some-model", environment={}).run_sync("go")
    assert (result.state, result.stop_reason, result.turns) == ("failed", "provider_error", 1)
    assert isinstance(result.error, AuthenticationFailed)
    assert "ANTHROPIC_API_KEY" in (result.error.hint or "")


def test_cancel_ends_the_run_and_its_processes(tmp_path: Path) -> None:
    mark = tmp_path / "pid"

    async def scenario(session: Session) -> None:
        run = session.start("go")
        seen = []

        async def listen() -> None:
            seen.extend([event.type async for event in run.events()])

        listening = asyncio.ensure_future(listen())
        await until(lambda: mark.exists() and bool(mark.read_text().strip()))
        run.cancel()
        result = await run.wait()
        await listening
        assert (result.state, result.stop_reason) == ("cancelled", "cancelled")
        assert seen[-1] == "run.end"
        outcome = [event for event in run.transcript() if isinstance(event, ToolResulted)]
        assert [event.outcome for event in outcome] == ["cancelled"]
        pid = int(mark.read_text())
        await until(lambda: not Path(f"/proc/{pid}").exists())

    command = f"echo $$ > {mark}; sleep 60 & sleep 60"
    agent = Agent(
        model=ScriptedModel([calls(("Shell", {"command": command}))]),
        capabilities=[Shell(require_approval=False)],
        governance=GovernancePolicy(mode="auto"),
        workspace=tmp_path,
    )
    in_session(agent, scenario)


def test_cancel_keeps_the_words_already_shown() -> None:
    class Stuck(ScriptedModel):
        async def stream(self, request: ModelRequest) -> AsyncIterator[StreamItem]:
            self.requests.append(request)
            if len(self.requests) > 1:
                yield Reply(parts=(Text(text="again"),), usage=Usage(), stop="end")
                return
            yield Delta(kind="text", text="half an ans")
            await asyncio.sleep(60)

    model = Stuck()

    async def scenario(session: Session) -> None:
        run = session.start("q")
        async for event in run.events():
            if event.type == "model.delta":
                run.cancel()
        await session.run("go on")

    in_session(Agent(model=model), scenario)
    assert [message.text for message in model.requests[1].messages] == ["q", "half an ans", "go on"]


def test_a_queued_run_can_be_cancelled_before_it_begins() -> None:
    async def scenario(session: Session) -> None:
        first, second = session.start("one"), session.start("two")
        second.cancel()
        assert (await first.wait()).ok
        assert (await second.wait()).state == "cancelled"
        assert [event async for event in second.events()] == []
        assert [run.id for run in session.runs] == [first.id, second.id]

    in_session(Agent(model=ScriptedModel(["1"])), scenario)


def test_a_closed_session_says_so_and_its_log_can_be_opened_again(tmp_path: Path) -> None:
    model = ScriptedModel(["a1", "a2"])
    agent = Agent(model=model, session_store=FileSessionStore(tmp_path / "sessions"))

    async def main() -> None:
        session = agent.session("s1")
        await session.run("q1")
        await session.close()
        await session.close()
        with pytest.raises(SessionClosed):
            session.start("no")
        with pytest.raises(SessionClosed):
            async for _ in session.stream("no"):
                pass
        again = agent.session("s1")
        assert again is not session
        await again.run("q2")
        await again.close()

    asyncio.run(main())
    assert [message.text for message in model.requests[1].messages] == ["q1", "a1", "q2"]


def test_the_same_id_is_the_same_session_until_it_was_long_unused() -> None:
    async def main() -> None:
        agent = Agent(model=ScriptedModel(["x"]), runtime=Runtime(session_ttl_s=100))
        one = agent.session(SessionConfig(id="s", metadata={"a": 1}))
        two = agent.session(SessionConfig(id="s", metadata={"b": 2}))
        assert one is two
        assert one.metadata == {"a": 1, "b": 2}
        await one.run("counts as use")
        one.last_used -= 101
        three = agent.session("s")
        assert three is not one
        assert [message.text for message in three.messages] == ["counts as use", "x"]
        await three.close()

    asyncio.run(main())


def test_goal_inputs_and_criteria_reach_the_model_apart() -> None:
    with ScriptedModel(["ok"]) as model:
        task = RuntimeTask(goal="review", input={"diff": "+1\n-2", "meta": {"n": None}}, criteria=["short", "kind"])

        async def scenario(session: Session) -> None:
            await session.run(task, RunContext(inputs={"more": [1, 2]}))

        in_session(Agent(model=model), scenario)
    text = model.requests[0].messages[0].text
    assert text.startswith("review\n\n")
    for piece in ("- short\n- kind", "+1\n-2", '{"n": null}', "[1, 2]", '<input name="diff" bytes="5"'):
        assert piece in text


@pytest.mark.parametrize(
    ("keywords", "error", "names"),
    [
        ({"config": AgentConfig(model="p:m"), "model": "p:m"}, TypeError, "config= excludes model"),
        ({"model": "openai"}, ValueError, "provider"),
        ({}, TypeError, "model"),
        ({"model": 5}, TypeError, "model"),
        ({"model": "p:m", "tools": [print]}, TypeError, "@tool"),
        ({"model": "p:m", "capabilities": [{"name": "files"}]}, TypeError, "capabilities"),
        ({"model": "p:m", "runtime": {"max_turns": 3}}, TypeError, "runtime"),
        ({"model": "p:m", "governance": "auto"}, TypeError, "governance"),
        ({"model": "p:m", "orchestration": 1, "runtime": Runtime()}, TypeError, "orchestration"),
        ({"model": "p:m", "generation": {"temperature": 1}}, TypeError, "generation"),
    ],
)
def test_wrong_assembly_names_the_field(keywords: dict[str, object], error: type[Exception], names: str) -> None:
    with pytest.raises(error, match=names):
        Agent(**keywords)  # type: ignore[arg-type]


def test_create_agent_is_the_agent_of_a_config() -> None:
    config = AgentConfig(model=ScriptedModel(["x"]), tools=(add,))
    assert create_agent(config).describe() == Agent(config=config).describe()
    assert create_agent(config).describe()["tools"] == ["add"]


def test_two_tools_of_one_name_name_their_owners() -> None:
    with pytest.raises(ValueError, match=r"add.*'mine'.*'tools'"):
        Agent(model="p:m", tools=[add], capabilities=[Toolset("mine", add)])


def test_no_secret_in_a_repr() -> None:
    agent = Agent(model=Model.parse("openai:gpt", api_key="sk-canary"))
    assert "canary" not in repr(agent) + repr(agent.config.model) + str(agent.describe())


@pytest.mark.parametrize(
    ("policy", "stage"),
    [
        (GovernancePolicy(mode="auto", deny=("boom",)), "deny"),
        (GovernancePolicy(mode="auto", tools=("add",)), "deny"),
        (GovernancePolicy(mode="auto", read_only=True), "deny"),
        (GovernancePolicy(mode="auto"), "deny"),
        (GovernancePolicy(mode="plan", destructive=True), "mode"),
    ],
    ids=["deny rule", "allow list", "read-only", "destructive without leave", "plan"],
)
def test_a_refused_call_is_an_error_result_and_the_run_goes_on(policy: GovernancePolicy, stage: str) -> None:
    ran = []

    @tool(destructive=True)
    def boom() -> str:
        """Destroy."""
        ran.append(1)
        return ""

    with ScriptedModel([calls(("boom", {})), "understood"]) as model:
        result = Agent(model=model, tools=[add, boom], governance=policy).run_sync("go")
    assert result.ok
    assert not ran
    assert results(model.requests[1].messages[-1])[0].startswith("denied: ")
    assert [(denial.tool, denial.stage) for denial in result.denials] == [("boom", stage)]


def test_a_rate_limit_counts_attempts() -> None:
    policy = GovernancePolicy(mode="auto", rate_limits={"fails": 1})

    @tool
    def fails() -> str:
        """Fail."""
        raise RuntimeError("always")

    with ScriptedModel([calls(("fails", {})), calls(("fails", {})), "ok"]) as model:
        Agent(model=model, tools=[fails], governance=policy).run_sync("go")
    assert "always" in results(model.requests[1].messages[-1])[0]
    assert "denied" in results(model.requests[2].messages[-1])[0]


def shell_agent(
    model: ScriptedModel, tmp_path: Path, approver: Callable[[Approval], None] | None, **policy: object
) -> Agent:
    return Agent(
        model=model,
        capabilities=[Shell()],
        governance=GovernancePolicy(**policy),  # type: ignore[arg-type]
        workspace=tmp_path,
        approver=approver,
    )


@pytest.mark.parametrize("mode", ["default", "auto"])
def test_nothing_runs_until_it_is_approved(tmp_path: Path, mode: str) -> None:
    seen: list[Approval] = []
    model = ScriptedModel([calls(("Shell", {"command": "touch made"})), "done"])

    async def scenario(session: Session) -> None:
        run = session.start("go")
        await until(lambda: bool(seen))
        assert run.state == "waiting_approval"
        assert not (tmp_path / "made").exists()
        assert "touch made" in seen[0].summary
        assert seen[0].approve(by="tester")
        assert not seen[0].reject()
        assert (await run.wait()).ok
        assert (tmp_path / "made").exists()
        answer = next(event for event in run.transcript() if isinstance(event, ApprovalAnswer))
        assert (answer.status, answer.by) == ("approved", "tester")

    in_session(shell_agent(model, tmp_path, seen.append, mode=mode), scenario)


def rejecting(approval: Approval) -> None:
    approval.reject("use the other file")


def test_a_rejection_tells_the_model_why(tmp_path: Path) -> None:
    model = ScriptedModel([calls(("Shell", {"command": "touch made"})), "I see"])
    result = shell_agent(model, tmp_path, rejecting).run_sync("go")
    assert result.ok
    assert "use the other file" in results(model.requests[1].messages[-1])[0]
    assert not (tmp_path / "made").exists()


def test_an_unanswered_approval_expires(tmp_path: Path) -> None:
    model = ScriptedModel([calls(("Shell", {"command": "touch made"})), "I see"])
    agent = Agent(
        model=model,
        capabilities=[Shell()],
        runtime=Runtime(approval_timeout_s=0.05),
        workspace=tmp_path,
        approver=lambda _: None,
    )
    result = agent.run_sync("go")
    assert result.ok
    assert "expired" in results(model.requests[1].messages[-1])[0]


def test_an_approval_for_the_session_is_not_asked_again(tmp_path: Path) -> None:
    asked: list[str] = []

    def approver(approval: Approval) -> None:
        asked.append(approval.summary)
        approval.approve(scope="session")

    commands = ["touch a", "touch a", "touch b"]
    model = ScriptedModel([*(calls(("Shell", {"command": command})) for command in commands), "done"])
    assert shell_agent(model, tmp_path, approver).run_sync("go").ok
    assert len(asked) == 2


def test_without_anyone_to_ask_the_run_stops_and_says_what_would_allow_it(tmp_path: Path) -> None:
    with ScriptedModel([calls(("Shell", {"command": "touch made"}), ("Shell", {"command": "ls"}))]) as model:
        result = shell_agent(model, tmp_path, None).run_sync("go")
    assert result.stop_reason == "approval_unavailable"
    assert result.error is not None
    assert result.error.exit_code == 6
    assert "--allow 'Shell(touch made)'" in (result.error.hint or "")
    assert [denial.tool for denial in result.denials] == ["Shell"]


def test_or_the_model_is_told_where_that_was_chosen(tmp_path: Path) -> None:
    with ScriptedModel([calls(("Shell", {"command": "touch made"})), "then not"]) as model:
        result = shell_agent(model, tmp_path, None, on_denied="continue").run_sync("go")
    assert (result.ok, result.output) == (True, "then not")
    assert len(result.denials) == 1


def test_arguments_that_are_wrong_are_told_to_the_model() -> None:
    steps: list[Step] = [calls(("add", {"a": "two", "b": 3})), calls(("ad", {})), "sorry"]
    with ScriptedModel(steps) as model:
        assert Agent(model=model, tools=[add]).run_sync("go").ok
    assert "a" in results(model.requests[1].messages[-1])[0]
    assert "add" in results(model.requests[2].messages[-1])[0]


def test_files_outside_the_workspace_are_refused(tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    workspace.mkdir()
    (tmp_path / "secret").write_text("canary")
    (workspace / "link").symlink_to(tmp_path / "secret")
    paths = ["../secret", str(tmp_path / "secret"), "link", "/etc/passwd"]
    steps: list[Step] = [calls(*(("Read", {"path": path}) for path in paths)), "no"]
    with ScriptedModel(steps) as model:
        assert Agent(model=model, capabilities=[Files()], workspace=workspace).run_sync("go").ok
    told = results(model.requests[1].messages[-1])
    assert len(told) == 4
    assert all(text.startswith("denied: ") for text in told)
    assert "canary" not in str(told)


def test_a_repeating_model_is_told_and_stopped() -> None:
    model = ScriptedModel([calls(("add", {"a": 1, "b": 1}))] * STOPPED_AT)
    result = Agent(model=model, tools=[add]).run_sync("go")
    assert result.stop_reason == "repeated_calls"
    told = [number for number, request in enumerate(model.requests) if "[loom:" in results_of_last(request)]
    assert tuple(told) == TOLD_AT


def results_of_last(request: ModelRequest) -> str:
    return "".join(results(request.messages[-1]))


def test_safe_tools_run_side_by_side_and_results_keep_their_order() -> None:
    both = threading.Barrier(2, timeout=10)

    @tool(read_only=True, concurrency_safe=True)
    def meet(name: str) -> str:
        """Wait for the other."""
        both.wait()
        return name

    with ScriptedModel([calls(("meet", {"name": "a"}), ("meet", {"name": "b"})), "done"]) as model:
        assert Agent(model=model, tools=[meet]).run_sync("go").ok
    assert results(model.requests[1].messages[-1]) == ["a", "b"]


def test_steering_is_heard_at_the_next_turn_and_can_be_taken_back() -> None:
    model = ScriptedModel([calls(("hold", {})), "done"])
    release = threading.Event()

    @tool(read_only=True)
    def hold() -> str:
        """Wait."""
        assert release.wait(10)
        return "ok"

    async def scenario(session: Session) -> None:
        run = session.start("go")
        await until(lambda: "tool.start" in types(run))
        run.steer("use port 8080")
        run.steer("and hurry")
        assert run.take_back() == "and hurry"
        release.set()
        await run.wait()
        assert run.take_back() is None
        with pytest.raises(ValueError, match="ended"):
            run.steer("too late")
        assert [event.text for event in run.transcript() if isinstance(event, UserMessage) and event.steer] == [
            "use port 8080"
        ]

    in_session(Agent(model=model, tools=[hold]), scenario)
    assert model.requests[1].messages[-1].text == "use port 8080"


def test_a_run_out_of_time_is_ended_with_its_tools() -> None:
    @tool(read_only=True)
    async def forever() -> str:
        """Never end."""
        await asyncio.sleep(60)
        return ""

    model = ScriptedModel([calls(("forever", {}))])
    agent = Agent(model=model, tools=[forever], runtime=Runtime(limits=Limits(max_seconds=0.1)))
    begun = time.monotonic()
    result = agent.run_sync("go")
    assert result.stop_reason == "budget_exhausted"
    assert time.monotonic() - begun < 5


def test_instruction_files_are_in_the_system_prompt(tmp_path: Path) -> None:
    from loom_core import Memory

    (tmp_path / ".git").mkdir()
    (tmp_path / "AGENTS.md").write_text("Use tabs.")
    inner = tmp_path / "src"
    inner.mkdir()
    (inner / "AGENTS.md").write_text("Use spaces here.")
    with ScriptedModel(["ok"]) as model:
        Agent(model=model, instructions="You are loom.", memory=Memory.instruction_files(inner)).run_sync("go")
    system = model.requests[0].system
    assert system.index("You are loom.") < system.index("Use tabs.") < system.index("Use spaces here.")


def test_the_second_request_begins_with_the_first(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with ScriptedModel([calls(("Read", {"path": "a"})), "done", "more"]) as model:

        async def scenario(session: Session) -> None:
            await session.run("one")
            await session.run("two")

        in_session(Agent(model=model, capabilities=[Files()], workspace=tmp_path), scenario)
    for earlier, later in zip(model.requests, model.requests[1:], strict=False):
        assert later.system == earlier.system
        assert later.tools == earlier.tools
        assert later.messages[: len(earlier.messages)] == earlier.messages


def test_hostile_tool_output_is_harmless_everywhere(tmp_path: Path) -> None:
    nasty = "\x1b]52;c;aGk=\x07\x1b[8mhidden\x9b31m\u202etxt\x00[bold]x[/]\ud800"

    @tool(read_only=True)
    def nasty_tool() -> str:
        """Say something nasty."""
        return nasty

    model = ScriptedModel([calls(("nasty_tool", {})), "seen"])
    store = FileSessionStore(tmp_path / "s")
    agent = Agent(model=model, tools=[nasty_tool], session_store=store)

    async def main() -> None:
        async with agent.session("s1") as session:
            await session.run("go")
            for event in session.events():
                json.loads(to_json(event))

    asyncio.run(main())
    raw = (store.path("s1") / "events.jsonl").read_bytes()
    assert not set(raw) & (set(range(0x20)) - {0x0A})
    text = raw.decode()
    assert not any(0x7F <= ord(c) <= 0x9F or c in "\u202e\u2028" for c in text)
    assert all(json.loads(line) for line in text.splitlines())
    told = results(model.requests[1].messages[-1])[0]
    assert "\x1b" not in told
    assert "\x00" not in told


def test_a_decision_names_stage_and_rule(tmp_path: Path) -> None:
    model = ScriptedModel([calls(("Shell", {"command": "rm -rf /"})), "no"])
    policy = GovernancePolicy(mode="auto", deny=("Shell(rm *)",))

    async def scenario(session: Session) -> None:
        run = session.start("go")
        await run.wait()
        decision = next(event for event in run.transcript() if isinstance(event, ToolDecision))
        assert (decision.action, decision.stage) == ("deny", "veto")
        assert decision.rule

    agent = Agent(model=model, capabilities=[Shell()], governance=policy, workspace=tmp_path)
    in_session(agent, scenario)


def test_progress_of_a_tool_is_seen_and_not_logged(tmp_path: Path) -> None:
    model = ScriptedModel([calls(("Shell", {"command": "echo one; sleep 0.5; echo two"})), "done"])
    agent = Agent(
        model=model,
        capabilities=[Shell(require_approval=False)],
        governance=GovernancePolicy(mode="auto"),
        workspace=tmp_path,
    )

    async def scenario(session: Session) -> None:
        run = session.start("go")
        seen = [event async for event in run.events()]
        assert "one" in "".join(event.text for event in seen if isinstance(event, ToolOutput))
        assert not any(isinstance(event, ToolOutput) for event in run.transcript())

    in_session(agent, scenario)


def test_another_model_can_answer_from_the_next_run_on() -> None:
    one, two = ScriptedModel(["1"]), ScriptedModel(["2"], name="other")

    async def scenario(session: Session) -> None:
        assert (await session.run("a")).output == "1"
        session.use_model("other:m", lambda: two)
        assert (await session.run("b")).output == "2"
        assert session.model == "other:m"

    in_session(Agent(model=one), scenario)
    assert [message.text for message in two.requests[0].messages] == ["a", "1", "b"]


def test_a_model_of_the_same_provider_is_reached_the_same_way() -> None:
    agent = Agent(model=Model.compatible("one", base_url="http://127.0.0.1:9/v1"), environment={})
    assert agent.connection("compatible:two")() is not None
    with pytest.raises(AuthenticationFailed):
        agent.connection("anthropic:three")()


def test_importing_the_package_is_cheap() -> None:
    import subprocess
    import sys

    code = "import sys, loom_core; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert "loom_core" in done.stdout.split()
    assert not {"asyncio", "msgspec", "httpx", "typing"} & set(done.stdout.split())
