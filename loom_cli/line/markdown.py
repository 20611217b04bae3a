"""One finished block of Markdown as terminal text, by rich."""

import re
from typing import TYPE_CHECKING, ClassVar

from loom_core.safety.text import safe_text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import Markdown

WIDEST = 100
"""Columns prose gets at most; longer lines are hard to read."""

# Instead of rich's own, which sets black backgrounds and colors that only suit dark terminals.
_STYLES = {
    "markdown.code": "cyan",
    "markdown.code_block": "none",
    "markdown.block_quote": "dim",
    "markdown.h1": "bold underline",
    "markdown.h2": "bold",
    "markdown.h3": "bold",
    "markdown.h4": "bold",
    "markdown.h5": "bold",
    "markdown.h6": "bold",
    "markdown.item.bullet": "none",
    "markdown.item.number": "none",
    "markdown.link": "none",
    "markdown.link_url": "underline",
    "markdown.table.border": "dim",
    "markdown.table.header": "bold",
}

# rich fills lines up to the width; the blanks would wrap on a narrower window and be copied along.
_TRAILING = re.compile(r"(?:[ \t]|\x1b\[[0-9;]*m)+$", re.MULTILINE)


class MarkdownRenderer:
    """Renders blocks; importing rich is left to the first of them."""

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._kind: type[Markdown] | None = None

    def render(self, block: str, columns: int) -> str:
        """The block as text that ends in one newline, at most `columns` wide. Nothing in it controls the terminal."""
        import io

        from rich.console import Console
        from rich.theme import Theme

        if self._kind is None:
            self._kind = _calm_markdown()
        file = io.StringIO()
        console = Console(
            file=file,
            width=max(min(columns, WIDEST), 20),
            force_terminal=self._color,
            color_system="standard" if self._color else None,
            theme=Theme(_STYLES),
            legacy_windows=False,
            _environ={},
        )
        console.print(self._kind(safe_text(block)))
        # Once more: a character reference (&#8238;) only becomes its character when Markdown is parsed.
        rendered = _TRAILING.sub(_close, file.getvalue()).strip("\n")
        return safe_text(rendered, keep_sgr=self._color) + "\n"


def _close(blank: re.Match[str]) -> str:
    """What the end of a line comes down to: the end of its style, where text came before."""
    begins_line = blank.start() == 0 or blank.string[blank.start() - 1] == "\n"
    return "" if begins_line or "\x1b" not in blank[0] else "\x1b[0m"


def _calm_markdown() -> "type[Markdown]":
    """Markdown as rich renders it, but plainer: nothing centered, no background, no frame."""
    from markdown_it import MarkdownIt
    from rich.markdown import CodeBlock, Heading, Markdown
    from rich.padding import Padding
    from rich.syntax import Syntax
    from rich.text import Text

    # rich leaves out HTML and the address of an image; here the first is text and the second a link.
    parser = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"]).disable("image")

    class PlainHeading(Heading):
        def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
            text = self.text.copy()
            text.stylize(f"markdown.{self.tag}")
            yield text

    class PlainCode(CodeBlock):
        def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
            code = str(self.text).rstrip()
            shown: Syntax | Text = Text(code)
            if console.color_system is not None and self.lexer_name != "text":
                shown = Syntax(code, self.lexer_name, theme=self.theme, background_color="default", word_wrap=True)
            yield Padding(shown, (0, 0, 0, 4))

    class CalmMarkdown(Markdown):
        elements: ClassVar = {
            **Markdown.elements,
            "heading_open": PlainHeading,
            "fence": PlainCode,
            "code_block": PlainCode,
        }

        def __init__(self, markup: str) -> None:
            super().__init__("", code_theme="ansi_dark", hyperlinks=False)
            self.markup, self.parsed = markup, parser.parse(markup)

    return CalmMarkdown
