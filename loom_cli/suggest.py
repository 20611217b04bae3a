"""What the user may have meant."""

from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """A sentence naming the known words nearest to a mistyped one, or None where none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=2)
    return f"did you mean {' or '.join(near)}?" if near else None
