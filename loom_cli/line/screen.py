"""The terminal of a chat: what is printed stays above, in the terminal's own scrollback; below it stands a composer.

It decides nothing: what the person does goes to a `Listener`, what stands below the transcript comes from a `View`.
prompt_toolkit takes 0.15 s of CPU to import, so that happens when a chat begins.
"""

import asyncio
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from loom_cli.line.bindings import build_bindings
from loom_cli.line.interrupts import AGAIN_S
from loom_cli.line.layout import build_panes, styles
from loom_cli.line.terminal import TerminalStream, terminal_size
from loom_cli.line.view import Listener, View
from loom_cli.output import STDIN

if TYPE_CHECKING:
    from typing import TextIO

    from prompt_toolkit.completion import Completer
    from prompt_toolkit.data_structures import Size

_REDRAW_S = 0.03
"""At most one repaint in this time; typing is echoed within it."""
_ESCAPE_S = 0.1
"""A lone Esc counts after this time; prompt_toolkit's 0.5 s feels stuck."""


class Screen:
    """The terminal while a chat goes on."""

    def __init__(
        self, view: View, listener: Listener, *, completer: "Completer", color: bool, history: list[str]
    ) -> None:
        from prompt_toolkit.application import Application
        from prompt_toolkit.buffer import Buffer
        from prompt_toolkit.filters import Condition
        from prompt_toolkit.history import InMemoryHistory
        from prompt_toolkit.layout import Layout
        from prompt_toolkit.output.color_depth import ColorDepth
        from prompt_toolkit.output.vt100 import Vt100_Output
        from prompt_toolkit.styles import Style

        self._view = view
        self._listener = listener
        self._stream = TerminalStream()
        self._composer = Buffer(
            multiline=True,
            history=InMemoryHistory(history),
            completer=completer,
            complete_while_typing=Condition(lambda: self._composer.text.startswith("/")),
        )
        self._reason = Buffer(multiline=False)
        self._panes = build_panes(view, self._composer, self._reason)
        self._app: Application[None] = Application(
            layout=Layout(self._panes.all, focused_element=self._panes.composer),
            key_bindings=build_bindings(view, listener, self._composer, self._reason),
            style=Style.from_dict(styles(color=color)),
            color_depth=ColorDepth.DEPTH_4_BIT if color else ColorDepth.DEPTH_1_BIT,
            erase_when_done=True,
            min_redraw_interval=_REDRAW_S,
            terminal_size_polling_interval=None,  # SIGWINCH tells; a poll would wake an idle chat twice a second
            # The terminal is not asked where its cursor is: an answer that comes late would be typed into the shell.
            output=Vt100_Output(cast("TextIO", self._stream), _size, enable_cpr=False),
        )
        self._app.ttimeoutlen = _ESCAPE_S
        self._app.key_processor.before_key_press += lambda _: self._typed()

    @property
    def columns(self) -> int:
        """Width of the terminal."""
        return terminal_size()[0]

    @property
    def draft(self) -> str:
        """What stands in the composer."""
        return self._composer.text

    @draft.setter
    def draft(self, text: str) -> None:
        self._composer.text = text
        self._composer.cursor_position = len(text)

    def print(self, text: str) -> None:
        """Put finished text (with its last newline, and already made safe) above the composer, in one write."""
        if not self._app.is_running:
            self._stream.write(text)
            self._stream.flush()
            return
        with self._stream.held():
            self._app.renderer.erase()
            self._app.output.write_raw(text.replace("\n", "\r\n"))
            self._app.renderer.render(self._app, self._app.layout)
        self._app.layout.update_parents_relations()

    def refresh(self) -> None:
        """The view has changed."""
        self._app.invalidate()

    def hint(self, text: str) -> None:
        """Show a remark for as long as a second Ctrl-C counts, or until the view's hint is changed."""
        self._view.hint = text
        self.refresh()
        asyncio.get_running_loop().call_later(AGAIN_S, self._unhint, text)

    def _unhint(self, text: str) -> None:
        if self._view.hint == text:
            self._view.hint = ""
            self.refresh()

    def compact(self) -> None:
        """Give back the rows the lower part needed at times; by itself it only ever grows."""
        self.print("")

    def ask(self) -> None:
        """Put a question in the place of the composer, which keeps its text. Pending keys are dropped."""
        self._view.asking, self._view.choices = "choice", ""
        with suppress(termios.error):
            termios.tcflush(STDIN, termios.TCIFLUSH)
        self._app.key_processor.empty_queue()
        self._app.layout.focus(self._panes.question)
        self.refresh()

    def offer(self, choices: str) -> None:
        """Show the keys that answer the question."""
        self._view.choices = choices
        self.refresh()

    def ask_reason(self) -> None:
        """Let the person type why not."""
        self._view.asking = "reason"
        self._reason.reset()
        self._app.layout.focus(self._panes.reason)
        self.refresh()

    def end_question(self) -> None:
        """The composer is back."""
        self._view.asking = ""
        self._app.layout.focus(self._panes.composer)
        self.refresh()

    async def run(self) -> None:
        """Take part in the event loop until `leave`; afterwards the terminal is as it was.

        A fault in a handler ends it and is raised. Raises `EOFError` where the terminal is gone.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.fail(context.get("exception") or RuntimeError(str(context))))
        try:
            await self._app.run_async(set_exception_handler=False)
        finally:
            loop.set_exception_handler(None)

    def leave(self) -> None:
        """End `run`."""
        if self._app.is_running and not self._app.is_done:
            self._app.exit()

    def fail(self, error: BaseException) -> None:
        """End `run` with an error."""
        if self._app.is_running and not self._app.is_done:
            self._app.exit(exception=error)

    def _typed(self) -> None:
        if self._view.asking != "choice":
            self._listener.typed()


def _size() -> "Size":
    from prompt_toolkit.data_structures import Size

    columns, rows = terminal_size()
    return Size(rows=rows, columns=columns)
