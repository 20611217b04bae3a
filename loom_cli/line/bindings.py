"""What the keys of a chat do. Only imported, as prompt_toolkit is, when a chat begins."""

from typing import TYPE_CHECKING

from loom_cli.line.tab import press_tab
from loom_cli.line.view import Listener, View

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


def build_bindings(view: View, listener: Listener, composer: "Buffer", reason: "Buffer") -> "KeyBindings":
    """The bindings, on top of the editing keys prompt_toolkit has of its own."""
    from prompt_toolkit.filters import Condition, has_focus
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("c-c")
    @keys.add("escape", "c-c")
    @keys.add("<sigint>")
    def interrupt(_event: "KeyPressEvent") -> None:
        listener.interrupted()

    @keys.add("c-z")
    def suspend(event: "KeyPressEvent") -> None:
        event.app.suspend_to_background()

    composing = has_focus(composer)

    @keys.add("enter", filter=composing)
    def enter(_event: "KeyPressEvent") -> None:
        state = composer.complete_state
        if state is not None and state.current_completion is not None:
            composer.complete_state = None  # what was chosen stands in the text now
            return
        text = composer.text
        composer.reset(append_to_history=bool(text.strip()))
        listener.submitted(text)

    @keys.add("tab", filter=composing)
    def complete(event: "KeyPressEvent") -> None:
        press_tab(composer, again=event.is_repeat)

    @keys.add("escape", "enter", filter=composing)
    @keys.add("c-j", filter=composing)
    def new_line(_event: "KeyPressEvent") -> None:
        composer.newline(copy_margin=False)

    @keys.add("c-d", filter=composing & Condition(lambda: not composer.text))
    def end_of_input(_event: "KeyPressEvent") -> None:
        listener.leave()

    @keys.add("up", filter=composing & Condition(lambda: not composer.text and bool(view.queued)))
    def take_back(_event: "KeyPressEvent") -> None:
        text = listener.take_back()
        if text is not None:
            composer.text, composer.cursor_position = text, len(text)

    _add_question_keys(keys, view, listener)
    _add_reason_keys(keys, listener, reason)
    return keys


def _add_question_keys(keys: "KeyBindings", view: View, listener: Listener) -> None:
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.keys import Keys

    choosing = Condition(lambda: view.asking == "choice")

    @keys.add(Keys.Any, filter=choosing)
    def press(event: "KeyPressEvent") -> None:
        # More keys in the same read are typing from before, or a paste on a terminal that does not mark it as one.
        alone = not event.app.key_processor.input_queue
        if alone and event.key_sequence[0].key != Keys.BracketedPaste:
            listener.answered(event.data)
        else:
            listener.typed()

    @keys.add("escape", Keys.Any, filter=choosing)
    def press_with_alt(_event: "KeyPressEvent") -> None:
        listener.typed()  # Alt with a key is not that key


def _add_reason_keys(keys: "KeyBindings", listener: Listener, reason: "Buffer") -> None:
    from prompt_toolkit.filters import has_focus

    reasoning = has_focus(reason)

    @keys.add("enter", filter=reasoning)
    def refuse(_event: "KeyPressEvent") -> None:
        listener.reasoned(reason.text)

    @keys.add("escape", filter=reasoning, eager=True)
    def back(_event: "KeyPressEvent") -> None:
        listener.reasoned(None)
