"""What is printed for good, as one column: pieces of one kind stand together, a blank line sets kinds apart."""

from collections.abc import Callable, Iterable

from loom_cli.render.paint import Line, paint


class Scrollback:
    """Writes pieces, each ending its line, through `write`."""

    def __init__(self, write: Callable[[str], None], *, color: bool, columns: Callable[[], int] | None = None) -> None:
        """`columns` tells the width of the terminal, where there is one, for lines to be wrapped to."""
        self._write = write
        self._color = color
        self._columns = columns
        self._kind = ""

    def put(self, kind: str, text: str, *, apart: bool = False) -> None:
        """Text that is ready for the terminal, after a blank line where it is of another kind or to stand `apart`."""
        blank = "\n" if self._kind and (apart or kind != self._kind) else ""
        self._kind = kind
        self._write(blank + text)

    def tell(self, kind: str, lines: Iterable[Line], *, apart: bool = False, exact: bool = False) -> None:
        """Lines, painted; see `paint` for `exact`. Nothing where there are none."""
        columns = None if self._columns is None else self._columns()
        text = paint(lines, color=self._color, exact=exact, columns=columns)
        if text:
            self.put(kind, text, apart=apart)
