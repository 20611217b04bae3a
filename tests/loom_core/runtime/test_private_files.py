import os
import stat
from pathlib import Path

import pytest

from loom_core.runtime.private_files import make_private_directory, replace_file, unused_name
from tests.support.faults import room_for


@pytest.fixture(params=[True, False], ids=["durable", "quick"])
def durable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_content_is_replaced_and_nothing_else_is_left(tmp_path: Path, *, durable: bool) -> None:
    path = tmp_path / "deep" / "er" / "file"
    make_private_directory(path.parent)
    replace_file(path, b"one", durable=durable)
    replace_file(path, b"two", durable=durable)
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_content_and_no_other_file(tmp_path: Path, *, durable: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with room_for(path, 100), pytest.raises(OSError, match="File too large"):
        replace_file(path, b"x" * 10_000, durable=durable)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["file"]


def test_a_symbolic_link_stays_and_its_target_changes(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "loom.toml"
    target.parent.mkdir()
    target.write_bytes(b"one")
    link = tmp_path / "config" / "config.toml"
    link.parent.mkdir()
    link.symlink_to("../dotfiles/loom.toml")
    replace_file(link, b"two")
    assert link.is_symlink()
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777], ids=oct)
def test_only_the_owner_can_read_what_is_made(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "new" / "deep" / "file"
    previous = os.umask(umask)
    try:
        make_private_directory(path.parent)
        replace_file(path, b"secret")
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for directory in (path.parent, path.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_what_exists_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(0o755)
    make_private_directory(shared / "ours")
    make_private_directory(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755


def test_a_file_in_the_way_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("file", "dangling", "dangling/deeper"):
        with pytest.raises(OSError, match="exists"):
            make_private_directory(tmp_path / name)


@pytest.mark.parametrize("name", ["/proc/nope", "/proc/nope/deeper", "/dev/null/deeper"])
def test_where_no_directory_can_be_made_is_an_error(name: str) -> None:
    with pytest.raises(OSError, match=r"No such file|Not a directory"):
        make_private_directory(Path(name))


def test_what_killed_writers_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    old, young = (tmp_path / f".file.{digit * 12}.tmp" for digit in "12")
    others = [tmp_path / name for name in (".other.111111111111.tmp", ".file.tmp", "file.111111111111.tmp")]
    for each in (old, young, *others):
        each.touch()
    for each in (old, *others):
        os.utime(each, (0, 0))
    replace_file(tmp_path / "file", b"")
    assert not old.exists()
    assert all(each.exists() for each in (young, *others))


def test_an_unused_name_is_numbered_from_the_second_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    names = []
    for _ in range(3):
        names.append(unused_name(path, "torn"))
        names[-1].touch()
    assert [name.name for name in names] == ["log.torn", "log.torn-1", "log.torn-2"]
