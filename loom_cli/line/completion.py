"""Tab in the composer: `/` commands and their arguments, `@` files."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING, NamedTuple

from loom_cli.line.files import FileNames
from loom_cli.line.slash import COMMANDS, MODES

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

_FILE = re.compile(r"(?:^|\s)@(\S*)$")


class Candidate(NamedTuple):
    """Something the word could become."""

    text: str
    replaces: int
    """Characters before the cursor it takes the place of."""
    shown: str = ""
    """What the menu calls it, where that is not the text."""
    help: str = ""


def command_candidates(before: str) -> list[Candidate]:
    """What a command that was begun, or its argument, could become."""
    name, space, argument = before.removeprefix("/").partition(" ")
    if not before.startswith("/") or "\n" in before:
        return []
    if not space:
        found = [each for each in COMMANDS.values() if each.name.startswith(name.lower())]
        found.sort(key=lambda each: each.name != name.lower())
        return [
            Candidate(f"/{each.name}{' ' if each.argument else ''}", len(before), each.usage, each.help)
            for each in found
        ]
    if name == "mode":
        return [Candidate(mode, len(argument)) for mode in MODES if mode.startswith(argument)]
    return []


def file_word(before: str) -> str | None:
    """What stands behind the `@` at the cursor, or None where there is none."""
    found = _FILE.search(before)
    return None if found is None else found[1]


def make_completer(files: FileNames) -> "Completer":
    """The completer of the composer. Files are listed in a thread, so that typing never waits for a disk."""
    from prompt_toolkit.completion import Completer, Completion

    def shown(candidates: Iterable[Candidate]) -> "Iterable[Completion]":
        for each in candidates:
            yield Completion(
                each.text, start_position=-each.replaces, display=each.shown or each.text, display_meta=each.help
            )

    class ComposerCompleter(Completer):
        def get_completions(self, document: "Document", complete_event: "CompleteEvent") -> "Iterable[Completion]":  # noqa: ARG002 - the base's
            return shown(command_candidates(document.text_before_cursor))

        async def get_completions_async(
            self,
            document: "Document",
            complete_event: "CompleteEvent",  # noqa: ARG002 - the base's
        ) -> "AsyncGenerator[Completion, None]":
            word = file_word(document.text_before_cursor)
            if word is None:
                candidates = command_candidates(document.text_before_cursor)
            else:
                names = await asyncio.to_thread(files.matching, word)
                candidates = [Candidate(name, len(word)) for name in names]
            for each in shown(candidates):
                yield each

    return ComposerCompleter()
