"""A docstring's description, and what it says of each parameter, in three styles."""

import pytest

from loom_core.tools.docstring import parse_docstring

GOOGLE = """Do it.

    More of it: yes.

    Args:
        path (str): Where it is,
            in two lines.
        n: How often.

    Returns:
        Nothing.
    """
NUMPY = """Do it.

    More of it: yes.

    Parameters
    ----------
    path : str
        Where it is,
        in two lines.
    n
        How often.

    Returns
    -------
    None
        Nothing.
    """
SPHINX = """Do it.

    More of it: yes.

    :param str path: Where it is,
        in two lines.
    :param n: How often.
    :returns: Nothing.
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_each_style_says_the_same(text: str) -> None:
    description, parameters = parse_docstring(text)
    assert description == "Do it.\n\nMore of it: yes."
    assert parameters == {"path": "Where it is, in two lines.", "n": "How often."}


@pytest.mark.parametrize(
    ("text", "description"),
    [
        (None, ""),
        ("", ""),
        ("One line.", "One line."),
        ("Note: this is prose.\n\n:not a field", "Note: this is prose.\n\n:not a field"),
        ("First.\n\nArgs:\n    a: x\n\nLast.", "First.\n\nLast."),
        ("First.\n\nExample:\n    add(1)", "First.\n\nExample:\n    add(1)"),
    ],
    ids=["none", "empty", "line", "prose", "after", "example"],
)
def test_prose_is_the_description(text: str | None, description: str) -> None:
    assert parse_docstring(text).description == description
