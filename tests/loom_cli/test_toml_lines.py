"""The lines on which keys stand."""

from __future__ import annotations

from loom_cli.toml_lines import key_lines, key_spans

TEXT = '''# a comment = 1
a = 1
"b c".d = """
x = 3
[no]
"""  # more
[t.u]
x = [ 1, # ]
  "]", { z = 1 },
]
y = { q = 1, r = "}" }
[[many]]
when = 1979-05-27T07:32:00.5Z
[ "q.r" . s ]
e = \'\'\'a'b''c\'\'\'\'
f = "\\"#"
'''


def test_every_key_has_its_line() -> None:
    assert key_lines(TEXT) == {
        ("a",): 2,
        ("b c", "d"): 3,
        ("t", "u"): 7,
        ("t", "u", "x"): 8,
        ("t", "u", "y"): 11,
        ("many",): 12,
        ("many", "when"): 13,
        ("q.r", "s"): 14,
        ("q.r", "s", "e"): 15,
        ("q.r", "s", "f"): 16,
    }


def test_a_span_is_the_whole_statement() -> None:
    start, end = key_spans(TEXT)["t", "u", "x"]
    assert TEXT[start:end] == 'x = [ 1, # ]\n  "]", { z = 1 },\n]'
