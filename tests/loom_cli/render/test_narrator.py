from __future__ import annotations

import pytest

from loom_cli.line.recap import recap
from loom_cli.render.narrator import Narrator, describe_call, duration, note
from loom_cli.render.paint import line, paint
from loom_cli.render.scrollback import Scrollback
from loom_core.events import (
    ApprovalAnswer,
    BudgetWarn,
    ErrorData,
    Event,
    InputData,
    ModelDelta,
    ModelResponse,
    Notice,
    RunEnd,
    RunStart,
    SessionClear,
    StreamRestarted,
    ToolCalled,
    ToolResulted,
    ToolStart,
    UserMessage,
)
from loom_core.messages import JSON, Text, ToolCall, Usage


def told(*events: Event, columns: int = 60) -> str:
    narrator = Narrator(lambda: columns)
    return "".join(paint(narrator.tell(event), color=False) for event in events)


def call(**arguments: JSON) -> ToolCalled:
    return ToolCalled(call="c", tool="Shell", arguments=arguments)


def result(content: str = "", outcome: str = "ok", **fields: object) -> ToolResulted:
    values = {"is_error": outcome != "ok", "duration_ms": 40, **fields}
    return ToolResulted(call="c", tool="Shell", content=content, outcome=outcome, **values)  # type: ignore[arg-type]


def end(**fields: object) -> RunEnd:
    values = {"state": "completed", "stop_reason": "completed", "answer": "fine", **fields}
    return RunEnd(usage=Usage(), turns=1, duration_ms=1, **values)  # type: ignore[arg-type]


def answer(status: str, **fields: object) -> ApprovalAnswer:
    values = {"scope": "once", "by": "user", **fields}
    return ApprovalAnswer(approval="a", call="c", status=status, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([UserMessage(text="one\ntwo")], "› one\n  two\n"),
        (
            [UserMessage(text="see", inputs=(InputData(name="a.txt", text="", bytes=1234, sha256=""),))],
            "› see\n  with a.txt, 1,234 bytes\n",
        ),
        ([call(command="ls")], ""),
        ([call(command="ls"), result("a\nb\n")], "  ✓ Shell ls · 2 lines · 40 ms\n"),
        ([call(command="ls"), result("a\nb\n\n[loom: this was read before]")], "  ✓ Shell ls · 2 lines · 40 ms\n"),
        ([call(command="ls"), result("a", bytes=5000)], "  ✓ Shell ls · 5,000 bytes · 40 ms\n"),
        ([call(command="ls"), result("no", "error")], "  ✗ Shell ls · failed · 40 ms\n    no\n"),
        ([call(command="ls"), result("no", "denied")], "  ✗ Shell ls · not allowed\n    no\n"),
        ([call(command="ls"), result("late", "timeout")], "  ✗ Shell ls · timed out · 40 ms\n    late\n"),
        ([call(command="x" * 80), result()], f"  ✓ Shell {'x' * 41}… · 40 ms\n"),
        ([call(command="a\nb"), result()], "  ✓ Shell a ⏎ b · 40 ms\n"),
        ([result()], "  ✓ Shell · 40 ms\n"),
        ([answer("approved")], "  ✓ allowed once\n"),
        ([answer("approved", scope="session", rule="Shell(ls)")], "  ✓ allowed for this session: Shell(ls)\n"),
        ([answer("rejected", reason="not now")], "  ✗ refused: not now\n"),
        ([answer("expired")], "  ✗ not answered in time, so refused\n"),
        ([answer("rejected"), result("denied: ...", "denied")], "  ✗ refused\n  ✗ Shell · not allowed\n"),
        ([answer("approved"), result("", display="@@\n+new")], "  ✓ allowed once\n  ✓ Shell · 40 ms\n"),
        ([ModelDelta(kind="text", text="x")], ""),
        ([StreamRestarted(attempt=2, reason="529", delay_s=1)], "  the answer broke off (529); asking again\n"),
        ([BudgetWarn(budget="tokens", used=80, limit=100)], "  ! 80% of the tokens budget is used\n"),
        ([Notice(text="by the way")], "  by the way\n"),
        ([end()], ""),
        ([end(state="cancelled", stop_reason="cancelled")], "  ✗ cancelled\n"),
        (
            [end(state="failed", stop_reason="internal_error", error=ErrorData(code="x", message="no", hint="do\nit"))],
            "✗ no\n  do\n  it\n",
        ),
    ],
    ids=lambda value: value.splitlines()[0] if isinstance(value, str) and value else None,
)
def test_each_event_is_told_once(events: list[Event], text: str) -> None:
    assert told(*events) == text


def test_a_diff_is_shown_without_its_header_and_cut() -> None:
    display = "--- a\n+++ b\n@@ -1 +1 @@\n" + "\n".join(f"+{number}" for number in range(30))
    shown = told(result("", display=display)).splitlines()
    assert shown[1:3] == ["    @@ -1 +1 @@", "    +0"]
    assert shown[-1] == "    … 7 more lines"


def test_of_a_failure_the_last_lines_are_shown() -> None:
    output = "".join(f"line {number}\n" for number in range(10))
    shown = told(result(f"{output}[exit code 3]\n\n[loom: try something else]", "error")).splitlines()
    assert shown[1:3] == ["    … 5 lines before", "    line 5"]
    assert shown[-2:] == ["    line 9", "    [exit code 3]"]


def test_what_steers_a_terminal_is_visible_in_a_call() -> None:
    assert "✓ Shell echo \\x1b[8mhidden" in told(call(command="echo \x1b[8mhidden"), result())


def test_what_a_dead_process_left_is_told_when_it_is_known() -> None:
    begun = RunStart(model="m", mode="default", cwd="/", tools=(), limits={})
    second = ToolCalled(call="d", tool="Read", arguments={"path": "a"})
    events: list[Event] = [begun, call(command="make"), second, ToolStart(call="c", tool="Shell")]
    assert told(*events) == ""
    broken = (
        "  ✗ Shell make · interrupted, outcome unknown\n"
        "  ✗ Read a · not run\n"
        "  ✗ interrupted: loom ended while this was in progress\n"
    )
    assert told(*events, begun, end(), begun) == broken
    narrator = Narrator(lambda: 60)
    for event in events:
        narrator.tell(event)
    assert paint(narrator.broken_off(), color=False) == broken
    assert narrator.broken_off() == []


def test_calls_the_log_has_only_in_the_answer_did_not_run() -> None:
    parts = (Text(text="so"), ToolCall(id="x", name="Glob", arguments={"pattern": "*"}))
    response = ModelResponse(turn=1, model="m", parts=parts, usage=Usage(), stop="tool_calls", duration_ms=1)
    begun = RunStart(model="m", mode="default", cwd="/", tools=(), limits={})
    assert '✗ Glob "*" · not run' in told(begun, response, begun)


def test_lines_are_wrapped_between_words_below_their_beginning() -> None:
    lines = [note("a remark that is long", mark="!"), line("  ✓ ", "wide 日本語 words"), line("x" * 45)]
    assert paint(lines, color=False, columns=24) == (
        "  ! a remark that is\n    long\n  ✓ wide 日本語 words\n" + "x" * 24 + "\n" + "x" * 21 + "\n"
    )
    assert paint([line("  ✓ ", "wide 日本語日本語")], color=False, columns=24) == "  ✓ wide 日本語日本語\n"
    assert (
        paint([line("  ✓ ", "wider 日本語日本語日本")], color=False, columns=24) == "  ✓ wider\n    日本語日本語日本\n"
    )
    assert paint([note("one two", mark="!")], color=True, columns=30).startswith("  \x1b[2m! one two")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"command": "git log"}, "Tool git log"),
        ({"path": "a.py", "limit": 3}, "Tool a.py"),
        ({"pattern": "x"}, 'Tool "x"'),
        ({"pattern": "x", "path": "src"}, 'Tool "x" in src'),
        ({"other": [1]}, 'Tool {"other":[1]}'),
        ({}, "Tool"),
    ],
    ids=repr,
)
def test_a_call_is_described_by_what_it_is_about(arguments: dict[str, JSON], text: str) -> None:
    assert describe_call("Tool", arguments) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "40 ms"), (1.23, "1.2 s"), (64, "64 s"), (185, "3 min 5 s")], ids=repr
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_color_is_the_only_difference_color_makes() -> None:
    lines = Narrator(lambda: 60).tell(result("no", "error"))
    painted = paint(lines, color=True)
    assert "\x1b[31m✗ \x1b[0m" in painted
    assert "\x1b" not in paint(lines, color=False)


def test_nothing_foreign_controls_the_terminal() -> None:
    evil = "\x1b]52;c;AA\x07\x1b[2J\x9b31m\u202e"
    shown = told(call(command=evil), result(evil, "error"), UserMessage(text=evil), Notice(text=evil))
    assert all(char == "\n" or char.isprintable() for char in shown)


def test_a_recap_tells_the_last_exchange() -> None:
    begun = RunStart(model="m", mode="default", cwd="/", tools=(), limits={})
    events = [begun, UserMessage(text="old"), end(), begun, UserMessage(text="new"), end(answer="yes\nindeed")]
    assert paint(recap(events), color=False) == "  resumed · 2 runs so far\n\n› new\n\nyes\nindeed\n"
    assert paint(recap([*events, SessionClear()]), color=False) == "  resumed · 2 runs so far\n"
    assert "interrupted" in paint(recap(events[:-1]), color=False)
    assert recap([]) == []


def test_a_recap_of_a_run_that_was_cut_off_tells_what_was_said_and_left() -> None:
    begun = RunStart(model="m", mode="default", cwd="/", tools=(), limits={})
    parts = (Text(text="I build it."), ToolCall(id="c", name="Shell", arguments={"command": "make"}))
    response = ModelResponse(turn=1, model="m", parts=parts, usage=Usage(), stop="tool_calls", duration_ms=1)
    events = [begun, UserMessage(text="build"), response, call(command="make"), ToolStart(call="c", tool="Shell")]
    text = paint(recap(events), color=False)
    assert text.endswith(
        "› build\n\nI build it.\n  ✗ Shell make · interrupted, outcome unknown\n"
        "  ✗ interrupted: loom ended while this was in progress\n"
    )
    partial = ModelResponse(
        turn=1, model="m", parts=(Text(text="Half a"),), usage=Usage(), stop="cut off", duration_ms=1, partial=True
    )
    cancelled = end(state="cancelled", stop_reason="cancelled", answer=None)
    text = paint(recap([begun, UserMessage(text="tell"), partial, cancelled]), color=False)
    assert text.endswith("› tell\n\nHalf a\n  ✗ that run ended cancelled\n")


def test_kinds_stand_apart() -> None:
    written: list[str] = []
    scrollback = Scrollback(written.append, color=False)
    scrollback.put("a", "1\n")
    scrollback.put("a", "2\n")
    scrollback.put("b", "3\n")
    scrollback.put("b", "4\n", apart=True)
    scrollback.tell("c", [])
    assert "".join(written) == "1\n2\n\n3\n\n4\n"
