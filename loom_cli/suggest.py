"""What the user may have meant."""

from collections.abc import Iterable

_LIKENESS = 0.65
"""Of two words, from 0 to 1: `goal` and `gaol` have 0.75, `json` and `session` 0.55."""
_AS_GOOD = 0.1
"""A second word this little behind the first is named too: `modle` is as near to `mode` as to `model`."""


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """A sentence naming the known word or two nearest to a mistyped one, or None where none is near.

    What the words begin with because of what they are - options, variables - does not count, nor does case.
    """
    from difflib import SequenceMatcher, get_close_matches

    names = {_bare(name): name for name in known}
    near = get_close_matches(_bare(word), names, n=2, cutoff=_LIKENESS)
    scores = [SequenceMatcher(None, each, _bare(word)).ratio() for each in near]
    best = [names[each] for each, score in zip(near, scores, strict=True) if score >= scores[0] - _AS_GOOD]
    return f"did you mean {' or '.join(best)}?" if best else None


def _bare(word: str) -> str:
    return word.lstrip("-/").removeprefix("LOOM_").lower()
