"""What a session was about, told when it is opened again."""

from collections.abc import Iterable

from loom_cli.render.narrator import note, said
from loom_cli.render.paint import Line, Span, line
from loom_core.events import Event, RunEnd, RunStart, SessionClear, SessionRecovered, SessionTitle, UserMessage

_ANSWER_LINES = 8


def recap(events: Iterable[Event]) -> list[Line]:
    """Title, how much was said, and the last exchange; nothing for a session without a run."""
    title, runs, asked, end = "", 0, None, None
    mended: list[Line] = []
    for event in events:
        match event:
            case RunStart():
                runs, end = runs + 1, None
            case UserMessage(steer=False):
                asked = event
            case RunEnd():
                end = event
            case SessionTitle():
                title = event.title
            case SessionClear():
                asked = end = None
            case SessionRecovered():
                mended = [note("the log had been damaged by a crash and was mended; nothing was thrown away", mark="!")]
            case _:
                pass
    if not runs:
        return []
    lines = [note(f"resumed{f': {title}' if title else ''} · {runs} run{'s' * (runs > 1)} so far"), *mended]
    if asked is not None:
        lines += [line(), *said(asked), line(), *_answer(end)]
    return lines


def _answer(end: RunEnd | None) -> list[Line]:
    if end is None:
        return [note("interrupted: loom ended while this was in progress", mark="✗")]
    text = (end.answer or "").strip().split("\n")
    lines = [line(Span(each)) for each in text[:_ANSWER_LINES] if end.answer]
    if len(text) > _ANSWER_LINES:
        lines.append(note(f"… {len(text) - _ANSWER_LINES} more lines"))
    if end.state != "completed":
        lines.append(note(f"that run ended {end.stop_reason.replace('_', ' ')}", mark="✗"))
    return lines
