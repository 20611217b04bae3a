"""Markdown as it streams in, cut into whole blocks: each can be rendered once, for good, when it is complete."""

import re

# CommonMark 0.31: a fence may be indented by up to three spaces, inside a list item by as much as the item is. What
# stands behind one of backticks holds no backtick; ```x``` is code within a line.
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_FENCE_IN_LIST = re.compile(r"\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s|$)")
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)")
_FIRST_ITEM = re.compile(r" {0,3}(?:[-*+]|1[.)])\s")
"""An item that may follow a paragraph without a blank line; another number would be a line of the paragraph."""


class MarkdownBlocks:
    """Cuts text into paragraphs, lists, tables, headings and fenced code. Blocks and tail, joined, are the text."""

    def __init__(self) -> None:
        self._block = ""
        """Whole lines of the block in progress."""
        self._line = ""
        """The line in progress."""
        self._in_list = False
        self._after_blank = False
        self._fence = ""
        """What closes the fence that is open."""

    @property
    def tail(self) -> str:
        """What has come of the block that is not complete."""
        return self._block + self._line

    def feed(self, text: str) -> list[str]:
        """Take in more text; returns the blocks it completes, each with the blank lines around it."""
        done: list[str] = []
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._take(line + "\n", done)
        if self._ends_list(self._line):  # its first character tells, so the list need not wait for the whole line
            self._complete(done)
        return done

    def finish(self) -> list[str]:
        """The text has ended: what is left is a block too."""
        done: list[str] = []
        self._block, self._line = self.tail, ""
        self._complete(done)
        return done

    def _take(self, line: str, done: list[str]) -> None:
        if self._fence:
            self._block += line
            closing = line.strip()
            if closing.startswith(self._fence) and not closing.strip(self._fence[0]):
                self._fence = ""
                if not self._in_list:
                    self._complete(done)
            return
        if not line.strip():
            self._block += line
            self._after_blank = True
            if not self._in_list:
                self._complete(done)
            return
        if self._ends_list(line) or self._interrupts(line):
            self._complete(done)
        if not self._block.strip():
            self._in_list = _ITEM.match(line) is not None
        self._block += line
        self._after_blank = False
        fence = (_FENCE_IN_LIST if self._in_list else _FENCE).match(line)
        if fence is not None:
            self._fence = fence[1]
        elif not self._in_list and _HEADING.match(line):
            self._complete(done)

    def _ends_list(self, line: str) -> bool:
        """After a blank line a list goes on with an indented line; anything else, a new item too, is a new block."""
        return self._in_list and self._after_blank and not self._fence and line[:1].strip() != ""

    def _interrupts(self, line: str) -> bool:
        """Whether the line begins a block of its own without a blank line before it."""
        if _FENCE.match(line) or _HEADING.match(line):
            return not self._in_list or not line[0].isspace()
        return not self._in_list and _FIRST_ITEM.match(line) is not None

    def _complete(self, done: list[str]) -> None:
        if self._block.strip():
            done.append(self._block)
            self._block, self._in_list, self._after_blank, self._fence = "", False, False, ""
