"""Where in a TOML text each key stands, which the parser of the standard library does not say."""

import re
from collections.abc import Iterator
from itertools import takewhile

from loom_cli.validation import Key

_TOKEN = re.compile(
    r"""
      [ \t\r]+ | \#[^\n]*
    | (?P<string> \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5} | " (?: \\. | [^"\\\n] )* " | '[^'\n]*' )
    | (?P<word>   [A-Za-z0-9_+:-]+ )
    | (?P<mark>   [\[\]{}=.,\n] )
    """,
    re.VERBOSE | re.DOTALL,
)


def key_lines(text: str) -> dict[Key, int]:
    """Each key and table of a text that is known to be TOML, with its first line, counted from 1.

    The keys of an inline table are not told apart from the key that holds it.
    """
    return {key: text.count("\n", 0, start) + 1 for key, (start, _) in key_spans(text).items()}


def key_spans(text: str) -> dict[Key, tuple[int, int]]:
    """Where each key with its value, and each table's header, begins and ends in the text."""
    spans: dict[Key, tuple[int, int]] = {}
    table: Key = ()
    for statement in _statements(text):
        header = statement[0][0] == "["
        key = _key(statement)
        table = key if header else table
        spans.setdefault(key if header else table + key, (statement[0].start(), statement[-1].end()))
    return spans


def _statements(text: str) -> Iterator[list[re.Match[str]]]:
    """The tokens of each table header and of each key with its value, which may go over several lines."""
    statement: list[re.Match[str]] = []
    depth = 0
    for token in _TOKEN.finditer(text + "\n"):
        if token[0] == "\n" and depth == 0:
            if statement:
                yield statement
            statement = []
        elif token.lastgroup is not None:
            if statement and statement[0][0] != "[":
                depth += (token[0] in "[{") - (token[0] in "]}")
            statement.append(token)


def _key(statement: list[re.Match[str]]) -> Key:
    import tomllib  # 7 ms, needed once there is a file

    tokens = takewhile(lambda token: token[0] != "=", statement)
    return tuple(
        str(tomllib.loads(f"key = {token[0]}")["key"]) if token.lastgroup == "string" else token[0]
        for token in tokens
        if token.lastgroup != "mark"
    )
