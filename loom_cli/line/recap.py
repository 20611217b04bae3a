"""What a session was about, told when it is opened again."""

from collections.abc import Iterable

from loom_cli.render.narrator import Narrator, note, said
from loom_cli.render.numbers import counted
from loom_cli.render.paint import Line, Span, line
from loom_core.events import (
    Event,
    ModelResponse,
    RunEnd,
    RunStart,
    SessionClear,
    SessionRecovered,
    SessionTitle,
    UserMessage,
)
from loom_core.messages import Text

_ANSWER_LINES = 8


def recap(events: Iterable[Event], columns: int = 80) -> list[Line]:
    """Title, how much was said, and the last exchange; nothing for a session without a run."""
    title, runs, asked, end, words = "", 0, None, None, ""
    mended: list[Line] = []
    narrator = Narrator(lambda: columns)
    for event in events:
        narrator.tell(event)
        match event:
            case RunStart():
                runs, end = runs + 1, None
            case UserMessage(steer=False):
                asked, words = event, ""
            case ModelResponse():
                words = "".join(part.text for part in event.parts if isinstance(part, Text)) or words
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
    lines = [note(f"resumed{f': {title}' if title else ''} · {counted(runs, 'run')} so far"), *mended]
    if asked is not None:
        answer = end.answer if end is not None and end.answer else words
        lines += [line(), *said(asked), line(), *_beginning(answer), *_fate(end), *narrator.broken_off()]
    return lines


def _beginning(answer: str) -> list[Line]:
    text = answer.strip().split("\n") if answer.strip() else []
    lines = [line(Span(each)) for each in text[:_ANSWER_LINES]]
    if len(text) > _ANSWER_LINES:
        lines.append(note(f"… {counted(len(text) - _ANSWER_LINES, 'more line')}"))
    return lines


def _fate(end: RunEnd | None) -> list[Line]:
    if end is None or end.state == "completed":
        return []
    return [note(f"that run ended {end.stop_reason.replace('_', ' ')}", mark="✗")]
