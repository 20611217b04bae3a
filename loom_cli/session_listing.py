"""Sessions as a listing: which of them, and what a person is shown of each."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec.structs import asdict

from loom_core.errors import UsageError
from loom_core.messages import JSON
from loom_core.runtime.session_store import SessionInfo
from loom_core.safety.text import safe_text

STATES = ("idle", "running", "crashed", "completed", "failed", "cancelled")

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_TITLE_AT_LEAST = 12


def since(when: str, now: float) -> str:
    """The moment meant, as listings hold it: a span before now (`2h`, `3d`) or a local date or time in ISO 8601.

    Raises `UsageError`.
    """
    if span := _SPAN.fullmatch(when):
        moment = datetime.fromtimestamp(max(0.0, now - int(span[1]) * _UNITS[span[2]]), UTC)
    else:
        try:
            moment = datetime.fromisoformat(when).astimezone(UTC)
        except (ValueError, OverflowError):
            raise UsageError(f"--since {when}: neither a span nor a date", hint="2h, 3d, 2025-01-31 ...") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def record(info: SessionInfo) -> dict[str, JSON]:
    """All that is known, for programs."""
    return asdict(info)


def columns(info: SessionInfo) -> dict[str, JSON]:
    """What stands on a line of a piped listing, in this order."""
    return {
        "id": info.id,
        "updated": info.updated,
        "state": info.state,
        "turns": info.turns,
        "input_tokens": info.input_tokens,
        "output_tokens": info.output_tokens,
        "cost_usd": "" if info.cost_usd is None else f"{info.cost_usd:.6f}",
        "model": info.model,
        "cwd": info.cwd,
        "title": info.title,
    }


def table(infos: Sequence[SessionInfo], *, width: int, now: float) -> Iterator[str]:
    """A line for each session, aligned and not wider than the terminal unless the title would vanish."""
    rows = [
        (info.id, _age(info, now), _state(info), f"{info.turns} turn{'s' * (info.turns != 1)}", _cost(info))
        for info in infos
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = max(_TITLE_AT_LEAST, width - sum(widths) - 2 * len(widths))
    for row, info in zip(rows, infos, strict=True):
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=True)]
        yield "  ".join([*cells, _cut(" ".join(safe_text(info.title).split()), room)]).rstrip()


def _state(info: SessionInfo) -> str:
    return f"running (pid {info.pid})" if info.state == "running" and info.pid else info.state


def _cost(info: SessionInfo) -> str:
    from loom_cli.render.numbers import dollars

    return "" if info.cost_usd is None else dollars(info.cost_usd)


def _age(info: SessionInfo, now: float) -> str:
    """How long ago it was written: `now`, `5 min ago`, `3 h ago`, `2 d ago`, from a month on the date."""
    seconds = max(0.0, now - datetime.fromisoformat(info.updated).timestamp())
    for limit, size, unit in ((60, 1, ""), (3600, 60, "min"), (86_400, 3600, "h"), (2_592_000, 86_400, "d")):
        if seconds < limit:
            return f"{seconds // size:.0f} {unit} ago" if unit else "now"
    return info.updated[:10]


def _cut(text: str, room: int) -> str:
    """The text in at most `room` columns of a terminal, where some characters take two."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > room:
            return _cut(text[:index], room - 1) + "…" if room > 1 else "…"
    return text
