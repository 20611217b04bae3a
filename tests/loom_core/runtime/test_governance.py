"""The gate: which stage decides a call, by which rule, and in which words."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_core.messages import ToolCall
from loom_core.runtime.governance import Gate, GovernanceDecision, GovernancePolicy
from loom_core.safety.paths import WorkspacePaths
from loom_core.tools.spec import SubjectKind, Tool


def a_tool(name: str, kind: SubjectKind = "none", subject: str = "", **facts: Any) -> Tool:
    def convert(arguments: Mapping[str, object]) -> dict[str, object]:
        if "bad" in arguments:
            raise ValueError("bad: no such argument")
        return dict(arguments)

    return Tool(
        name=name,
        description="",
        parameters={},
        function=lambda: None,
        convert=convert,
        subject_kind=kind,
        subject=subject,
        **facts,
    )


SHELL = a_tool("Shell", "command", "command")
READ = a_tool("Read", "path", "path", read_only=True)
EDIT = a_tool("Edit", "path", "path")
FETCH = a_tool("Fetch")
LOOK = a_tool("Look", read_only=True)
WIPE = a_tool("Wipe", destructive=True)
CAREFUL = a_tool("Careful", requires_approval=True)
EASY = a_tool("Easy", requires_approval=False)


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    (tmp_path / "ws").mkdir()
    return WorkspacePaths(tmp_path / "ws")


def calling(tool: Tool, subject: str | None = None, **arguments: Any) -> ToolCall:
    named = {} if subject is None else {tool.subject: subject}
    return ToolCall(id="c1", name=tool.name, arguments=named | arguments)


def decide(
    policy: GovernancePolicy, workspace: WorkspacePaths, tool: Tool, *args: str, **kw: Any
) -> GovernanceDecision:
    return policy.gate(workspace).judge(tool, calling(tool, *args, **kw)).decision


def outcome(decision: GovernanceDecision) -> str:
    action = "ask" if decision.requires_approval else "allow" if decision.allowed else "deny"
    return f"{action} {decision.stage} {decision.rule}"


DECISIONS: dict[str, tuple[dict[str, Any], tuple[Any, ...], str]] = {
    # Nothing said.
    "reading": ({}, (READ, "a.py"), "allow mode read-only"),
    "a tool that only reads": ({}, (LOOK,), "allow mode read-only"),
    "writing": ({}, (EDIT, "a.py"), "ask mode default"),
    "a command": ({}, (SHELL, "make x"), "ask mode default"),
    "a command that only reads": ({}, (SHELL, "ls -la"), "allow mode read-only ls"),
    "two commands that only read": ({}, (SHELL, "ls && ls"), "ask mode default"),
    "another tool": ({}, (FETCH,), "ask mode default"),
    "a tool that wants a yes": ({}, (CAREFUL,), "ask mode requires_approval"),
    "a tool that wants none": ({}, (EASY,), "allow mode requires_approval"),
    # What comes before every rule.
    "an empty command": ({"allow": ("Shell",)}, (SHELL, " "), "deny validation arguments"),
    "a NUL in a command": ({"allow": ("Shell",)}, (SHELL, "ls \0"), "deny validation arguments"),
    "an endless command": ({"allow": ("Shell",)}, (SHELL, "x" * 200_000), "deny validation arguments"),
    "leaving the workspace": ({"mode": "auto", "allow": ("Read",)}, (READ, "../x"), "deny deny workspace"),
    "a secret": ({"mode": "auto", "allow": ("Read(.env)",)}, (READ, ".env"), "deny deny secret"),
    "git's own files": ({"mode": "auto", "allow": ("*",)}, (EDIT, ".git/config"), "deny veto protected-path"),
    "the same by a command": ({"allow": ("*",)}, (SHELL, "echo x > .git/config"), "deny veto protected-path"),
    "deleting everything": ({"mode": "auto", "allow": ("*",)}, (SHELL, "rm -rf /"), "deny veto destroys-root"),
    # Rules that deny.
    "a denied tool": ({"deny": ("Fetch",), "allow": ("Fetch",), "mode": "auto"}, (FETCH,), "deny deny Fetch"),
    "a denied part": ({"deny": ("Shell(rm *)",), "mode": "auto"}, (SHELL, "ls; rm x"), "deny deny Shell(rm *)"),
    "a denied path": ({"deny": ("Read(src/**)",)}, (READ, "src/a"), "deny deny Read(src/**)"),
    "not among the tools": ({"tools": ("Read",), "mode": "auto"}, (FETCH,), "deny deny tools"),
    "among the tools": ({"tools": ("Read",)}, (READ, "a"), "allow mode read-only"),
    "read-only": ({"read_only": True, "mode": "auto", "allow": ("*",)}, (EDIT, "a"), "deny deny read_only"),
    "read-only reading": ({"read_only": True}, (SHELL, "ls"), "allow mode read-only ls"),
    "no leave to destroy": ({"mode": "auto", "allow": ("*",)}, (WIPE,), "deny deny destructive"),
    "leave to destroy": ({"mode": "auto", "destructive": True}, (WIPE,), "allow mode auto"),
    # Modes.
    "plan and writing": ({"mode": "plan", "allow": ("Edit",)}, (EDIT, "a"), "deny mode plan"),
    "plan and a command": ({"mode": "plan", "allow": ("Shell",)}, (SHELL, "make"), "deny mode plan"),
    "plan and a reading command": ({"mode": "plan"}, (SHELL, "cat a"), "allow mode read-only cat"),
    "plan and reading": ({"mode": "plan"}, (READ, "a"), "allow mode read-only"),
    "plan and a tool that wants no yes": ({"mode": "plan"}, (EASY,), "deny mode plan"),
    "auto": ({"mode": "auto"}, (SHELL, "make | tee $X"), "allow mode auto"),
    "auto and an ask rule": ({"mode": "auto", "ask": ("Shell",)}, (SHELL, "make"), "allow mode auto"),
    "auto and a tool that wants a yes": ({"mode": "auto"}, (CAREFUL,), "ask mode requires_approval"),
    # Rules that ask and allow.
    "an asked reading": ({"ask": ("Read",)}, (READ, "a"), "ask ask Read"),
    "ask beats allow": (
        {"ask": ("Shell(git push *)",), "allow": ("Shell",)},
        (SHELL, "git push"),
        "ask ask Shell(git push *)",
    ),
    "allowed": ({"allow": ("Shell(make *)",)}, (SHELL, "make x"), "allow allow Shell(make *)"),
    "allowed with a yes wanted": ({"allow": ("Careful",)}, (CAREFUL,), "allow allow Careful"),
    "not plain enough": ({"allow": ("Shell(make *)",)}, (SHELL, "make x; make y"), "ask mode default"),
    "instructions under a broad grant": ({"allow": ("Edit",)}, (EDIT, "sub/AGENTS.md"), "ask mode default"),
    "instructions by name": ({"allow": ("Edit(AGENTS.md)",)}, (EDIT, "AGENTS.md"), "allow allow Edit(AGENTS.md)"),
    # A program that is known only when it runs, where a rule depends on it.
    "computed": ({"mode": "auto", "deny": ("Shell(rm *)",)}, (SHELL, "$X y"), "ask ask Shell(rm *)"),
    "computed, allowed": ({"allow": ("Shell",), "ask": ("Shell(rm *)",)}, (SHELL, "$X"), "ask ask Shell(rm *)"),
    "computed, nothing denied": ({"mode": "auto", "deny": ("Read(x)",)}, (SHELL, "$X y"), "allow mode auto"),
    # A file that may not be read is not read by a command either.
    "denied to a command": ({"deny": ("Read(src/**)",)}, (SHELL, "cat src/a"), "ask mode default"),
    "asked of a command": ({"ask": ("Read(src/**)",)}, (SHELL, "cat src/a"), "ask mode default"),
    "a secret for a command": ({}, (SHELL, "cat .env"), "ask mode default"),
    # Whole policies.
    "allow all": ({"mode": "auto", "allow": ("*",), "destructive": True}, (CAREFUL,), "allow allow *"),
}


@pytest.mark.parametrize(("fields", "call", "expected"), DECISIONS.values(), ids=DECISIONS)
def test_the_first_stage_that_decides_is_named(
    workspace: WorkspacePaths, fields: dict[str, Any], call: tuple[Any, ...], expected: str
) -> None:
    assert outcome(decide(GovernancePolicy(**fields), workspace, *call)) == expected


def test_arguments_that_do_not_convert_are_told_to_the_model(workspace: WorkspacePaths) -> None:
    judgement = GovernancePolicy.allow_all().gate(workspace).judge(FETCH, calling(FETCH, bad=1))
    assert outcome(judgement.decision) == "deny validation arguments"
    assert judgement.decision.reason == "bad: no such argument"
    assert judgement.arguments == {}


def test_arguments_that_are_no_object_never_run(workspace: WorkspacePaths) -> None:
    call = ToolCall(id="c1", name="Fetch", arguments={}, invalid="[1")
    assert (
        outcome(GovernancePolicy.allow_all().gate(workspace).judge(FETCH, call).decision) == "deny validation arguments"
    )


def test_arguments_come_converted(workspace: WorkspacePaths) -> None:
    judgement = GovernancePolicy().gate(workspace).judge(FETCH, calling(FETCH, url="x"))
    assert judgement.arguments == {"url": "x"}


def test_a_path_tool_without_a_path_means_the_whole_workspace(workspace: WorkspacePaths) -> None:
    assert outcome(decide(GovernancePolicy(), workspace, READ)) == "allow mode read-only"


def test_deny_all_says_why(workspace: WorkspacePaths) -> None:
    decision = decide(GovernancePolicy.deny_all("the audit is over"), workspace, READ, "a")
    assert outcome(decision) == "deny deny *"
    assert "the audit is over" in decision.reason


def test_vetoes_hold_under_every_policy(workspace: WorkspacePaths) -> None:
    gate = GovernancePolicy.allow_all().gate(workspace)
    gate.grant("Shell(rm -rf ~)")
    decision = gate.judge(SHELL, calling(SHELL, "rm -rf ~")).decision
    assert outcome(decision) == "deny veto destroys-root"
    assert decision.source == "veto"


REASONS = {
    "mode": ({}, (SHELL, "git push"), "--allow 'Shell(git push)' or --mode auto would allow it"),
    "quoting": ({}, (SHELL, "echo it's > x"), """--allow 'Shell(echo it'"'"'s > x)'"""),
    "too long to copy": ({}, (SHELL, "make " + "x" * 300), "--allow Shell or"),
    "lines": ({}, (SHELL, "make\nmake"), "--allow Shell or"),
    "yes wanted": ({}, (CAREFUL,), "asked for in every mode; --allow Careful would allow it"),
    "path": ({}, (EDIT, "src/a b"), "--allow 'Edit(/src/a b)'"),
    "plan": ({"mode": "plan"}, (EDIT, "a"), "--mode default"),
    "rule": ({"ask": ("Read",)}, (READ, "a"), "ask rule Read"),
    "outside": ({}, (READ, "/etc/passwd"), "use a path inside it"),
    "tools": ({"tools": ("Read", "Grep")}, (FETCH,), "Read, Grep"),
    "veto": ({}, (SHELL, "rm -rf /"), "no rule or mode allows"),
}


@pytest.mark.parametrize(("fields", "call", "words"), REASONS.values(), ids=REASONS)
def test_the_reason_says_what_would_allow_it(
    workspace: WorkspacePaths, fields: dict[str, Any], call: tuple[Any, ...], words: str
) -> None:
    assert words in decide(GovernancePolicy(**fields), workspace, *call).reason


ASKED = [
    *(
        (SHELL, "make x"),
        (SHELL, "make; make"),
        (SHELL, "echo * '$x' \\* > f\nls"),
        (SHELL, "$X y"),
        (EDIT, "src/[a]*.py"),
    ),
    *((EDIT, "AGENTS.md"), (FETCH,), (CAREFUL,)),
]


@pytest.mark.parametrize("call", ASKED, ids=str)
def test_the_rule_of_an_approval_allows_exactly_this_call_for_the_session(
    workspace: WorkspacePaths, call: tuple[Any, ...]
) -> None:
    policy = GovernancePolicy(ask=("Shell(make *)",))
    gate = policy.gate(workspace)
    judgement = gate.judge(call[0], calling(*call))
    assert judgement.decision.requires_approval
    gate.grant(judgement.rule)
    assert outcome(gate.judge(call[0], calling(*call)).decision) == f"allow allow {judgement.rule}"
    if len(call) > 1:
        assert gate.judge(call[0], calling(call[0], call[1] + "x")).decision.requires_approval
    assert policy.gate(workspace).judge(call[0], calling(*call)).decision.requires_approval


def test_a_grant_beats_no_denial(workspace: WorkspacePaths) -> None:
    gate = GovernancePolicy(deny=("Shell(make *)",)).gate(workspace)
    gate.grant("Shell")
    assert not gate.judge(SHELL, calling(SHELL, "make x")).decision.allowed
    gate.mode = "plan"
    assert not gate.judge(SHELL, calling(SHELL, "touch x")).decision.allowed


def test_what_is_not_asked_for_has_no_rule_to_add(workspace: WorkspacePaths) -> None:
    gate = GovernancePolicy(deny=("Fetch",)).gate(workspace)
    assert gate.judge(FETCH, calling(FETCH)).rule == ""
    assert gate.judge(READ, calling(READ, "a")).rule == ""


def test_the_mode_of_a_session_can_be_changed(workspace: WorkspacePaths) -> None:
    gate = GovernancePolicy(mode="plan").gate(workspace)
    assert gate.mode == "plan"
    gate.mode = "auto"
    assert gate.judge(EDIT, calling(EDIT, "a")).decision.allowed
    with pytest.raises(ValueError, match="mode"):
        gate.mode = "yolo"  # type: ignore[assignment]


SUMMARIES = {
    "command": ((SHELL, "rm  -rf 'x'\nls"), {}, "rm  -rf 'x'\nls"),
    "controls": ((SHELL, "echo \x1b[8m; rm x\r\u202e"), {}, "echo \\x1b[8m; rm x\\x0d\\u202e"),
    "long": ((SHELL, "x" * 5000), {}, "x" * 5000),
    "path": ((READ, "src/../a\nb"), {"limit": 5}, "Read a\\nb\n  limit: 5"),
    "edit": (
        (EDIT, "a.py"),
        {"old_string": "one\ntwo", "new_string": "1"},
        "Edit a.py\n- one\n- two\n+ 1",
    ),
    "write": (
        (EDIT, "a.py"),
        {"content": "\n".join(map(str, range(15)))},
        "Edit a.py\n" + "\n".join(f"+ {n}" for n in range(12)) + "\n+ ... and 3 more lines, 34 characters in all",
    ),
    "write with a last newline": ((EDIT, "a.py"), {"content": "a\n\nb\n"}, "Edit a.py\n+ a\n+ \n+ b"),
    "other": ((FETCH,), {"url": "http://x/\x07", "n": 1}, 'Fetch {"url":"http://x/\\u0007","n":1}'),
    "half a character": ((FETCH,), {"x": "\udc80"}, "Fetch {'x': '\\udc80'}"),
    "refused path": ((EDIT, ".git/x"), {"content": "y"}, "Edit .git/x\n+ y"),
}


@pytest.mark.parametrize(("call", "arguments", "summary"), SUMMARIES.values(), ids=SUMMARIES)
def test_a_person_sees_the_exact_call(
    workspace: WorkspacePaths, call: tuple[Any, ...], arguments: dict[str, Any], summary: str
) -> None:
    assert GovernancePolicy().gate(workspace).judge(call[0], calling(*call, **arguments)).summary == summary


def test_calls_are_limited_by_the_minute(workspace: WorkspacePaths) -> None:
    now = [0.0]
    gate = GovernancePolicy(rate_limits={"Shell": 1}).gate(workspace, lambda: now[0])
    assert gate.attempt("Shell") is None
    now[0] = 30
    refused = gate.attempt("Shell")
    assert refused is not None
    assert (refused.allowed, refused.stage, refused.source, refused.rule) == (
        False,
        "rate_limit",
        "rate_limit",
        "Shell: 1/min",
    )
    assert "in 30 s" in refused.reason
    now[0] = 60
    assert gate.attempt("Shell") is None
    assert all(gate.attempt("Read") is None for _ in range(60))
    assert gate.attempt("Read") is not None


FAULTS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "mode": ({"mode": "yolo"}, ValueError, "governance.mode: one of default, plan, auto"),
    "on_denied": ({"on_denied": "x"}, ValueError, "governance.on_denied"),
    "rule": ({"allow": ("Shell(",)}, ValueError, r"governance.allow: rule 'Shell\(': write"),
    "path rule": ({"deny": ("Read(../x)",)}, ValueError, "governance.deny: path pattern"),
    "text for a list": ({"ask": "Shell"}, TypeError, "governance.ask: a tuple of strings"),
    "numbers": ({"deny": (1,)}, TypeError, "governance.deny"),
    "tools": ({"tools": "Read"}, TypeError, "governance.tools"),
    "limit": ({"rate_limit": 0}, ValueError, "every tool is at least 1"),
    "limit of a tool": ({"rate_limits": {"Shell": "2"}}, TypeError, "Shell"),
}


@pytest.mark.parametrize(("fields", "error", "words"), FAULTS.values(), ids=FAULTS)
def test_a_policy_that_cannot_be_names_the_field(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        GovernancePolicy(**fields)


def test_policies_are_values() -> None:
    assert GovernancePolicy.default(allow=["Read"]) == GovernancePolicy(allow=("Read",))
    assert GovernancePolicy(allow=("Read",)) != GovernancePolicy()


def test_nothing_leaks_between_sessions(workspace: WorkspacePaths) -> None:
    policy = GovernancePolicy(rate_limit=1)
    first, second = policy.gate(workspace), policy.gate(workspace)
    first.grant("Fetch")
    first.attempt("Fetch")
    first.mode = "auto"
    assert second.judge(FETCH, calling(FETCH)).decision.requires_approval
    assert second.attempt("Fetch") is None
    assert second.mode == "default"


RULES = st.lists(
    st.sampled_from(
        (
            *("*", "Shell", "Edit", "Read", "Fetch", "Wipe", "Careful", "Shell(ls *)", "Shell(rm *)", "Shell(make x)"),
            *("Shell(*x)", "Edit(src/**)", "Edit(*.py)", "Read(**/a)", "Fetch(url:x)", "Edit(.git/**)", "Read(.env)"),
        )
    ),
    max_size=3,
).map(tuple)
CALLS = st.sampled_from(
    (
        *(
            (SHELL, "ls"),
            (SHELL, "make x"),
            (SHELL, "rm x"),
            (SHELL, "rm -rf /"),
            (SHELL, "ls; $X"),
            (SHELL, "ls > .git/x"),
        ),
        *(
            (EDIT, "src/a.py"),
            (EDIT, ".git/x"),
            (EDIT, "../x"),
            (READ, ".env"),
            (READ, "b/a"),
            (FETCH,),
            (WIPE,),
            (CAREFUL,),
        ),
    )
)
KINDS = ("allow", "ask", "deny")
RANK = {"deny": 0, "ask": 1, "allow": 2}


def rank(gate: Gate, call: tuple[Any, ...]) -> int:
    return RANK[outcome(gate.judge(call[0], calling(*call)).decision).split()[0]]


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries({"mode": st.sampled_from(("default", "plan", "auto")), **dict.fromkeys(KINDS, RULES)}),
    RULES,
    CALLS,
)
def test_a_denial_is_never_lifted_and_a_rule_that_tightens_never_widens(
    fields: dict[str, Any], more: tuple[str, ...], call: tuple[Any, ...]
) -> None:
    workspace = WorkspacePaths(Path("/nonexistent/ws"))
    before = rank(GovernancePolicy(**fields).gate(workspace), call)
    allowing, asking, denying = (
        rank(GovernancePolicy(**fields | {kind: fields[kind] + more}).gate(workspace), call) for kind in KINDS
    )
    assert allowing == 0 if before == 0 else allowing >= before
    assert asking <= before
    assert denying <= before


@pytest.mark.parametrize("command", ["make x", "ls -la", "cat f | grep x | wc -l; timeout 5 make"])
def test_two_hundred_rules_cost_less_than_two_milliseconds(workspace: WorkspacePaths, command: str) -> None:
    rules = tuple(f"Shell(tool{n} * --flag{n} *)" for n in range(100))
    gate = GovernancePolicy(deny=rules, allow=rules, ask=("Read(x/**)",)).gate(workspace)
    call = calling(SHELL, command)
    gate.judge(SHELL, call)
    spent = []
    for _ in range(20):
        begun = time.process_time()
        gate.judge(SHELL, call)
        spent.append(time.process_time() - begun)
    assert min(spent) < 0.002
