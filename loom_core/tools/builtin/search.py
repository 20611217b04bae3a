"""Searching files with Python's `re`, for Grep where ripgrep is not installed.

It runs as a program of its own, because a regular expression can take for ever and only a process can be stopped. It
speaks as ripgrep does with `--null`: `path NUL line : text`, and `-` instead of `:` for context.
"""

import contextlib
import json
import os
import re
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from loom_core.tools.builtin.patterns import PathPattern
from loom_core.tools.builtin.text_file import SNIFFED, detect, lines
from loom_core.tools.builtin.walk import walk

_LONGEST = 64 * 1024  # characters of a line that are looked at


class Search(NamedTuple):
    """What to look for, and where; carried as JSON."""

    root: str
    """What `globs` and the paths in the answer are relative to."""
    base: str
    """A directory or file, absolute."""
    globs: list[str]
    pattern: str
    case_insensitive: bool
    context: int
    """Lines before and after a match."""
    most: int | None
    """Matches a file; None for all."""


def main(request: str) -> int:
    """Search and write what is found; the exit codes are ripgrep's: 0 found, 1 nothing, 2 the pattern is wrong."""
    search = Search(**json.loads(request))
    try:
        expression = re.compile(search.pattern, re.IGNORECASE if search.case_insensitive else 0)
    except re.error as error:
        sys.stderr.write(f"regex parse error: {error}\n")
        return 2
    code = 1
    for path in _files(search):
        name = os.fsencode(path.relative_to(search.root))
        with contextlib.suppress(OSError), path.open("rb") as file:  # unreadable, as ripgrep's --no-messages has it
            for record in _matches(file, expression, search):
                sys.stdout.buffer.write(name + b"\0" + record.encode("utf-8", "backslashreplace") + b"\n")
                code = 0
        sys.stdout.buffer.flush()  # what was found is known, should the next file take for ever
    return code


def _files(search: Search) -> Iterator[Path]:
    base, root = Path(search.base), Path(search.root)
    if base.is_file():
        yield base
        return
    for entry in walk(base, root, [PathPattern(glob) for glob in search.globs], relative_to=root):
        yield Path(entry.path)


def _matches(file: BinaryIO, expression: re.Pattern[str], search: Search) -> Iterator[str]:
    encoding = detect(file.read(SNIFFED))
    if encoding is None:
        return
    before: deque[str] = deque(maxlen=search.context)
    wanted_after = found = 0
    for number, line in enumerate(lines(file, encoding, longest=_LONGEST), start=1):
        if found != search.most and expression.search(line.text):
            found += 1
            yield from before
            before.clear()
            yield f"{number}:{line.text}"
            wanted_after = search.context
        elif wanted_after:
            yield f"{number}-{line.text}"
            wanted_after -= 1
        elif found == search.most:
            return
        else:
            before.append(f"{number}-{line.text}")
