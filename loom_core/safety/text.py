"""Untrusted text made safe to show: nothing in it can steer a terminal, hide, or pretend to be something else."""

import re

# Invisible or steering code points, each range with what it is. Newline and tab are the only controls that stay.
_HAZARDS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphen, fillers, Mongolian selectors
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, line ends, bidirectional, annotation
    "\ufe00-\ufe0f\U000e0000-\U000e0fff"  # variation selectors, tags
    "\U0001d173-\U0001d17a"  # musical formatting
    "\ud800-\udfff"  # half a surrogate pair: what a byte that is no UTF-8 became
)
_HAZARD = re.compile(f"[{_HAZARDS}]")

# ECMA-48 sequences in their 7-bit and 8-bit forms. A string sequence ends at BEL or ST; one that does not end before
# the next control loses only its introducer, so that nothing after it is hidden.
_SEQUENCE = re.compile(
    r"(?P<sgr>\x1b\[[0-9;:]*m)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])(?:[^\x00-\x08\x0b-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c))?"
    r"|\x1b[ -/]*[0-~]"
)
# The selector that models put after an emoji asks for its coloured form; as an escape it would litter every answer.
_EMOJI_SELECTOR = re.compile("(?<=[\u2139-\u2bff\u3030-\u3299\U0001f000-\U0001faff])\ufe0f")
_RESET = "\x1b[0m"
_COLOUR_ARGUMENTS = {"5": 1, "2": 3}  # 38;5;N and 38;2;R;G;B, likewise after 48 and 58
_CONCEAL = "8"


def safe_text(text: str, *, keep_sgr: bool = False) -> str:
    """The text without escape sequences; other controls and invisible characters stand as visible escapes.

    `keep_sgr` leaves colours and weights in (never "conceal") and resets them at the end; everything else is as
    without it. A line end of two characters becomes one.
    """
    if _HAZARD.search(text) is None:
        return text
    text = _EMOJI_SELECTOR.sub("", text.replace("\r\n", "\n"))
    if not keep_sgr:
        return visible(_SEQUENCE.sub("", text))
    pieces, end, styled = [], 0, False
    for match in _SEQUENCE.finditer(text):
        pieces.append(visible(text[end : match.start()]))
        if match["sgr"] and not _conceals(match["sgr"]):
            pieces.append(match["sgr"])
            styled = True
        end = match.end()
    pieces.append(visible(text[end:]))
    return "".join(pieces) + (_RESET if styled else "")


def visible(text: str) -> str:
    """The text with nothing left out: each control and invisible character as its escape. For what is approved."""
    return _HAZARD.sub(_escape, text)


def is_clean(text: str) -> bool:
    """Whether `visible` would leave the text as it is."""
    return _HAZARD.search(text) is None


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _conceals(sgr: str) -> bool:
    """Whether the sequence switches the text's visibility off; 8 as an index of a colour does not."""
    numbers = iter(sgr[2:-1].split(";"))
    for number in numbers:
        if number in {"38", "48", "58"}:
            for _ in range(_COLOUR_ARGUMENTS.get(next(numbers, ""), 0)):
                next(numbers, None)
        elif number.partition(":")[0].lstrip("0") == _CONCEAL:
            return True
    return False
