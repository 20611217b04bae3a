"""Where in a TOML text each key stands. The parser of the standard library does not say."""

import re

Key = tuple[str, ...]

_TOKEN = re.compile(
    r"""
      (?P<skip>    [ \t\r]+ | \#[^\n]* )
    | (?P<string>  \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5} | " (?: \\. | [^"\\\n] )* " | '[^'\n]*' )
    | (?P<word>    [A-Za-z0-9_+:-]+ )
    | (?P<mark>    [\[\]{}=.,\n] )
    """,
    re.VERBOSE | re.DOTALL,
)


def key_lines(text: str) -> dict[Key, int]:
    """Each key and table of a text that is known to be TOML, with its first line, counted from 1.

    The keys of an inline table are not told apart from the key that holds it.
    """
    lines: dict[Key, int] = {}
    table: Key = ()
    statement: list[re.Match[str]] = []
    depth = 0
    for token in (*_TOKEN.finditer(text), None):
        mark = "\n" if token is None else token["mark"]
        if statement and mark and mark in "[{":
            depth += 1
        elif statement and mark and mark in "]}":
            depth -= 1
        if token is not None and token["skip"] is None and (depth or mark != "\n"):
            statement.append(token)
        elif mark == "\n" and not depth and statement:
            key = _key(statement)
            header = statement[0]["mark"] == "["
            table = key if header else table
            lines.setdefault(key if header else table + key, text.count("\n", 0, statement[0].start()) + 1)
            statement.clear()
    return lines
