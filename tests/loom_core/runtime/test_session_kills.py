"""Processes killed at any moment: nothing acknowledged is lost, nothing is left locked."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loom_core.errors import SessionLocked
from loom_core.runtime.session_store import FileSessionStore
from tests.support.process_rounds import kill, rest, spawn
from tests.support.session_files import closed_log, message, texts
from tests.support.session_processes import append_for_ever, hold, replace_for_ever

KILLS = int(os.environ.get("LOOM_KILLS", "40"))


@pytest.mark.timeout(20 + KILLS)
def test_a_writer_killed_at_any_moment_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    closed_log(tmp_path)
    chance = random.Random(1)
    known: list[str] = []
    for seed in range(KILLS):
        process, acknowledged = spawn(append_for_ever, tmp_path, seed)
        acknowledged.poll(10)
        time.sleep(chance.random() * 0.01)  # the moment is the point, not a wait
        kill(process)
        acked = [each.decode() for each in rest(acknowledged)]
        found = [text.partition("x")[0] for text in texts(tmp_path)]
        new = found[len(known) :]
        assert found[: len(known)] == known
        assert new[: len(acked)] == acked
        assert len(new) <= len(acked) + 1  # the one in flight
        known = found
    log = FileSessionStore(tmp_path).open("s")
    log.append(message("after"))
    log.close()
    assert texts(tmp_path)[-1] == "after"
    assert len(texts(tmp_path)) == len(known) + 1
    verified = FileSessionStore(tmp_path).verify("s")
    assert verified.faults == ()


@pytest.mark.timeout(20 + KILLS)
def test_a_file_is_whole_whenever_who_replaces_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    chance = random.Random(2)
    for _ in range(max(10, KILLS // 2)):
        process, ready = spawn(replace_for_ever, path)
        ready.poll(10)
        time.sleep(chance.random() * 0.01)
        kill(process)
        ready.close()
        first, _, last = path.read_bytes().split(b"\n")
        assert first == last


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A process that has session `s` open, and its child."""
    closed_log(tmp_path, "ours")
    process, said = spawn(hold, tmp_path)
    assert said.poll(10)
    child = said.recv()
    assert process.pid
    yield process.pid, child
    os.kill(child, signal.SIGKILL)
    kill(process)
    said.close()


def test_a_second_process_is_told_who_has_the_session_and_can_read_it(tmp_path: Path, holder: tuple[int, int]) -> None:
    store = FileSessionStore(tmp_path)
    with pytest.raises(SessionLocked, match=f"process {holder[0]} on ") as caught:
        store.open("s")
    assert caught.value.exit_code == 2
    with pytest.raises(SessionLocked):
        store.delete("s")
    assert texts(tmp_path) == ["ours", "theirs"]
    [info] = store.list()
    assert (info.state, info.pid) == ("running", holder[0])


def test_a_killed_owner_lets_go_although_its_child_lives_on(tmp_path: Path, holder: tuple[int, int]) -> None:
    process, child = holder
    os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while FileSessionStore(tmp_path).list()[0].pid:
        assert time.monotonic() < deadline
    log = FileSessionStore(tmp_path).open("s")
    os.kill(child, 0)
    log.append(message("again"))
    log.close()
    assert texts(tmp_path) == ["ours", "theirs", "again"]
