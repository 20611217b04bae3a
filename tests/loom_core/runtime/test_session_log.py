"""What the log promises while nothing goes wrong, and after its process died."""

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from loom_core.errors import SessionClosed, SessionError, SessionTooNew, StorageError
from loom_core.events import (
    Event,
    ModelDelta,
    RunEnd,
    RunStart,
    SessionRecovered,
    SessionStart,
    ToolOutput,
    from_json,
)
from loom_core.messages import Usage
from loom_core.runtime import session_log
from loom_core.runtime.session_store import FileSessionStore, Log
from tests.support.session_files import closed_log, message, new_log, texts


def reopened(root: Path) -> list[Event]:
    log = FileSessionStore(root).open("s")
    log.close()
    return list(log.events())


def test_events_get_their_header_and_one_line_each(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a", "b")
    lines = (tmp_path / "s" / "events.jsonl").read_bytes().splitlines()
    events = [from_json(line) for line in lines]
    assert events == list(log.events())
    assert [(event.type, event.v, event.seq) for event in events] == [
        ("session.start", 1, 1),
        ("user.message", 1, 2),
        ("user.message", 1, 3),
    ]
    assert len({event.id for event in events}) == 3
    assert all(len(event.ts) == len("2025-01-31T15:45:01.042Z") for event in events)
    log.close()


def test_what_is_only_shown_is_stamped_and_not_written(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a")
    delta = log.append(ModelDelta(kind="text", text="x"))
    output = log.append(ToolOutput(call="c", text="x"))
    assert (delta.seq, output.seq) == (2, 2)
    assert log.append(message("b")).seq == 3
    assert len({event.id for event in (delta, output, *log.events())}) == 5
    log.close()
    assert texts(tmp_path) == ["a", "b"]


def test_positions_go_on_after_a_resume_and_no_identity_repeats(tmp_path: Path) -> None:
    closed_log(tmp_path, "a")
    log: Log = FileSessionStore(tmp_path).open("s")
    log.append(message("b"))
    log.close()
    events = list(log.events())
    assert [event.seq for event in events] == [1, 2, 3]
    assert len({event.id for event in events}) == 3


@pytest.mark.parametrize("damage", [b"", b"\0" * 500_000 + b"\n" + b"junk\n" * 1000], ids=["whole", "damaged"])
def test_the_last_position_is_found_in_a_long_line_and_behind_long_damage(tmp_path: Path, damage: bytes) -> None:
    path = closed_log(tmp_path, "x" * 300_000)
    with path.open("ab") as file:
        file.write(damage)
    log = FileSessionStore(tmp_path).open("s")
    assert log.append(message("b")).seq == 3
    log.close()


def test_an_event_that_cannot_be_said_in_json_leaves_no_trace(tmp_path: Path) -> None:
    log = new_log(tmp_path, "a")
    with pytest.raises(TypeError):
        log.append(SessionStart(session="s", cwd="", loom="", metadata={"x": object()}))
    assert log.append(message("b")).seq == 3
    log.close()
    assert texts(tmp_path) == ["a", "b"]


def test_an_event_too_long_to_be_read_again_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_log, "MAX_LINE", 1000)
    log = new_log(tmp_path, "a")
    with pytest.raises(StorageError, match="holds up to 1000"):
        log.append(message("x" * 2000))
    assert log.append(message("b")).seq == 3
    log.close()


def test_a_torn_tail_cut_at_any_byte_costs_only_the_last_event(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "a", "b")
    data = path.read_bytes()
    last = data.rfind(b"\n", 0, -1) + 1
    for cut in range(last + 1, len(data) - 1):
        path.write_bytes(data[:cut])
        log = FileSessionStore(tmp_path).open("s")
        [recovered] = log.drain()
        assert isinstance(recovered, SessionRecovered)
        assert (recovered.torn_bytes, recovered.seq) == (cut - last, 3)
        saved = path.with_name(recovered.saved_as)
        assert saved.read_bytes() == data[last:cut]
        assert log.append(message("c")).seq == 4
        log.close()
        assert texts(tmp_path) == ["a", "c"]


def test_a_last_event_that_lacks_only_its_newline_is_kept(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "a", "b")
    path.write_bytes(path.read_bytes()[:-1])
    log = FileSessionStore(tmp_path).open("s")
    log.append(message("c"))
    assert log.drain() == []
    log.close()
    assert texts(tmp_path) == ["a", "b", "c"]
    assert path.read_bytes().count(b"\n") == 4


@pytest.mark.parametrize("tail", [b"\0" * 4096, b'{"type":"user.message","te\0\0\0', b"\xff" * 100_000], ids=repr)
def test_a_tail_that_a_power_cut_left_is_put_aside(tmp_path: Path, tail: bytes) -> None:
    path = closed_log(tmp_path, "a")
    with path.open("ab") as file:
        file.write(tail)
    assert texts(tmp_path) == ["a"]
    assert isinstance(reopened(tmp_path)[-1], SessionRecovered)
    [saved] = path.parent.glob("events.jsonl.torn-*")
    assert saved.read_bytes() == tail
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_a_log_that_is_all_torn_is_kept_and_can_be_gone_on_with(tmp_path: Path) -> None:
    path = closed_log(tmp_path)
    path.write_bytes(b'{"type":"session.sta')
    assert [event.type for event in reopened(tmp_path)] == ["session.recovered"]
    [saved] = path.parent.glob("events.jsonl.torn-*")
    assert saved.read_bytes() == b'{"type":"session.sta'


def test_damage_in_the_middle_stays_where_it_is(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "a", "b", "c")
    data = path.read_bytes().replace(b'"b"', b'"b')
    path.write_bytes(data)
    log = FileSessionStore(tmp_path).open("s")
    log.append(message("d"))
    reader = log.events()
    assert [event.seq for event in reader] == [1, 2, 4, 5]
    assert reader.skipped == 1
    log.close()
    assert path.read_bytes().startswith(data)


@pytest.mark.parametrize("where", ["first line", "last line"])
def test_a_newer_schema_can_be_read_and_is_not_written_to(tmp_path: Path, where: str) -> None:
    path = closed_log(tmp_path, "a" * 300_000, "b")
    lines = path.read_bytes().splitlines(keepends=True)
    index = 0 if where == "first line" else -1
    lines[index] = lines[index].replace(b'"v":1', b'"v":999')
    path.write_bytes(b"".join(lines) + b"torn")
    before = path.read_bytes()
    with pytest.raises(SessionTooNew, match="999"):
        FileSessionStore(tmp_path).open("s")
    assert path.read_bytes() == before
    assert texts(tmp_path) == ["a" * 300_000, "b"]


def test_an_older_schema_is_gone_on_with(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "a")
    path.write_bytes(path.read_bytes().replace(b'"v":1,', b""))
    log = FileSessionStore(tmp_path).open("s")
    log.append(message("b"))
    log.close()
    assert [event.v for event in log.events()] == [0, 0, 1]


def test_sync_is_a_barrier_and_costs_nothing_when_there_is_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def fdatasync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    log = new_log(tmp_path, "a")

    async def scenario() -> None:
        await log.sync()
        await log.sync()
        log.append(message("b"))
        log.append(ModelDelta(kind="text", text="x"))
        log.blob(b"large")
        await asyncio.gather(log.sync(), log.sync())

    asyncio.run(scenario())
    size = (tmp_path / "s" / "events.jsonl").stat().st_size
    assert len(synced) == 3
    assert sorted(synced[1:]) == [5, size]
    log.close()


def test_the_names_of_a_new_session_are_synced_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    log = new_log(tmp_path, "a")
    for _ in range(2):
        asyncio.run(log.sync())
        log.append(message("b"))
    assert synced == [(tmp_path / "s").stat().st_ino, tmp_path.stat().st_ino]
    log.close()


def test_a_failed_sync_says_so_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log(tmp_path, "a")

    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails)
        with pytest.raises(StorageError, match="Input/output error"):
            asyncio.run(log.sync())
    asyncio.run(log.sync())
    log.close()


def test_a_closed_log_takes_nothing_more(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.close()
    log.close()
    with pytest.raises(SessionClosed):
        log.append(message("a"))
    with pytest.raises(SessionClosed):
        asyncio.run(log.sync())
    with pytest.raises(SessionClosed):
        log.blob(b"x")


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/dev/fd").iterdir()}


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = open_descriptors()
    log = new_log(tmp_path, "a")
    log.blob(b"x")
    asyncio.run(log.sync())
    list(log.events())
    log.close()
    path = tmp_path / "s" / "events.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":9'))
    with pytest.raises(SessionTooNew):
        FileSessionStore(tmp_path).open("s")
    FileSessionStore(tmp_path).list()
    assert open_descriptors() == before


def test_a_blob_is_stored_once_under_its_digest(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    sha = log.blob(b"content")
    file = log.scratch / "output"
    file.write_bytes(b"content")
    assert log.blob(file) == sha
    assert not file.exists()
    assert log.read_blob(sha) == b"content"
    assert [path.name for path in (tmp_path / "s" / "blobs").iterdir()] == [sha]
    assert list(log.scratch.iterdir()) == []
    log.close()


def test_a_file_is_moved_into_the_blobs_with_its_mode_narrowed(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    file = log.scratch / "output"
    file.write_bytes(b"x" * 3_000_000)
    file.chmod(0o644)
    inode = file.stat().st_ino
    stored = tmp_path / "s" / "blobs" / log.blob(file)
    assert (stored.stat().st_ino, stat.S_IMODE(stored.stat().st_mode)) == (inode, 0o600)
    log.close()


def test_a_file_of_another_file_system_is_copied_and_consumed(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    file = shared / f"loom-test-{os.getpid()}"
    file.write_bytes(b"from afar")
    log = new_log(tmp_path)
    assert log.read_blob(log.blob(file)) == b"from afar"
    assert not file.exists()
    log.close()


def test_a_blob_cut_short_by_a_power_cut_is_mended_when_it_is_stored_again(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    sha = log.blob(b"content")
    (tmp_path / "s" / "blobs" / sha).write_bytes(b"")
    assert log.read_blob(log.blob(b"content")) == b"content"
    log.close()


def test_only_regular_files_and_digests_lead_to_blobs(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    secret = tmp_path / "secret"
    secret.write_bytes(b"s")
    link = log.scratch / "link"
    link.symlink_to(secret)
    with pytest.raises(StorageError):
        log.blob(link)
    with pytest.raises(StorageError):
        log.blob(Path("/dev/null"))
    for name in ("../events.jsonl", "0" * 64, ""):
        with pytest.raises(SessionError):
            log.read_blob(name)
    assert secret.exists()
    log.close()


def test_scratch_is_empty_when_a_session_is_opened(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    (log.scratch / "left").mkdir()
    (log.scratch / "left" / "over").write_bytes(b"x")
    log.close()
    log = FileSessionStore(tmp_path).open("s")
    assert list(log.scratch.iterdir()) == []
    assert stat.S_IMODE(log.scratch.stat().st_mode) == 0o700
    log.close()


def test_the_summary_follows_the_events(tmp_path: Path) -> None:
    log = new_log(tmp_path, "  Do\nthis  please ")
    log.append(RunStart(model="a:b", mode="default", cwd="/", tools=(), limits={}))
    log.append(RunEnd(state="failed", stop_reason="max_turns", answer=None, usage=Usage(), turns=1, duration_ms=1))
    toml = (tmp_path / "s" / "session.toml").read_text()
    assert 'title = "Do this please"' in toml
    assert 'stop_reason = "max_turns"' in toml
    log.close()


def test_lines_are_plain_json_in_utf_8(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "Grüße 你好")
    assert json.loads(path.read_bytes().splitlines()[1])["text"] == "Grüße 你好"
