import os
import stat
import tomllib
from pathlib import Path

import pytest

from loom_core.errors import ConfigError, StorageError
from loom_core.runtime.toml_file import read_toml, write_toml
from tests.support.faults import room_for


def test_values_come_back_and_the_previous_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    write_toml(path, {"a": 1, "table": {"b": ["x", "\u202e"]}})
    write_toml(path, {"a": 2})
    assert read_toml(path) == {"a": 2}
    assert read_toml(path.with_name("config.toml.bak")) == {"a": 1, "table": {"b": ["x", "\u202e"]}}


def test_a_missing_file_is_an_empty_table(tmp_path: Path) -> None:
    assert read_toml(tmp_path / "none.toml") == {}


@pytest.mark.parametrize("content", [b"a = ", b"\xff", b"a = 1\na = 2"], ids=repr)
def test_a_faulty_file_is_named_with_the_place_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"cannot read .*config\.toml"):
        read_toml(path)
    assert path.read_bytes() == content


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    write_toml(path, {"a": 1})
    with room_for(path, 100), pytest.raises(StorageError, match="cannot write"):
        write_toml(path, {"a": "x" * 10_000})
    assert read_toml(path) == {"a": 1}
    assert {each.name for each in tmp_path.iterdir() if each.is_file()} <= {"config.toml", "config.toml.bak"}


def test_a_symbolic_link_stays_and_its_target_changes(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "loom.toml"
    write_toml(target, {"a": 1})
    link = tmp_path / "config" / "config.toml"
    link.parent.mkdir()
    link.symlink_to("../dotfiles/loom.toml")
    write_toml(link, {"a": 2})
    assert link.is_symlink()
    assert tomllib.loads(target.read_text()) == {"a": 2}
    assert [each.name for each in target.parent.iterdir()] == ["loom.toml"]


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777], ids=oct)
def test_only_the_owner_can_read_it(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "new" / "config.toml"
    previous = os.umask(umask)
    try:
        write_toml(path, {"key": "secret"})
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_killed_writers_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    old, young = (tmp_path / f".config.toml.{digit * 12}.tmp" for digit in "12")
    others = tmp_path / ".other.toml.111111111111.tmp"
    for each in (old, young, others):
        each.touch()
    for each in (old, others):
        os.utime(each, (0, 0))
    write_toml(path, {})
    assert (old.exists(), young.exists(), others.exists()) == (False, True, True)
