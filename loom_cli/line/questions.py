"""Approvals on their way through a terminal: one at a time, in order, guarded against keys meant for the composer."""

from collections import deque
from collections.abc import Callable

from loom_cli.line.guard import TypingGuard
from loom_cli.render.numbers import counted
from loom_cli.render.paint import Line, Span, line, wrap
from loom_core.runtime.approvals import Approval
from loom_core.safety.text import visible

CHOICES = "y yes, once · s yes, for this session · n no"
"""The keys that answer, as one line."""
_HEAD_LINES, _TAIL_LINES = 60, 20
"""Of a call that is longer than both together."""
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 8_000, 2_000
_REASON_HEAD, _REASON_TAIL = 110, 40
_RULE = 100
"""Characters of a rule or of a reason, which may quote the call: that stands above in full."""


class Questions:
    """The approvals that wait for a person."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.guard = TypingGuard(clock)
        self.shown = False
        """Whether the first of them is on the screen."""
        self._waiting: deque[Approval] = deque()
        self._answered = 0

    @property
    def current(self) -> Approval | None:
        """The one to answer next."""
        return self._waiting[0] if self._waiting else None

    @property
    def position(self) -> str:
        """`1 of 2`, or nothing where there is but one."""
        total = self._answered + len(self._waiting)
        return f"{self._answered + 1} of {total}" if total > 1 else ""

    def add(self, approval: Approval) -> None:
        """One more."""
        self._waiting.append(approval)

    def show(self) -> None:
        """The current one is on the screen from now on."""
        self.shown = True
        self.guard.shown()

    def settle(self) -> bool:
        """Take away those that are answered, by whomever; whether the one on the screen was among them."""
        before = self.current
        answered = [approval for approval in self._waiting if approval.status != "pending"]
        for approval in answered:
            self._waiting.remove(approval)
        self._answered = self._answered + len(answered) if self._waiting else 0
        gone = self.shown and self.current is not before
        if gone:
            self.shown = False
        return gone


def question(approval: Approval, *, directory: str, position: str, columns: int) -> list[Line]:
    """The question in full: the exact call, why it is asked, where it would run, and what `s` would allow.

    To be painted with `exact`, which shows control characters as escapes.
    """
    bar = Span("│ ", "ask")
    changes = approval.summary.startswith(f"{approval.call.name} ")  # of a shell the summary is the command itself
    title = f"May {approval.call.name} run?" + (f"  ({position})" if position else "")
    lines = [line(Span(title, "ask")), line(bar)]
    for text in head_and_tail(visible(approval.summary)):
        lines += wrap((bar,), (Span(text, _style(text, changes)),), columns, below=line(bar, "  "))
    lines += [line(bar)]
    facts = (
        ("why", _brief(approval.reason)),
        ("where", directory),
        ("s allows", _meaning(approval.rule, whole=changes)),
    )
    for name, text in facts:
        lines += wrap(line(bar, Span(f"{name:<9}", "dim")), line(visible(text)), columns, below=line(bar, " " * 9))
    return lines


def _brief(reason: str) -> str:
    if len(reason) <= _REASON_HEAD + _REASON_TAIL:
        return reason
    return f"{reason[:_REASON_HEAD]}…{reason[-_REASON_TAIL:]}"


def _meaning(rule: str, *, whole: bool) -> str:
    """What a yes for the session allows. The rule made for a command covers that command alone."""
    if whole or len(rule) <= _RULE:
        return f"{rule} until this session ends"
    return f"exactly this call until this session ends: {rule[:_RULE]}…"


def head_and_tail(text: str) -> list[str]:
    """The lines of a text; of a huge one the first and last, and how much stands between them."""
    lines = text.split("\n")
    if len(lines) > _HEAD_LINES + _TAIL_LINES:
        left_out = len(lines) - _HEAD_LINES - _TAIL_LINES
        lines = [*lines[:_HEAD_LINES], f"… {counted(left_out, 'more line')} …", *lines[-_TAIL_LINES:]]
    return [_shortened(each) for each in lines]


def _shortened(text: str) -> str:
    left_out = len(text) - _HEAD_CHARACTERS - _TAIL_CHARACTERS
    if left_out <= 0:
        return text
    return f"{text[:_HEAD_CHARACTERS]}… {counted(left_out, 'more character')} …{text[-_TAIL_CHARACTERS:]}"


def _style(text: str, changes: bool) -> str:
    return {"+": "add", "-": "remove"}.get(text[:1], "strong") if changes else "strong"
