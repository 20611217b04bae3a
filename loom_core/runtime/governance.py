"""The gate: whether a tool call runs, is asked for, or is denied - and by which stage and rule.

What reads shell commands is imported with the first of them: a run without a shell does not pay its 5 ms.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from msgspec import Struct

from loom_core.errors import ToolError
from loom_core.messages import JSON, ToolCall
from loom_core.runtime.call_summary import summarize
from loom_core.safety.limits import RateLimit
from loom_core.safety.paths import INSTRUCTIONS, PathRefused, home_directory
from loom_core.safety.rules import Rule, Subject, exact_rule
from loom_core.safety.text import is_clean
from loom_core.tools.spec import Tool, Workspace

if TYPE_CHECKING:
    from loom_core.safety.script import Script

Mode: TypeAlias = Literal["default", "plan", "auto"]
OnDenied: TypeAlias = Literal["stop", "continue"]
_COPIED = 200


class GovernanceDecision(Struct, frozen=True, kw_only=True):
    """What the gate says about one call. Neither allowed nor asked for is denied."""

    allowed: bool = False
    requires_approval: bool = False
    reason: str
    """What decided and, for what is not allowed, what would allow it. The model reads it too."""
    source: str = "permission"
    """permission, veto or rate_limit."""
    stage: str
    """validation, veto, deny, mode, ask, allow or rate_limit."""
    rule: str


class Judgement(Struct, frozen=True, kw_only=True):
    """A decision with what is needed to act on it."""

    decision: GovernanceDecision
    arguments: dict[str, Any]
    """Keyword arguments for the tool's function; empty where validation failed."""
    summary: str
    """The exact call, as text for a person."""
    rule: str
    """The rule that an approval for the session adds; empty where the call cannot be approved."""


@dataclass(frozen=True, kw_only=True)
class GovernancePolicy:
    """Which tool calls are allowed. Immutable; `gate` makes what holds a session's state.

    Raises `TypeError` or `ValueError`, naming the field, for what cannot be.
    """

    mode: Mode = "default"
    """`plan` has no side effects, `default` asks for them, `auto` asks nothing that is not denied."""
    allow: tuple[str, ...] = ()
    """Rules `Tool(pattern)`; deny beats ask, ask beats allow."""
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    tools: tuple[str, ...] | None = None
    """Only these tools; None is every tool."""
    read_only: bool = False
    """Nothing but read-only calls, whatever the mode and the rules."""
    destructive: bool = False
    """Leave for tools that say they are destructive."""
    rate_limits: Mapping[str, int] = field(default_factory=dict)
    """Calls a minute, by tool."""
    rate_limit: int = 60
    """Calls a minute of every other tool."""
    max_calls: Mapping[str, int] = field(default_factory=dict)
    """Calls in all, by tool, for as long as the gate lives."""
    on_denied: OnDenied = "stop"
    """What a needed approval that nobody can give does: stop the run, or be told to the model."""
    deny_reason: str = ""
    """Said with each denial by a deny rule."""
    _rules: dict[str, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_word("mode", self.mode, get_args(Mode))
        _require_word("on_denied", self.on_denied, get_args(OnDenied))
        rules = {}
        for name in ("allow", "ask", "deny"):
            texts = _strings(name, getattr(self, name))
            object.__setattr__(self, name, texts)
            rules[name] = tuple(_parsed(name, text) for text in texts)
        object.__setattr__(self, "_rules", rules)
        if self.tools is not None:
            object.__setattr__(self, "tools", _strings("tools", self.tools))
        limits: dict[str, object] = {**self.rate_limits, "every tool": self.rate_limit}
        for name, limit in limits.items():
            if not isinstance(limit, int) or isinstance(limit, bool):
                raise TypeError(f"governance: the rate limit of {name} is a number of calls, not {limit!r}")
            if limit < 1:
                raise ValueError(f"governance: the rate limit of {name} is at least 1; deny the tool to forbid it")
        for name, limit in self.max_calls.items():
            if limit < 0:
                raise ValueError(f"governance.max_calls: {limit} is no number of calls of {name}")
        object.__setattr__(self, "rate_limits", dict(self.rate_limits))
        object.__setattr__(self, "max_calls", dict(self.max_calls))

    @classmethod
    def default(cls, **fields: Any) -> "GovernancePolicy":
        """Ask for whatever is not read-only."""
        return cls(mode="default", **fields)

    @classmethod
    def allow_all(cls) -> "GovernancePolicy":
        """Everything that is not vetoed, without asking."""
        return cls(mode="auto", allow=("*",), destructive=True)

    @classmethod
    def deny_all(cls, reason: str = "") -> "GovernancePolicy":
        """Nothing at all; the model is told the reason."""
        return cls(deny=("*",), deny_reason=reason)

    def rules(self, action: Literal["allow", "ask", "deny"]) -> tuple[Rule, ...]:
        """The rules of one kind, parsed."""
        return self._rules[action]

    def most_calls(self, tool_name: str) -> int | None:
        """How often the tool may be called in all; names are compared as in rules, whatever their case."""
        return min((most for name, most in self.max_calls.items() if name.lower() == tool_name.lower()), default=None)

    def gate(
        self,
        workspace: Workspace,
        clock: Callable[[], float] = time.monotonic,
        *,
        search_path: str | None = None,
    ) -> "Gate":
        """A gate with this policy and no history. `search_path` is the PATH of tools, this process's own by default."""
        return Gate(self, workspace, clock=clock, search_path=search_path)


class Gate:
    """A policy at work in one session: its mode, what was granted in it, and how often tools were called."""

    def __init__(
        self, policy: GovernancePolicy, workspace: Workspace, *, clock: Callable[[], float], search_path: str | None
    ) -> None:
        self._policy = policy
        self._workspace = workspace
        self._mode: Mode = policy.mode
        self._granted: list[Rule] = []
        self._limits = RateLimit(policy.rate_limit, policy.rate_limits, clock)
        self._calls: dict[str, int] = {}
        self._search_path = os.environ.get("PATH", os.defpath) if search_path is None else search_path

    @property
    def mode(self) -> Mode:
        """The session's permission mode; it starts as the policy's and can be set."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        _require_word("mode", mode, get_args(Mode))
        self._mode = mode

    def grant(self, rule: str) -> None:
        """Allow for the rest of the session what the rule covers. It beats ask rules, never a denial."""
        self._granted.append(Rule.parse(rule))

    def attempt(self, tool_name: str) -> GovernanceDecision | None:
        """Count a call that is about to run; a decision only where the tool was called too often."""
        most, made = self._policy.most_calls(tool_name), self._calls.get(tool_name, 0)
        if most is not None and made >= most:
            return GovernanceDecision(
                reason=f"{tool_name} may be called {most} times in all, and was",
                source="rate_limit",
                stage="rate_limit",
                rule=f"max_calls.{tool_name}: {most}",
            )
        wait = self._limits.attempt(tool_name)
        if not wait:
            self._calls[tool_name] = made + 1
            return None
        limit = self._limits.limit(tool_name)
        return GovernanceDecision(
            reason=f"{tool_name} may be called {limit} times a minute; it may again in {wait:.0f} s",
            source="rate_limit",
            stage="rate_limit",
            rule=f"{tool_name}: {limit}/min",
        )

    def judge(self, tool: Tool, call: ToolCall) -> Judgement:
        """Take a call through every stage up to the approval; the first that decides is named."""
        try:
            arguments = _converted(tool, call)
            subject = self._subject(tool, call.arguments, arguments)
        except PathRefused as refusal:
            return _refused(tool, call, _denied_path(refusal))
        except ToolError as refusal:
            return _refused(tool, call, GovernanceDecision(reason=str(refusal), stage="deny", rule="workspace"))
        except ValueError as fault:
            return _refused(tool, call, GovernanceDecision(reason=str(fault), stage="validation", rule="arguments"))
        decision = self._forbidden(tool, subject) or self._by_mode(tool, subject)
        shown = subject.relative or str(subject.path) if subject.path is not None else ""
        return Judgement(
            decision=decision,
            arguments=arguments,
            summary=summarize(tool, call.arguments, shown),
            rule=exact_rule(subject) if decision.requires_approval else "",
        )

    def _subject(self, tool: Tool, sent: Mapping[str, JSON], arguments: Mapping[str, Any]) -> Subject:
        """What rules look at. Raises `ToolError` for a path, `ValueError` for a command that cannot be."""
        value = arguments.get(tool.subject)
        if tool.subject_kind == "command":
            return Subject(tool=tool.name, arguments=sent, script=_read(value))
        if tool.subject_kind == "path":
            path = self._workspace.resolve(os.fspath(value or "."), write=not tool.read_only)
            return self._path_subject(tool.name, sent, path)
        return Subject(tool=tool.name, arguments=sent)

    def _path_subject(self, tool: str, sent: Mapping[str, JSON], path: Path) -> Subject:
        root = self._workspace.root
        relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else None
        return Subject(tool=tool, arguments=sent, path=path, relative=relative)

    def _forbidden(self, tool: Tool, subject: Subject) -> GovernanceDecision | None:
        """Vetoes, deny rules and the policy's limits: what no mode, rule or approval allows."""
        policy = self._policy
        if subject.script is not None and (vetoed := _vetoed(subject.script, self._workspace.root)):
            return vetoed
        for rule in policy.rules("deny"):
            if rule.touches(subject):
                reason = f"the deny rule {rule} forbids it" + (f": {policy.deny_reason}" if policy.deny_reason else "")
                return GovernanceDecision(reason=reason, stage="deny", rule=str(rule))
        if policy.tools is not None and tool.name.lower() not in {name.lower() for name in policy.tools}:
            reason = f"{tool.name} is not among the allowed tools ({', '.join(policy.tools) or 'none'})"
            return GovernanceDecision(reason=reason, stage="deny", rule="tools")
        if policy.read_only and not self._harmless(tool, subject):
            reason = f"the policy is read-only, and this call of {tool.name} is not"
            return GovernanceDecision(reason=reason, stage="deny", rule="read_only")
        if tool.destructive and not policy.destructive:
            reason = f"{tool.name} is destructive, and the policy gives no leave for that (destructive = true would)"
            return GovernanceDecision(reason=reason, stage="deny", rule="destructive")
        return None

    def _by_mode(self, tool: Tool, subject: Subject) -> GovernanceDecision:
        """What the mode, the grants and the rules make of a call that nothing forbids."""
        harmless = self._harmless(tool, subject)
        if self._mode == "plan" and not harmless:
            reason = "mode plan runs nothing that may have side effects; --mode default would ask for it"
            return GovernanceDecision(reason=reason, stage="mode", rule="plan")
        if rule := _first_covering(self._granted, tool, subject):
            return _allowed(f"granted for this session by {rule}", "allow", str(rule))
        if asked := self._asked_by_rule(subject):
            return asked
        if rule := _first_covering(self._policy.rules("allow"), tool, subject):
            return _allowed(f"the rule {rule} allows it", "allow", str(rule))
        flag = _flag(subject)
        if tool.requires_approval:
            reason = f"{tool.name} is asked for in every mode; {flag} would allow it"
            return GovernanceDecision(requires_approval=True, reason=reason, stage="mode", rule="requires_approval")
        if self._mode == "auto":
            return _allowed("mode auto allows what is not denied", "mode", "auto")
        if harmless:
            return _allowed("it only reads", "mode", harmless)
        if tool.requires_approval is False:
            return _allowed(f"{tool.name} needs no approval", "mode", "requires_approval")
        reason = f"mode {self._mode} asks for what is not read-only; {flag} or --mode auto would allow it"
        return GovernanceDecision(requires_approval=True, reason=reason, stage="mode", rule=self._mode)

    def _asked_by_rule(self, subject: Subject) -> GovernanceDecision | None:
        """An ask rule that applies, or a rule that may apply to what a command computes only when it runs."""
        asking = () if self._mode == "auto" else self._policy.rules("ask")
        for rule in asking:
            if rule.touches(subject):
                reason = f"the ask rule {rule} wants a yes to each such call"
                return GovernanceDecision(requires_approval=True, reason=reason, stage="ask", rule=str(rule))
        if subject.script is None or not subject.script.opaque:
            return None
        for rule in (*self._policy.rules("deny"), *asking):
            if rule.names(subject):
                reason = f"what the command runs is known only when it runs, so the rule {rule} cannot be checked"
                return GovernanceDecision(requires_approval=True, reason=reason, stage="ask", rule=str(rule))
        return None

    def _harmless(self, tool: Tool, subject: Subject) -> str:
        """By which rule the call has no side effects; empty where it may have some."""
        if tool.read_only:
            return "read-only"
        if subject.script is None:
            return ""
        from loom_core.safety.executables import system_executable
        from loom_core.safety.read_only import read_only
        from loom_core.safety.shell import plain_argv

        argv = plain_argv(subject.script.source)
        if argv is None:
            return ""
        trusted = partial(system_executable, search_path=self._search_path)
        return read_only(argv, executable=trusted, readable=self._readable) or ""

    def _readable(self, word: str) -> Path | None:
        """The path a command would read, unless the file tool Read would be denied or asked for it."""
        try:
            path = self._workspace.resolve(word)
        except ToolError:
            return None
        reading = self._path_subject("Read", {}, path)
        rules = (*self._policy.rules("deny"), *self._policy.rules("ask"))
        return None if any(rule.touches(reading) for rule in rules) else path


def _converted(tool: Tool, call: ToolCall) -> dict[str, Any]:
    if call.invalid is not None:
        raise ValueError("the arguments are not one JSON object")
    return tool.convert(call.arguments)


def _read(value: object) -> "Script":
    """The commands of a shell call. Raises `ValueError` where it cannot be one."""
    from loom_core.safety.script import MAX_BYTES, analyse

    if not isinstance(value, str) or not value.strip():
        raise ValueError("the command is empty")
    if "\0" in value:
        raise ValueError("the command holds a NUL byte, where a shell would end it")
    if len(value.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ValueError(f"the command is longer than {MAX_BYTES // 1024} KiB: write it to a file and run that")
    return analyse(value)


def _vetoed(script: "Script", root: Path) -> GovernanceDecision | None:
    from loom_core.safety.veto import Places, judge_script

    veto = judge_script(script, Places(root=root, home=home_directory()))
    if veto is None:
        return None
    reason = f"{veto.reason}, which no rule or mode allows: leave it to the user"
    return GovernanceDecision(reason=reason, source="veto", stage="veto", rule=veto.name)


def _refused(tool: Tool, call: ToolCall, decision: GovernanceDecision) -> Judgement:
    return Judgement(decision=decision, arguments={}, summary=summarize(tool, call.arguments), rule="")


def _denied_path(refusal: PathRefused) -> GovernanceDecision:
    if refusal.rule == "protected-path":
        return GovernanceDecision(reason=str(refusal), source="veto", stage="veto", rule=refusal.rule)
    return GovernanceDecision(reason=str(refusal), stage="deny", rule=refusal.rule)


def _allowed(reason: str, stage: str, rule: str) -> GovernanceDecision:
    return GovernanceDecision(allowed=True, reason=reason, stage=stage, rule=rule)


def _flag(subject: Subject) -> str:
    """The flag that would allow this call: exactly it, or the tool where that is too long or odd to be copied."""
    rule = exact_rule(subject)
    copied = len(rule) <= _COPIED and "\n" not in rule and is_clean(rule)
    return f"--allow {quote(rule if copied else subject.tool)}"


def _first_covering(rules: Iterable[Rule], tool: Tool, subject: Subject) -> Rule | None:
    """The first rule that allows the call. Instruction files are written only under a rule with a pattern."""
    instructs = not tool.read_only and subject.path is not None and subject.path.name.lower() in INSTRUCTIONS
    for rule in rules:
        if rule.covers(subject) and (rule.pattern is not None or not instructs):
            return rule
    return None


def _strings(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (tuple, list)) or not all(isinstance(v, str) for v in value):
        raise TypeError(f"governance.{name}: a tuple of strings, not {value!r}")
    return tuple(value)


def _parsed(name: str, text: str) -> Rule:
    try:
        return Rule.parse(text)
    except ValueError as error:
        raise ValueError(f"governance.{name}: {error}") from None


def _require_word(name: str, value: object, words: tuple[str, ...]) -> None:
    if value not in words:
        raise ValueError(f"governance.{name}: one of {', '.join(words)}, not {value!r}")
