"""A run's events as lines for a person: each event is told once, when nothing about it changes any more."""

from collections.abc import Callable, Mapping

import msgspec

from loom_cli.render.numbers import compact
from loom_cli.render.paint import Line, Span, fit, line
from loom_core.events import (
    ApprovalAnswer,
    BudgetWarn,
    ContextCompact,
    ErrorData,
    Event,
    Notice,
    Outcome,
    RunEnd,
    StreamRestarted,
    ToolCalled,
    ToolResulted,
    UserMessage,
)
from loom_core.messages import JSON

PROMPT = "› "
_INDENT = "  "
_DEEP = "    "
_ERROR_LINES = 6
"""Of a failure's text; more is in the log."""
_DIFF_LINES = 24

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
        self._calls: dict[str, ToolCalled] = {}
        self._answered: set[str] = set()
        """Calls a person said yes or no to, having read them."""

    def tell(self, event: Event) -> list[Line]:
        """The lines of an event; none for one that says nothing new to a person, or not yet."""
        match event:
            case UserMessage():
                return said(event)
            case ToolCalled():
                self._calls[event.call] = event
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
                pass
        return []

    def describe(self, call: str) -> str:
        """The call of this id as one line."""
        known = self._calls.get(call)
        return "" if known is None else describe_call(known.tool, known.arguments)

    def _resulted(self, event: ToolResulted) -> list[Line]:
        good = event.outcome == "ok"
        mark = Span("✓ ", "good") if good else Span("✗ ", "bad")
        details = " · ".join(part for part in (_OUTCOMES[event.outcome], _size(event), _time(event)) if part)
        room = self._columns() - len(_INDENT) - 2 - len(details) - 3
        call = fit(self.describe(event.call) or event.tool, max(room, 20))
        lines = [line(_INDENT, mark, call, Span(f" · {details}" if details else "", "dim"))]
        if event.outcome in ("ok", "denied") and event.call in self._answered:
            return lines  # the question above shows the change, the answer why not
        return [*lines, *(diff(event.display) if good else _first_lines(event.content))]


def describe_call(tool: str, arguments: Mapping[str, JSON]) -> str:
    """A tool call as a person would say it: `Shell git log -5`, `Grep "TODO" in src`."""
    match arguments:
        case {"command": str(command)}:
            return f"{tool} {command}"
        case {"pattern": str(pattern), "path": str(path)}:
            return f'{tool} "{pattern}" in {path}'
        case {"pattern": str(pattern)}:
            return f'{tool} "{pattern}"'
        case {"path": str(path)}:
            return f"{tool} {path}"
    return f"{tool} {msgspec.json.encode(arguments).decode()}" if arguments else tool


def said(event: UserMessage) -> list[Line]:
    """The user's words as they were typed, and what came with them."""
    first, *rest = event.text.split("\n")
    lines = [line(Span(PROMPT, "you"), Span(first, "strong"))]
    lines += [line(_INDENT, Span(each, "strong")) for each in rest]
    lines += [line(_INDENT, Span(f"with {data.name}, {data.bytes:,} bytes", "dim")) for data in event.inputs]
    return lines


def answered(event: ApprovalAnswer) -> Line:
    """What became of a question, for good."""
    match event.status:
        case "approved":
            words = f"allowed for this session: {event.rule}" if event.scope == "session" else "allowed once"
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
        told.append(line(_DEEP, Span(f"… {len(lines) - len(shown)} more lines", "dim")))
    return told


def _diff_style(text: str) -> str:
    return {"+": "add", "-": "remove", "@": "place"}.get(text[:1], "dim")


def _first_lines(text: str) -> list[Line]:
    lines = text.strip().splitlines()
    told = [line(_DEEP, Span(each, "dim")) for each in lines[:_ERROR_LINES]]
    if len(lines) > _ERROR_LINES:
        told.append(line(_DEEP, Span(f"… {len(lines) - _ERROR_LINES} more lines", "dim")))
    return told


def _size(event: ToolResulted) -> str:
    if event.is_error:
        return ""
    if event.bytes:
        return f"{event.bytes:,} bytes"
    lines = len(event.content.splitlines())
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
