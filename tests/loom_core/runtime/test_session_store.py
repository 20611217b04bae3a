import itertools
import os
import shutil
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from loom_core.errors import SessionError, SessionLocked, SessionNotFound, UsageError
from loom_core.events import ModelResponse, RunEnd, RunStart, SessionTitle, ToolCalled, ToolResulted
from loom_core.messages import Text, Usage
from loom_core.runtime.memory_store import MemorySessionStore
from loom_core.runtime.session_store import FileSessionStore, SessionInfo, SessionStore
from tests.support.session_files import closed_log, message, texts_of

Make = Callable[[Path], SessionStore]
BOTH = pytest.mark.parametrize("make", [FileSessionStore, lambda _: MemorySessionStore()], ids=["on disk", "in memory"])


def with_sessions(store: SessionStore, *ids: str) -> SessionStore:
    """The store with these sessions, the last one the newest."""
    for number, session_id in enumerate(ids):
        store.create(cwd="/", session_id=session_id).close()
        if isinstance(store, FileSessionStore):
            os.utime(store.root / session_id / "events.jsonl", (number, number))
    return store


def a_run(log_of: SessionStore, session_id: str, *, ended: bool = True) -> None:
    log = log_of.open(session_id)
    log.append(RunStart(model="a:b", mode="default", cwd="/", tools=(), limits={}))
    usage = Usage(input_tokens=100, output_tokens=10)
    log.append(
        ModelResponse(
            turn=1, model="a:b", parts=(Text(text="hi"),), usage=usage, stop="end", duration_ms=1, cost_usd=0.25
        )
    )
    if ended:
        log.append(RunEnd(state="completed", stop_reason="completed", answer="", usage=usage, turns=1, duration_ms=1))
    log.close()


@BOTH
def test_a_session_is_made_gone_on_with_and_read(make: Make, tmp_path: Path) -> None:
    store = make(tmp_path)
    log = store.create(cwd=tmp_path, title="T", metadata={"k": [1]}, parent="p")
    [start] = log.drain()
    assert (start.type, start.seq) == ("session.start", 1)
    log.append(message("a"))
    log.close()
    log = store.open(log.session_id)
    log.append(message("b"))
    assert [event.seq for event in log.events()] == [1, 2, 3]
    log.close()
    assert texts_of(list(store.read(log.session_id))) == ["a", "b"]
    [info] = store.list()
    assert (info.title, info.cwd, info.parent, info.state) == ("T", str(tmp_path), "p", "idle")


@BOTH
def test_one_writer_at_a_time(make: Make, tmp_path: Path) -> None:
    store = make(tmp_path)
    log = store.create(cwd="/", session_id="s")
    with pytest.raises(SessionLocked):
        store.open("s")
    with pytest.raises(SessionLocked):
        store.delete("s")
    assert store.list()[0].pid == os.getpid()
    log.close()
    store.open("s").close()


@BOTH
@pytest.mark.parametrize(
    ("reference", "expected"),
    [("2025-a", "2025-a"), ("2025-ab", "2025-ab"), ("2024", "2024-x"), ("@last", "2025-ab"), ("@2", "2025-a")],
)
def test_a_session_is_found_by_what_people_type(make: Make, tmp_path: Path, reference: str, expected: str) -> None:
    store = with_sessions(make(tmp_path), "2024-x", "2025-a", "2025-ab")
    assert store.find(reference) == expected


@BOTH
@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("2025", "2 sessions begin with '2025'"),
        ("2026", "no session '2026'"),
        ("@0", "no session '@0'"),
        ("@9", "no session '@9'"),
        ("@first", "no session '@first'"),
        ("", "no session ''"),
        ("../2025-a", "no session '../2025-a'"),
    ],
)
def test_what_is_found_not_or_twice_is_said_with_the_candidates(
    make: Make, tmp_path: Path, reference: str, said: str
) -> None:
    store = with_sessions(make(tmp_path), "2025-a", "2025-b")
    with pytest.raises(SessionNotFound, match=said) as caught:
        store.find(reference)
    assert caught.value.hint
    assert reference.startswith("@") or "2025-a" in caught.value.hint


@BOTH
def test_an_empty_store_says_that_it_is_empty(make: Make, tmp_path: Path) -> None:
    store = make(tmp_path / "missing")
    assert store.list() == []
    for ask in (store.find, store.open, store.read, store.path, store.delete, store.verify):
        with pytest.raises(SessionNotFound, match="there are no sessions yet"):
            ask("@last")


@BOTH
@pytest.mark.parametrize("name", ["", ".hidden", "-x", "a/b", "..", "a b", "a\n", "é", "x" * 65, "@last"])
def test_names_that_would_not_do_are_refused(make: Make, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a session"):
        make(tmp_path).create(cwd="/", session_id=name)
    assert list(tmp_path.glob("*/events.jsonl")) == []


@BOTH
def test_a_name_that_is_taken_is_refused(make: Make, tmp_path: Path) -> None:
    store = with_sessions(make(tmp_path), "s")
    with pytest.raises(UsageError, match="exists already"):
        store.create(cwd="/", session_id="s")


@BOTH
def test_deleting_touches_only_the_session_named(make: Make, tmp_path: Path) -> None:
    store = with_sessions(make(tmp_path), "s", "s-1", "s-11", "S-2")
    store.delete("s-1")
    assert {info.id for info in store.list()} == {"s", "s-11", "S-2"}
    with pytest.raises(SessionNotFound):
        store.delete("s-")


@BOTH
def test_verification_finds_calls_without_a_result(make: Make, tmp_path: Path) -> None:
    store = with_sessions(make(tmp_path), "s")
    log = store.open("s")
    for call in "ab":
        log.append(ToolCalled(call=call, tool="T", arguments={}))
    log.append(ToolResulted(call="a", tool="T", content="", is_error=False, outcome="ok", duration_ms=0))
    log.close()
    found = store.verify("s")
    assert (found.events, found.unanswered, found.faults) == (4, ("b",), ())


def test_memory_leaves_nothing_behind(tmp_path: Path) -> None:
    store = MemorySessionStore()
    log = store.create(cwd="/")
    file = log.scratch / "output"
    file.write_bytes(b"content")
    assert log.read_blob(log.blob(file)) == b"content"
    directory = log.scratch.parent
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    log.close()
    assert not directory.exists()
    with pytest.raises(SessionError, match="in memory only"):
        store.path(log.session_id)


def test_names_made_in_the_same_millisecond_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = itertools.chain([b"\0\0\0"] * 3, iter(lambda: os.getrandom(3), None))
    real = os.urandom
    monkeypatch.setattr(os, "urandom", lambda size: next(chance) if size == 3 else real(size))
    store = FileSessionStore(tmp_path, clock=lambda: 0.0)
    ids = {store.create(cwd="/").session_id for _ in range(3)}
    assert len(ids) == 3
    assert "19700101-000000-000000" in ids


def test_a_jumping_clock_changes_no_order(tmp_path: Path) -> None:
    jumps = itertools.cycle([2e9, 1e9 - 86_400, 1e9, 1e9])
    store = FileSessionStore(tmp_path, clock=lambda: next(jumps))
    for session_id in ("future", "past"):
        log = store.create(cwd="/", session_id=session_id)
        for number in range(5):
            log.append(message(str(number)))
        log.close()
    os.utime(tmp_path / "future" / "events.jsonl", (1, 1))
    assert [event.seq for event in store.read("future")] == [1, 2, 3, 4, 5, 6]
    assert texts_of(list(store.read("future"))) == list("01234")
    assert store.find("@last") == "past"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.unlink(), id="missing"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"\0" * 300), id="zeroed"),
        pytest.param(lambda path: path.write_bytes(b'id = "s"\nturns = "many"\n'), id="wrong type"),
        pytest.param(lambda path: path.write_bytes(b'id = "s"\nlog_bytes = -5\n'), id="negative"),
        pytest.param(lambda path: path.write_bytes(b'id = "other"\nlog_bytes = 99\n'), id="of another session"),
        pytest.param(lambda path: path.write_bytes(b'id = "s"\nlog_bytes = 0\n'), id="stale"),
        pytest.param(
            lambda path: path.write_text(path.read_text().replace("log_bytes = ", "log_bytes = 9")),
            id="from the future",
        ),
        pytest.param(lambda path: path.write_text(path.read_text() + "mood = [1, 2]\n"), id="of a newer version"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a directory"),
    ],
)
def test_the_summary_is_a_cache_that_hides_nothing(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    store = with_sessions(FileSessionStore(tmp_path), "s")
    a_run(store, "s")
    a_run(store, "s")
    before = store.list()
    assert (before[0].turns, before[0].cost_usd, before[0].stop_reason) == (2, 0.5, "completed")
    spoil(tmp_path / "s" / "session.toml")
    assert store.list() == before


def test_the_summary_is_toml_whatever_the_title_holds(tmp_path: Path) -> None:
    store = with_sessions(FileSessionStore(tmp_path), "s")
    log = store.open("s")
    title = 'a "b" \\ \n\t\x00\x1b[31m \u202e \x7f 你 # ='
    log.append(SessionTitle(title=title))
    path = tmp_path / "s" / "session.toml"
    assert tomllib.loads(path.read_text())["title"] == title
    assert not set(path.read_text()) & set("\x00\x1b\u202e\x7f")
    log.append(SessionTitle(title="half \ud800"))
    log.close()
    assert tomllib.loads(path.read_text())["title"] == "half ?"
    assert store.list()[0].title == "half ?"


def test_a_summary_edited_by_hand_is_read(tmp_path: Path) -> None:
    store = with_sessions(FileSessionStore(tmp_path), "s")
    path = tmp_path / "s" / "session.toml"
    path.write_text(path.read_text().replace('title = ""', "title='mine'  # by hand"))
    assert store.list()[0].title == "mine"


def test_a_run_that_was_cut_off_shows_as_crashed_until_the_next_one_ends(tmp_path: Path) -> None:
    store = with_sessions(FileSessionStore(tmp_path), "s")

    def state() -> SessionInfo:
        return store.list()[0]

    a_run(store, "s", ended=False)
    assert (state().state, state().pid, state().turns) == ("crashed", None, 1)
    log = store.open("s")
    assert (state().state, state().pid) == ("running", os.getpid())
    log.close()
    assert state().state == "crashed"
    a_run(store, "s")
    assert state().state == "completed"


def test_what_is_no_session_is_not_listed(tmp_path: Path) -> None:
    store = with_sessions(FileSessionStore(tmp_path), "s")
    (tmp_path / "empty-directory").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "began").mkdir()
    (tmp_path / "began" / "events.jsonl").touch()
    shutil.copytree(tmp_path / "s", tmp_path / ".hidden")
    assert [info.id for info in store.list()] == ["s"]


def test_a_deleted_session_is_in_the_trash_however_often_its_name_is_used(tmp_path: Path) -> None:
    store = FileSessionStore(tmp_path / "sessions", clock=lambda: 0.0)
    for _ in range(2):
        with_sessions(store, "s")
        store.delete("s")
    assert len(list(store.trash.glob("s.*/events.jsonl"))) == 2
    assert stat.S_IMODE(store.trash.stat().st_mode) == 0o700
    assert store.list() == []


def test_damaged_sessions_are_listed_and_deleted_only_by_name(tmp_path: Path) -> None:
    store = with_sessions(FileSessionStore(tmp_path), "header-only", "good")
    (tmp_path / "corrupt").mkdir()
    (tmp_path / "corrupt" / "events.jsonl").write_bytes(b"\0garbage\n\xff")
    store.delete("good")
    assert {info.id for info in store.list()} == {"header-only", "corrupt"}
    store.open("corrupt").close()
    store.delete("corrupt")
    assert {info.id for info in store.list()} == {"header-only"}


def test_newest_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    store = with_sessions(FileSessionStore(tmp_path), "a", "b", "c")
    assert [info.id for info in store.list()] == ["c", "b", "a"]
    assert [info.id for info in store.list(limit=2)] == ["c", "b"]


def test_verification_counts_damage_and_changes_nothing(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "a", "b", "c", "d")
    store = FileSessionStore(tmp_path)
    log = store.open("s")
    gone, damaged = log.blob(b"gone"), log.blob(b"damaged")
    for sha in (gone, damaged, log.blob(b"fine")):
        log.append(ToolResulted(call=sha, tool="T", content="", is_error=False, outcome="ok", duration_ms=0, blob=sha))
    log.close()
    (tmp_path / "s" / "blobs" / gone).unlink()
    (tmp_path / "s" / "blobs" / damaged).write_bytes(b"Damaged")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"\xff" + lines[2]
    del lines[4]
    path.write_bytes(b"".join([*lines, lines[1], b'{"torn']))
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    found = store.verify("s")
    assert (found.bad_lines, found.torn_bytes, found.missing, found.repeated) == (1, 6, 1, 1)
    assert (found.missing_blobs, found.damaged_blobs) == ((gone,), (damaged,))
    assert len(found.faults) == 6
    assert {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()} == before


def test_opening_reads_the_end_of_a_long_log_only(tmp_path: Path) -> None:
    path = closed_log(tmp_path, "a")
    head = path.read_bytes()
    size = len(head)
    with path.open("r+b") as file:
        file.truncate(size + (1 << 40))  # a terabyte of nothing, which no one could read
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + head.splitlines(keepends=True)[-1])
    toml = path.with_name("session.toml")
    toml.write_text(toml.read_text().replace(f"log_bytes = {size}", f"log_bytes = {path.stat().st_size}"))
    log = FileSessionStore(tmp_path).open("s")
    assert log.append(message("b")).seq == 3
    log.close()
    assert FileSessionStore(tmp_path).list()[0].title == "a"
