"""Tool text on its way to a model: nothing in it may control a terminal, a log line or a JSON consumer."""

import re

_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
# Direction marks and overrides, zero-width and tag characters, line separators, half characters: they change what a
# reader sees or where a line ends. The joiners U+200C and U+200D stay: scripts and emoji need them.
_UNSEEN = r"\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f\ud800-\udfff"
_UNSEEN_OR_CONTROL = re.compile(f"[{_CONTROL}{_UNSEEN}]")
# ECMA-48: CSI with parameters; OSC, DCS, APC, PM and SOS up to their terminator, but no further than the line, so that
# one left open hides nothing after it; any other two- or three-byte escape. Each in its 7- and 8-bit form. Few texts
# have any, so it is compiled, by `re` itself, with the first that has.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)


def plain(text: str) -> str:
    r"""`text` as a screen without colours would show it.

    Escape sequences and other control characters but newline and tab are gone, a carriage return ends the line, and
    characters that act without being seen stand as escapes such as `\u202e`.
    """
    if _UNSEEN_OR_CONTROL.search(text) is None:
        return text
    text = re.sub(_SEQUENCE, "", text.replace("\r\n", "\n")).replace("\r", "\n")
    return visible(re.sub(f"[{_CONTROL}]", "", text))


def visible(text: str) -> str:
    """`text` with each such character as an escape: for content, where an ESC is a fact of the file and no command."""
    return _UNSEEN_OR_CONTROL.sub(_escape, text)


def shorten(head: str, tail: str, *, limit: int, size: int) -> str:
    """The start of `head` and the end of `tail`, `limit` characters in all, and between them how much is missing.

    `head` and `tail` are the two ends of a text of `size` bytes; they may both be the whole of it.
    """
    head, tail = head[: limit - limit // 2], tail[max(0, len(tail) - limit // 2) :]
    missing = size - _bytes(head) - _bytes(tail)
    return f"{head}\n[... {missing:,} bytes left out; the whole output is {size:,} bytes ...]\n{tail}"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
