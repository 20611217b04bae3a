from typing import Any

import pytest

from loom_core.providers.base import Generation, parse_arguments


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        ("null", {}),
        ('""', {}),
        ('"{}"', {}),
        ('{"a": [1, 2.5, true, null, "ü"]}', {"a": [1, 2.5, True, None, "ü"]}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
    ],
)
def test_arguments(text: str, arguments: dict[str, Any]) -> None:
    assert parse_arguments(text) == (arguments, None)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"a": 1}}',
        "[1]",
        "7",
        '"text"',
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        '{"a": "\ud800"}',
        '{"a":' * 100_000,
    ],
    ids=lambda text: ascii(text)[:12],
)
def test_what_is_no_object_is_kept_as_it_came(text: str) -> None:
    assert parse_arguments(text) == ({}, text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 2.1},
        {"temperature": -0.1},
        {"top_p": 1.1},
        {"max_output_tokens": 0},
        {"reasoning": "extreme"},
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_named(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        Generation(**wrong)


def test_a_setting_of_a_wrong_type_is_named() -> None:
    wrong: Any = "hot"
    with pytest.raises(TypeError, match="temperature"):
        Generation(temperature=wrong)
