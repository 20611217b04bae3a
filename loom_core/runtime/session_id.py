"""The names of sessions: made, checked, and found from the short forms people type."""

import os
import re
import time
from collections.abc import Sequence

from loom_core.errors import SessionNotFound, UsageError

# A name of a directory on every file system, of no hidden one, and never mistaken for an option or for `@last`.
_VALID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_SHOWN = 5


def new_id(seconds: float) -> str:
    """A name from the time (UTC) and chance: `20250131-154501-9f3a1c`. Sorts by time; may be taken already."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(seconds))}-{os.urandom(3).hex()}"


def is_session_id(text: str) -> bool:
    """Whether a session could have this name."""
    return _VALID.fullmatch(text) is not None


def checked_id(text: str) -> str:
    """The same text. Raises `UsageError` where no session may have this name."""
    if not is_session_id(text):
        raise UsageError(
            f"{text!r} cannot name a session",
            hint="Use up to 64 letters, digits, '.', '_' and '-', and begin with a letter, a digit or '_'.",
        )
    return text


def choose_id(reference: str, ids: Sequence[str]) -> str:
    """The session meant: its name, the unique beginning of one, `@last`, or `@N` for the Nth newest.

    `ids` is newest first. Raises `SessionNotFound` with the candidates or the nearest names.
    """
    if ids and reference.startswith("@"):
        return _by_age(reference, ids)
    found = [reference] if reference in ids else [name for name in ids if reference and name.startswith(reference)]
    if len(found) == 1:
        return found[0]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise SessionNotFound(
            f"{len(found)} sessions begin with {reference!r}", hint=f"One of {', '.join(found[:_SHOWN])}{more}."
        )
    raise session_not_found(reference, ids)


def session_not_found(reference: str, ids: Sequence[str]) -> SessionNotFound:
    """The error for a name no session has, with the nearest of those there are."""
    if not ids:
        return SessionNotFound(f"no session {reference!r}: there are no sessions yet")
    from difflib import get_close_matches

    # The newest are the likeliest; comparing takes 10 µs a name.
    nearest = get_close_matches(reference, ids[:1000], n=3, cutoff=0.4) or ids[:3]
    return SessionNotFound(f"no session {reference!r}", hint=f"Nearest: {', '.join(nearest)}.")


def _by_age(reference: str, ids: Sequence[str]) -> str:
    if reference == "@last":
        return ids[0]
    digits = reference[1:]
    if not (digits.isascii() and digits.isdigit()):
        raise SessionNotFound(f"no session {reference!r}", hint="@last is the newest session, @2 the one before it.")
    if not 1 <= int(digits[:9]) <= len(ids):
        raise SessionNotFound(f"no session {reference!r}", hint=f"@1 is the newest, @{len(ids)} the oldest.")
    return ids[int(digits) - 1]
