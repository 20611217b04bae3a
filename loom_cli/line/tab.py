"""Tab in the composer: what was begun is completed as far as it is certain; a second Tab goes through the menu."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loom_cli.line.completion import file_word

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.completion import Completion
    from prompt_toolkit.document import Document


def certain(word: str, candidates: Sequence[str]) -> str:
    """What the word becomes: the only candidate, the first where it is the word itself, or what they share."""
    if len(candidates) == 1 or (candidates and candidates[0].rstrip() == word):
        return candidates[0]
    first, *others = [each for each in candidates if each.startswith(word)] or [word]
    lengths = range(len(first), len(word), -1)
    return next((first[:size] for size in lengths if all(each.startswith(first[:size]) for each in others)), word)


def press_tab(buffer: "Buffer", *, again: bool) -> None:
    """Do it. `again`: the key before was Tab too."""
    from prompt_toolkit.application import get_app
    from prompt_toolkit.completion import CompleteEvent

    state = buffer.complete_state
    if state is not None and (again or state.current_completion is not None):
        buffer.complete_next()
    elif file_word(buffer.document.text_before_cursor) is None:
        # At once, so that keys typed right after it find what it did.
        _complete(buffer, list(buffer.completer.get_completions(buffer.document, CompleteEvent())))
    else:
        get_app().create_background_task(_complete_file(buffer, buffer.document))


async def _complete_file(buffer: "Buffer", document: "Document") -> None:
    from prompt_toolkit.completion import CompleteEvent

    found = [each async for each in buffer.completer.get_completions_async(document, CompleteEvent())]
    if buffer.document == document:  # otherwise typing went on meanwhile
        _complete(buffer, found)


def _complete(buffer: "Buffer", found: "Sequence[Completion]") -> None:
    if not found:
        return
    length = -found[0].start_position
    word = buffer.document.text_before_cursor[-length:] if length else ""
    whole = certain(word, [each.text for each in found])
    if whole.startswith(word):
        buffer.insert_text(whole[length:])
    else:
        buffer.delete_before_cursor(length)
        buffer.insert_text(whole)
    if len(found) > 1:
        buffer.start_completion()
