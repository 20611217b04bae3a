"""Full disks, failing disks, and files that are removed or replaced while they are written."""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from loom_core.errors import SessionLocked, StorageError
from loom_core.events import Notice
from loom_core.runtime.session_log import FileLog
from loom_core.runtime.session_store import FileSessionStore
from tests.support.faults import room_for
from tests.support.session_files import closed_log, message, new_log, texts


@pytest.mark.parametrize("size", [0, 1, 100, 1999])
def test_a_full_disk_leaves_whole_lines_and_the_events_follow_when_there_is_room(tmp_path: Path, size: int) -> None:
    log = new_log(tmp_path, "a")
    path = tmp_path / "s" / "events.jsonl"
    before = path.read_bytes()
    with room_for(path, size):
        for text in ("b" * 2000, "c" * 2000):
            with pytest.raises(StorageError, match=r"cannot write .*events\.jsonl") as caught:
                log.append(message(text))
            assert caught.value.exit_code == 74
            assert path.read_bytes() == before
    assert log.append(message("d")).seq == 5
    log.close()
    assert texts(tmp_path) == ["a", "b" * 2000, "c" * 2000, "d"]
    assert [event.seq for event in log.events()] == [1, 2, 3, 4, 5]


def test_a_disk_that_was_full_gets_the_rest_when_the_log_is_closed(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a")
    with room_for(tmp_path / "s" / "events.jsonl", 10), pytest.raises(StorageError):
        log.append(message("b"))
    log.close()
    assert texts(tmp_path) == ["a", "b"]


def test_closing_on_a_full_disk_is_quiet_and_lets_go(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a")
    with room_for(tmp_path / "s" / "events.jsonl", 10):
        with pytest.raises(StorageError):
            log.append(message("b"))
        log.close()
    FileSessionStore(tmp_path).open("s").close()
    assert texts(tmp_path) == ["a"]


def test_a_session_that_could_not_be_begun_does_not_occupy_its_name(tmp_path: Path) -> None:
    store = FileSessionStore(tmp_path)
    with room_for(tmp_path / "s" / "events.jsonl", 10), pytest.raises(StorageError):
        store.create(cwd="/", session_id="s")
    assert store.list() == []
    store.create(cwd="/", session_id="s").close()
    assert store.exists("s")


def failing_writes(code: int) -> Callable[[int, bytes], int]:
    """A disk that takes half of a write and then fails."""
    real = os.write
    halves: dict[int, bool] = {}

    def write(descriptor: int, data: bytes) -> int:
        if halves.get(descriptor):
            halves[descriptor] = False
            raise OSError(code, os.strerror(code))
        halves[descriptor] = True
        return real(descriptor, bytes(data)[: max(1, len(data) // 2)])

    return write


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_failing_disk_is_a_storage_error_that_names_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    log = new_log(tmp_path, "a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", failing_writes(code))
        with pytest.raises(StorageError, match=os.strerror(code)):
            log.append(message("b"))
    log.append(message("c"))
    log.close()
    assert texts(tmp_path) == ["a", "b", "c"]


def test_an_interrupt_in_the_middle_of_a_write_leaves_no_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = new_log(tmp_path, "a")
    real = os.write

    def interrupted(descriptor: int, data: bytes) -> int:
        real(descriptor, data[:20])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.append(message("b"))
    log.append(message("c"))
    log.close()
    assert texts(tmp_path) == ["a", "b", "c"]


def test_a_disk_that_cannot_even_cut_off_is_repaired_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log(tmp_path, "a")

    def fails(*_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", failing_writes(errno.EIO))
        patch.setattr(os, "ftruncate", fails)
        with pytest.raises(StorageError):
            log.append(message("b"))
    log.append(message("c"))
    log.close()
    assert texts(tmp_path) == ["a", "b", "c"]
    assert FileSessionStore(tmp_path).verify("s").faults == ()


@pytest.mark.parametrize("target", ["/dev/full", "/dev/null", "a directory"])
def test_a_log_that_is_no_file_is_refused(tmp_path: Path, target: str) -> None:
    path = closed_log(tmp_path, "a")
    path.unlink()
    path.symlink_to(tmp_path if target == "a directory" else target)
    with pytest.raises(StorageError, match="cannot write"):
        FileLog.open(tmp_path / "s")
    assert not FileSessionStore(tmp_path).exists("s")


def test_a_removed_log_is_written_again_whole(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a", "b")
    (tmp_path / "s" / "events.jsonl").unlink()
    log.append(message("c"))
    [_, notice] = log.drain()
    assert isinstance(notice, Notice)
    assert "was removed" in notice.text
    log.append(message("d"))
    log.close()
    assert texts(tmp_path) == ["a", "b", "c", "d"]
    assert [event.seq for event in log.events()] == [1, 2, 3, 4, 5, 6]


def test_a_log_replaced_by_a_sync_tool_is_kept_beside_the_whole_one(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a")
    path = tmp_path / "s" / "events.jsonl"
    other = tmp_path / "other"
    other.write_bytes(path.read_bytes()[:50])
    other.replace(path)
    log.append(message("b"))
    log.close()
    assert texts(tmp_path) == ["a", "b"]
    [kept] = path.parent.glob("events.jsonl.replaced-*")
    assert len(kept.read_bytes()) == 50


def test_a_renamed_log_keeps_what_it_had(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a")
    path = tmp_path / "s" / "events.jsonl"
    path.rename(path.with_name("moved"))
    log.append(message("b"))
    log.close()
    assert texts(tmp_path) == ["a", "b"]
    assert path.with_name("moved").exists()


def test_a_removed_directory_comes_back_private_and_locked(tmp_path: Path) -> None:
    root = tmp_path / "sessions"
    log = new_log(root, "a")
    shutil.rmtree(root)
    log.append(message("b"))
    assert stat.S_IMODE(root.stat().st_mode) == stat.S_IMODE((root / "s").stat().st_mode) == 0o700
    with pytest.raises(SessionLocked):
        FileSessionStore(root).open("s")
    log.close()
    assert texts(root) == ["a", "b"]
    assert [info.id for info in FileSessionStore(root).list()] == ["s"]


def test_a_directory_that_is_removed_and_taken_by_another_is_not_written_to(tmp_path: Path) -> None:
    root = tmp_path / "sessions"
    log = new_log(root, "a")
    shutil.rmtree(root)
    other = new_log(root, "theirs")
    with pytest.raises(SessionLocked):
        log.append(message("b"))
    log.close()
    other.append(message("more"))
    other.close()
    assert texts(root) == ["theirs", "more"]


@pytest.mark.parametrize(
    ("meddle", "expected"),
    [
        pytest.param(lambda data: data + b'{"torn', ["a", "b"], id="appended half a line"),
        pytest.param(lambda data: data + data.splitlines(keepends=True)[-1], ["a", "a", "b"], id="appended a line"),
        pytest.param(lambda data: data[:-10], ["b"], id="cut"),
        pytest.param(lambda _: b"", ["b"], id="emptied"),
    ],
)
def test_a_log_changed_from_outside_is_gone_on_with_and_nothing_glued(
    tmp_path: Path, meddle: Callable[[bytes], bytes], expected: list[str]
) -> None:
    log = new_log(tmp_path, "a")
    path = tmp_path / "s" / "events.jsonl"
    data = meddle(path.read_bytes())
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(data)
    log.append(message("b"))
    assert "changed from outside" in str(log.drain()[-1])
    log.close()
    assert path.read_bytes().startswith(data if data.endswith(b"\n") or not data else data + b"\n")
    assert texts(tmp_path) == expected


def test_changing_directory_and_umask_changes_neither_path_nor_modes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for umask in (0o000, 0o777):
        root = Path(f"umask-{umask:o}/deep/sessions")
        previous = os.umask(umask)
        try:
            log = new_log(root, "a")
            FileSessionStore(root).create(cwd="/").close()
            monkeypatch.chdir(elsewhere)
            log.blob(b"x")
            log.append(message("b"))
            assert log.scratch.is_dir()
            log.close()
        finally:
            os.umask(previous)
        monkeypatch.chdir(tmp_path)
        assert texts(root) == ["a", "b"]
        made = [tmp_path / f"umask-{umask:o}", *(tmp_path / f"umask-{umask:o}").rglob("*")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
        assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}
    assert list(elsewhere.iterdir()) == []


def test_a_directory_without_permission_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot write"):
        FileSessionStore(tmp_path / "file" / "sessions").create(cwd="/")
