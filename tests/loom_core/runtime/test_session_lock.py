"""The writer's lock where the operating system has no locks; the rest of it is tested with real processes."""

import errno
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from loom_core.errors import SessionLocked
from loom_core.events import Notice, encode
from loom_core.runtime.session_lock import Holder, SessionLock, session_holder
from loom_core.runtime.session_log import FileLog
from loom_core.runtime.session_store import FileSessionStore
from tests.support.process_rounds import kill, spawn
from tests.support.session_files import closed_log, message, new_log, texts
from tests.support.session_processes import hold


@pytest.fixture
def no_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network file system without a lock service."""

    def flock(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)


def test_a_lock_ends_with_its_owner_and_leaves_a_file_that_locks_nothing(tmp_path: Path) -> None:
    lock = SessionLock(tmp_path)
    holder = session_holder(tmp_path)
    assert holder
    assert (holder.pid, holder.host) == (os.getpid(), os.uname().nodename)
    lock.release()
    assert (tmp_path / "lock").read_bytes()
    assert session_holder(tmp_path) is None
    SessionLock(tmp_path).release()


@pytest.mark.parametrize("content", [b"", b"\0" * 50, b"[" * 1000, b'{"pid":"x"}'], ids=repr)
def test_a_holder_that_cannot_be_made_out_still_holds(tmp_path: Path, content: bytes) -> None:
    lock = SessionLock(tmp_path)
    (tmp_path / "lock").write_bytes(content)
    with pytest.raises(SessionLocked, match="is open in another process"):
        SessionLock(tmp_path)
    lock.release()


def test_asking_who_holds_a_lock_turns_no_writer_away(tmp_path: Path) -> None:
    closed_log(tmp_path)
    descriptor = os.open(tmp_path / "s" / "lock", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # as a listing does, for some microseconds
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        os.close(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", pause)
        SessionLock(tmp_path / "s").release()
    assert len(pauses) == 1


def test_a_lock_on_a_directory_that_was_exchanged_meanwhile_is_worth_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_log(tmp_path)
    others: list[FileLog] = []
    real = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        (tmp_path / "s").rename(tmp_path / "deleted")
        others.append(new_log(tmp_path, "theirs"))
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(SessionLocked):
        FileSessionStore(tmp_path).open("s")
    assert session_holder(tmp_path / "deleted") is None
    others[0].close()
    assert texts(tmp_path) == ["theirs"]


@pytest.mark.usefixtures("no_flock")
def test_without_locks_a_file_stands_for_one_and_the_user_is_told(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a")
    [_, notice] = log.drain()
    assert isinstance(notice, Notice)
    assert "has no locks" in notice.text
    with pytest.raises(SessionLocked, match=f"process {os.getpid()} on"):
        FileSessionStore(tmp_path).open("s")
    assert FileSessionStore(tmp_path).list()[0].state == "running"
    log.close()
    assert not (tmp_path / "s" / "lock.held").exists()
    FileSessionStore(tmp_path).open("s").close()


@pytest.mark.usefixtures("no_flock")
def test_without_locks_a_removed_directory_is_locked_again(tmp_path: Path) -> None:
    log = new_log(tmp_path / "sessions", "a")
    shutil.rmtree(tmp_path / "sessions")
    log.append(message("b"))
    with pytest.raises(SessionLocked):
        FileSessionStore(tmp_path / "sessions").open("s")
    log.close()
    assert texts(tmp_path / "sessions") == ["a", "b"]


@pytest.mark.usefixtures("no_flock")
def test_without_locks_a_dead_process_of_this_machine_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    closed_log(tmp_path)
    process, said = spawn(hold, tmp_path)
    assert said.poll(10)
    os.kill(said.recv(), 9)
    dead = process.pid
    kill(process)
    said.close()
    held = tmp_path / "s" / "lock.held"
    held.write_bytes(encode(Holder(pid=dead, host=os.uname().nodename)))
    FileSessionStore(tmp_path).open("s").close()
    held.write_bytes(encode(Holder(pid=dead, host="another-machine", since="2025-01-01T00:00:00.000Z")))
    with pytest.raises(SessionLocked, match="on another-machine since 2025"):
        FileSessionStore(tmp_path).open("s")
    assert held.exists()
