"""What a change did to a text, for a person to read: a unified diff."""

from collections.abc import Iterable, Iterator, Sequence

_CONTEXT = 3  # lines around a change, as everybody's diff
_COMPARED = 1_000  # lines a side; comparing takes time with their product
_SHOWN = 500  # lines of diff
_UNENDED = "\n\\ No newline at end of file"


def unified_diff(before: str, after: str, name: str) -> str:
    """The changes from one text to the other; empty when there are none, cut and said so when they are many."""
    if before == after:
        return ""
    old, new = _lines(before), _lines(after)
    same = _same(old, new)
    same_at_end = _same(old[same:][::-1], new[same:][::-1])
    begin = max(0, same - _CONTEXT)
    kept = max(0, same_at_end - _CONTEXT)
    old, new = old[begin : len(old) - kept], new[begin : len(new) - kept]
    shown = [f"--- a/{name}", f"+++ b/{name}"]
    for group in _groups(old, new):
        shown.append(_header(group, begin))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                shown += [f" {line}" for line in old[i1:i2]]
            else:
                shown += [f"-{line}" for line in old[i1:i2]]
                shown += [f"+{line}" for line in new[j1:j2]]
    if len(shown) > _SHOWN:
        shown[_SHOWN:] = [f"[... {len(shown) - _SHOWN:,} more lines of diff ...]"]
    return "\n".join(shown)


_Change = tuple[str, int, int, int, int]


def _groups(old: list[str], new: list[str]) -> Iterable[Sequence[_Change]]:
    """The hunks, as `difflib` puts them; everything replaced by everything where finding them would take long."""
    import difflib

    if max(len(old), len(new)) > _COMPARED:
        return [[("replace", 0, len(old), 0, len(new))]]
    return difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT)


def _header(group: Sequence[_Change], offset: int) -> str:
    _, i1, _, j1, _ = group[0]
    _, _, i2, _, j2 = group[-1]
    return f"@@ -{_range(i1 + offset, i2 + offset)} +{_range(j1 + offset, j2 + offset)} @@"


def _range(begin: int, end: int) -> str:
    """Line numbers from 1; an empty range names the line before it."""
    length = end - begin
    return f"{begin + 1}" if length == 1 else f"{begin + 1 if length else begin},{length}"


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [*lines, last + _UNENDED] if last else lines


def _same(old: list[str], new: list[str]) -> int:
    """How many lines are the same from the start."""
    return next(_differing(old, new), min(len(old), len(new)))


def _differing(old: list[str], new: list[str]) -> Iterator[int]:
    return (number for number, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
