"""Changing the configuration file by program."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from loom_cli.config_file import change_config
from loom_core.errors import ConfigError, UsageError

BEFORE = """\
# mine
[model]
name = "openai:one"  # the good one
extensions = { a = 1 }

[governance]
deny = [
  "Read(a)",  # never
]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "config.toml"


def test_the_first_setting_makes_the_file(path: Path) -> None:
    old = os.umask(0)
    try:
        change_config(path, "budget.max_turns", 3)
    finally:
        os.umask(old)
    assert path.read_text() == "[budget]\nmax_turns = 3\n"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_stands_beside_it_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(BEFORE)
    change_config(path, "model.name", "openai:two")
    change_config(path, "model.seed", 4)
    change_config(path, "governance.deny", ["Read(b)"])
    change_config(path, "budget.max_turns", 3)
    text = path.read_text()
    assert text.startswith('# mine\n[model]\nseed = 4\nname = "openai:two"  # the good one\nextensions = { a = 1 }\n')
    assert tomllib.loads(text) == {
        "model": {"name": "openai:two", "seed": 4, "extensions": {"a": 1}},
        "governance": {"deny": ["Read(b)"]},
        "budget": {"max_turns": 3},
    }
    change_config(path, "model.seed", None)
    change_config(path, "budget.max_turns", None)
    assert "seed" not in path.read_text()
    assert "# mine" in path.read_text()


def test_a_top_level_key_goes_before_the_tables(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(BEFORE)
    change_config(path, "instructions", "be brief")
    assert path.read_text() == 'instructions = "be brief"\n' + BEFORE


def test_a_wrong_value_changes_nothing(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(BEFORE)
    with pytest.raises(UsageError, match=r"^the value given: budget\.max_turns: a whole number, not 'many'"):
        change_config(path, "budget.max_turns", "many")
    assert path.read_text() == BEFORE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[budget]\nmax_turns = 3\n", ""),
        ("a = 1\n\n[budget]\nmax_turns = 3\n\n[model]\nseed = 1\n", "a = 1\n\n[model]\nseed = 1\n"),
        ("[budget]\nmax_turns = 3\nmax_tokens = 4\n", "[budget]\nmax_tokens = 4\n"),
        ("[budget]\n# mine\nmax_turns = 3\n", "[budget]\n# mine\n"),
        ("[budget]\nmax_turns = 3\n# mine\n", "[budget]\n# mine\n"),
        ("[budget] # mine\nmax_turns = 3\n", "[budget] # mine\n"),
        ("budget.max_turns = 3\n", ""),
    ],
)
def test_the_last_field_of_a_table_takes_its_header_with_it(path: Path, before: str, after: str) -> None:
    path.parent.mkdir()
    path.write_text(before)
    change_config(path, "budget.max_turns", None)
    assert path.read_text() == after


def test_one_fault_of_several_can_be_mended(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('[model]\nname = "gpt"\n[budget]\nmax_turns = 0\n')
    change_config(path, "model.name", "openai:gpt")
    change_config(path, "budget.max_turns", None)
    assert path.read_text() == '[model]\nname = "openai:gpt"\n'


def test_a_file_that_is_no_text_is_left(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        change_config(path, "model.seed", 1)
    assert path.read_bytes() == b"\xff"


def test_what_only_a_person_can_change_is_left(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('model = { name = "openai:one" }\n')
    with pytest.raises(ConfigError, match="without rewriting"):
        change_config(path, "model.name", "openai:two")
    assert path.read_text() == 'model = { name = "openai:one" }\n'


def test_a_link_into_another_place_stays_one(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    path.parent.mkdir()
    path.symlink_to(real)
    change_config(path, "budget.max_turns", 3)
    assert path.is_symlink()
    assert "max_turns" in real.read_text()


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from loom_cli.config_file import change_config\n"
        "for n in range(1, 6): change_config(Path(sys.argv[1]), f'governance.max_calls.{sys.argv[2]}{n}', n)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(tomllib.loads(path.read_text())["governance"]["max_calls"]) == 10
