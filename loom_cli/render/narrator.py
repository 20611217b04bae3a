"""A run's events as lines for a person: each event is told once, when nothing about it changes any more."""

from collections.abc import Callable, Mapping

import msgspec

from loom_cli.render.numbers import compact, counted
from loom_cli.render.paint import Line, Span, fit, line
from loom_core.events import (
    ApprovalAnswer,
    BudgetWarn,
    ContextCompact,
    ErrorData,
    Event,
    ModelResponse,
    Notice,
    Outcome,
    RunEnd,
    RunStart,
    StreamRestarted,
    ToolCalled,
    ToolResulted,
    ToolStart,
    UserMessage,
)
from loom_core.messages import JSON, ToolCall
from loom_core.safety.text import visible

PROMPT = "› "
_INDENT = "  "
_DEEP = "    "
_ERROR_LINES = 6
"""Of a failure's text, from its end, where the error and the exit code stand; more is in the log."""
_DIFF_LINES = 24
_RULE = 100
"""Characters of a granted rule, which may be a long command; it is whole in the log."""

_OUTCOMES: Mapping[Outcome, str] = {
    "ok": "",
    "error": "failed",
    "invalid": "bad call",
    "denied": "not allowed",
    "timeout": "timed out",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
}


class Narrator:
    """Tells events as lines; remembers of earlier ones what later ones need."""

    def __init__(self, columns: Callable[[], int]) -> None:
        self._columns = columns
        self._calls: dict[str, str] = {}
        """What each call is about, by its id."""
        self._open: dict[str, bool] = {}
        """The calls without a result, and whether they were started."""
        self._running = False
        self._answered: set[str] = set()
        """Calls a person said yes or no to, having read them."""

    def tell(self, event: Event) -> list[Line]:
        """The lines of an event; none for one that says nothing new to a person, or not yet."""
        lost = self.broken_off() if isinstance(event, RunStart) else []
        self._follow(event)
        match event:
            case UserMessage():
                return said(event)
            case ToolResulted():
                return self._resulted(event)
            case ApprovalAnswer():
                self._answered.add(event.call)
                return [answered(event)]
            case StreamRestarted():
                return [note(f"the answer broke off ({event.reason}); asking again")]
            case ContextCompact():
                sizes = f"{compact(event.tokens_before)} to {compact(event.tokens_after)} tokens"
                return [note(f"earlier conversation shortened for the model: {sizes}")]
            case BudgetWarn():
                return [note(f"{event.used / event.limit:.0%} of the {event.budget} budget is used", mark="!")]
            case Notice():
                return [note(event.text)]
            case RunEnd():
                return ended(event)
            case _:
                return lost

    def broken_off(self) -> list[Line]:
        """What became of a run that nothing follows, as its process died. No lines where there is none such."""
        lines = []
        for call, started in self._open.items():
            fate = " · interrupted, outcome unknown" if started else " · not run"
            room = self._columns() - len(_INDENT) - 2 - len(fate)
            known = fit(self.describe(call), max(room, 20))
            lines.append(line(_INDENT, Span("✗ ", "bad"), known, Span(fate, "dim")))
        if self._running:
            lines.append(note("interrupted: loom ended while this was in progress", mark="✗"))
        self._open.clear()
        self._running = False
        return lines

    def describe(self, call: str) -> str:
        """The call of this id as one line."""
        return self._calls.get(call, "")

    def _follow(self, event: Event) -> None:
        """Keep account of what has begun and not ended."""
        match event:
            case RunStart():
                self._running = True
            case ModelResponse(partial=False):
                for part in event.parts:
                    if isinstance(part, ToolCall):
                        self._called(part.id, part.name, part.arguments)
            case ToolCalled():
                self._called(event.call, event.tool, event.arguments)
            case ToolStart():
                self._open[event.call] = True
            case ToolResulted():
                self._open.pop(event.call, None)
            case RunEnd():
                self._running = False
                self._open.clear()
            case _:
                pass

    def _called(self, call: str, tool: str, arguments: Mapping[str, JSON]) -> None:
        self._calls[call] = describe_call(tool, arguments)
        self._open.setdefault(call, False)

    def _resulted(self, event: ToolResulted) -> list[Line]:
        good = event.outcome == "ok"
        mark = Span("✓ ", "good") if good else Span("✗ ", "bad")
        details = " · ".join(part for part in (_OUTCOMES[event.outcome], _size(event), _time(event)) if part)
        room = self._columns() - len(_INDENT) - 2 - len(details) - 3
        call = fit(self.describe(event.call) or event.tool, max(room, 20))
        lines = [line(_INDENT, mark, call, Span(f" · {details}" if details else "", "dim"))]
        if event.outcome in ("ok", "denied") and event.call in self._answered:
            return lines  # the question above shows the change, the answer why not
        return [*lines, *(diff(event.display) if good else _last_lines(event.content))]


def describe_call(tool: str, arguments: Mapping[str, JSON]) -> str:
    """A tool call as a person would say it: `Shell git log -5`, `Grep "TODO" in src`. Nothing in it is hidden."""
    match arguments:
        case {"command": str(command)}:
            text = f"{tool} {command}"
        case {"pattern": str(pattern), "path": str(path)}:
            text = f'{tool} "{pattern}" in {path}'
        case {"pattern": str(pattern)}:
            text = f'{tool} "{pattern}"'
        case {"path": str(path)}:
            text = f"{tool} {path}"
        case _:
            text = f"{tool} {msgspec.json.encode(arguments).decode()}" if arguments else tool
    return visible(text)


def said(event: UserMessage) -> list[Line]:
    """The user's words as they were typed, and what came with them."""
    first, *rest = event.text.split("\n")
    lines = [line(Span(PROMPT, "you"), Span(first, "strong"))]
    lines += [line(_INDENT, Span(each, "strong")) for each in rest]
    lines += [line(_INDENT, Span(f"with {data.name}, {counted(data.bytes, 'byte')}", "dim")) for data in event.inputs]
    return lines


def answered(event: ApprovalAnswer) -> Line:
    """What became of a question, for good."""
    match event.status:
        case "approved":
            words = (
                f"allowed for this session: {fit(event.rule, _RULE)}" if event.scope == "session" else "allowed once"
            )
            return line(_INDENT, Span("✓ ", "good"), Span(words, "dim"))
        case "rejected":
            words = f"refused: {event.reason}" if event.reason else "refused"
            return line(_INDENT, Span("✗ ", "bad"), Span(words, "dim"))
        case "expired":
            return line(_INDENT, Span("✗ ", "bad"), Span("not answered in time, so refused", "dim"))
        case "cancelled":
            return line(_INDENT, Span("the question was withdrawn", "dim"))


def ended(event: RunEnd) -> list[Line]:
    """Nothing for an answer, which stands above; how the run ended otherwise."""
    if event.stop_reason == "cancelled":
        return [note("cancelled", mark="✗")]
    return [] if event.error is None else failure(event.error)


def failure(error: ErrorData) -> list[Line]:
    """An error: what happened, then what to do."""
    lines = [line(Span("✗ ", "bad"), Span(error.message, "strong"))]
    lines += [line(_INDENT, each) for each in (error.hint or "").splitlines()]
    return lines


def note(text: str, *, mark: str = "") -> Line:
    """A remark of the program, indented and quiet."""
    return line(_INDENT, Span(f"{mark} {text}" if mark else text, "dim"))


def diff(text: str, limit: int | None = _DIFF_LINES) -> list[Line]:
    """A unified diff without its file header, additions and removals told apart by sign and color."""
    lines = [each for each in text.splitlines() if not each.startswith(("--- ", "+++ "))]
    shown = lines if limit is None or len(lines) <= limit else lines[:limit]
    told = [line(_DEEP, Span(each, _diff_style(each))) for each in shown]
    if len(shown) < len(lines):
        told.append(line(_DEEP, Span(f"… {counted(len(lines) - len(shown), 'more line')}", "dim")))
    return told


def _diff_style(text: str) -> str:
    return {"+": "add", "-": "remove", "@": "place"}.get(text[:1], "dim")


def _last_lines(text: str) -> list[Line]:
    lines = _without_advice(text).strip().splitlines()
    before = len(lines) - _ERROR_LINES
    told = [line(_DEEP, Span(f"… {counted(before, 'line')} before", "dim"))] if before > 0 else []
    return told + [line(_DEEP, Span(each, "dim")) for each in lines[-_ERROR_LINES:]]


def _without_advice(content: str) -> str:
    """The output without what loom itself said to the model at its end."""
    output, mark, advice = content.rpartition("\n\n[loom: ")
    return output if mark and advice.endswith("]") and "\n" not in advice else content


def _size(event: ToolResulted) -> str:
    if event.is_error:
        return ""
    if event.bytes:
        return counted(event.bytes, "byte")
    lines = len(_without_advice(event.content).splitlines())
    return f"{lines} lines" if lines > 1 else ""


def _time(event: ToolResulted) -> str:
    """How long it took; nothing for a call that never ran or whose end was not seen."""
    return "" if event.outcome in ("denied", "invalid", "cancelled") else duration(event.duration_ms / 1000)


def duration(seconds: float) -> str:
    """A span of time in the unit a person would use: 40 ms, 1.2 s, 64 s, 3 min 5 s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
