"""The lower part of the screen: how a `View` is laid out. Only imported, as prompt_toolkit is, when a chat begins."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loom_cli.line.terminal import terminal_size
from loom_cli.line.view import View
from loom_cli.render.narrator import PROMPT
from loom_cli.render.paint import fit
from loom_core.safety.text import safe_text

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.layout import AnyContainer, Window
    from prompt_toolkit.layout.controls import SearchBufferControl

_REASON = "  why not (Enter sends, Esc goes back)  "
_TAIL_ROWS = 8
"""Rows the unfinished part of an answer gets at most, and no more than a third of the terminal's."""
_MENU_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Panes:
    """The layout's outermost container, and its parts that can have the focus."""

    all: "AnyContainer"
    composer: "Window"
    question: "Window"
    reason: "Window"


def build_panes(view: View, composer: "Buffer", reason: "Buffer") -> Panes:
    """Lay the view out around the two text fields."""
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.layout import ConditionalContainer, HSplit, Window
    from prompt_toolkit.layout.controls import FormattedTextControl
    from prompt_toolkit.layout.menus import CompletionsMenu
    from prompt_toolkit.widgets import SearchToolbar

    search = SearchToolbar(ignore_case=True)
    panes = {
        "": _field(composer, PROMPT, placeholder=lambda: view.placeholder, search=search.control),
        "choice": Window(
            FormattedTextControl(lambda: _choices(view), focusable=True, show_cursor=False),
            wrap_lines=True,
            dont_extend_height=True,
        ),
        "reason": _field(reason, _REASON),
    }
    rows: list[AnyContainer] = [
        _shown(lambda: _tail(view), wrap=True),
        Window(height=1),
        _shown(lambda: _quiet(view.hint or view.activity)),
        _shown(lambda: _queue(view)),
        *(ConditionalContainer(pane, Condition(lambda name=name: view.asking == name)) for name, pane in panes.items()),  # type: ignore[misc]
        search,
        _shown(lambda: _quiet(view.status)),
        CompletionsMenu(max_height=_MENU_ROWS),  # last, since it takes whatever height is left over
    ]
    return Panes(all=HSplit(rows), composer=panes[""], question=panes["choice"], reason=panes["reason"])


def _field(
    buffer: "Buffer",
    prompt: str,
    *,
    placeholder: Callable[[], str] = str,
    search: "SearchBufferControl | None" = None,
) -> "Window":
    """A text field with a prompt, which grows with its text up to half of the terminal."""
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.layout import Dimension, Window
    from prompt_toolkit.layout.controls import BufferControl
    from prompt_toolkit.layout.processors import AfterInput, ConditionalProcessor

    when_empty = ConditionalProcessor(
        AfterInput(lambda: [("class:quiet", placeholder())]), Condition(lambda: not buffer.text)
    )
    return Window(
        BufferControl(buffer, input_processors=[when_empty], search_buffer_control=search),
        height=lambda: Dimension(min=1, max=max(3, terminal_size()[1] // 2)),
        wrap_lines=True,
        dont_extend_height=True,
        get_line_prefix=lambda number, wrapped: [("class:you", prompt if number == wrapped == 0 else "  ")],
    )


def _shown(text: "Callable[[], StyleAndTextTuples]", *, wrap: bool = False) -> "AnyContainer":
    """A window of text that takes no room while there is no text."""
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.layout import ConditionalContainer, Window
    from prompt_toolkit.layout.controls import FormattedTextControl

    window = Window(FormattedTextControl(text), wrap_lines=wrap, dont_extend_height=True)
    return ConditionalContainer(window, Condition(lambda: bool(text())))


def _quiet(text: str) -> "StyleAndTextTuples":
    columns, _ = terminal_size()
    return [("class:quiet", f"  {fit(safe_text(text), columns - 3)}")] if text else []


def _tail(view: View) -> "StyleAndTextTuples":
    columns, rows = terminal_size()
    text = safe_text(view.tail).strip("\n")
    if not text:
        return []
    # After a blank row, so that the finished block will stand where its tail stood.
    return [("", "\n".join(["", *last_rows(text, columns, max(1, min(_TAIL_ROWS, rows // 3)))]))]


def _choices(view: View) -> "StyleAndTextTuples":
    return [("class:ask", f"  {view.choices}")] if view.choices else [("class:quiet", "  read first, then answer")]


def _queue(view: View) -> "StyleAndTextTuples":
    columns, _ = terminal_size()
    lines = [f"  queued: {fit(safe_text(text), max(columns - 34, 10))}" for text in view.queued]
    return [("class:quiet", "\n".join([*lines[:-1], f"{lines[-1]}  (Up takes it back)"]))] if lines else []


def last_rows(text: str, columns: int, rows: int) -> list[str]:
    """The end of a text as it would fill the last rows of a terminal, wide characters counted as two columns."""
    from prompt_toolkit.utils import get_cwidth

    found: list[str] = []
    for line in reversed(text.split("\n")):
        pieces, width = [""], 0
        for char in line[max(0, len(line) // columns - rows) * columns :]:  # of a huge line only what can be shown
            wide = get_cwidth(char)
            if width + wide > columns:
                pieces.append("")
                width = 0
            pieces[-1] += char
            width += wide
        found = pieces + found
        if len(found) >= rows:
            break
    return found[-rows:]


def styles(*, color: bool) -> dict[str, str]:
    """What the classes of the layout look like; menus are told apart without a background of their own."""
    menu = {
        "completion-menu": "noinherit",
        "completion-menu.completion": "noinherit",
        "completion-menu.completion.current": "noinherit reverse",
        "completion-menu.meta.completion": "noinherit dim",
        "completion-menu.meta.completion.current": "noinherit dim",
        "scrollbar.background": "noinherit",
        "scrollbar.button": "noinherit reverse",
    }
    if color:
        return {**menu, "quiet": "dim", "you": "bold ansicyan", "ask": "bold ansiyellow"}
    return {**menu, "quiet": "dim", "you": "bold", "ask": "bold"}
