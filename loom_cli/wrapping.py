"""Long lines on a terminal: broken between words, where the terminal itself would break them anywhere."""

import os


def wrapped(text: str, descriptor: int) -> str:
    """The text with each line that is wider than the terminal continued on lines two columns further in.

    Where the descriptor is no terminal nothing is broken: programs read lines, whatever their length.
    """
    columns = _columns(descriptor)
    if columns is None or all(len(line) <= columns for line in text.splitlines()):
        return text
    import textwrap  # 3 ms, needed for long lines on a terminal only

    lines = [
        textwrap.wrap(
            line,
            columns,
            subsequent_indent=" " * (len(line) - len(line.lstrip(" ")) + 2),
            expand_tabs=False,
            replace_whitespace=False,
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [""]
        for line in text.splitlines()
    ]
    return "\n".join(part for parts in lines for part in parts) + ("\n" if text.endswith("\n") else "")


def _columns(descriptor: int) -> int | None:
    """The width of the terminal; None where there is none, or it does not tell."""
    try:
        return os.get_terminal_size(descriptor).columns or None
    except OSError:
        return None
