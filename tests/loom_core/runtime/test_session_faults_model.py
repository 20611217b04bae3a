"""Any sequence of appends and faults, against a list of what must be there."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from loom_core.errors import SessionLocked, StorageError
from loom_core.events import UserMessage, to_json
from loom_core.runtime.session_store import FileSessionStore
from tests.support.faults import room_for
from tests.support.session_files import message, texts_of

SIZES = st.sampled_from([0, 1, 1000, 70_000])


def quoted(text: str) -> bytes:
    """The text as it stands in the log."""
    return f'"{text}"'.encode()


class SessionUnderFaults(RuleBasedStateMachine):
    """A session on disk, and beside it what its log must hold: every event that was acknowledged, in order.

    An event is at fault where a byte of its own was flipped: it may then be missing or read differently.
    """

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="loom-test-"))
        self.store = FileSessionStore(self.root)
        self.log = self.store.create(cwd="/", session_id="s")
        self.path = self.root / "s" / "events.jsonl"
        self.number = 0
        self.written: list[str] = []
        self.waiting: list[str] = []
        self.at_fault: set[str] = set()
        self.flipped = False

    def teardown(self) -> None:
        self.log.close()
        shutil.rmtree(self.root)

    def next_text(self, size: int) -> str:
        self.number += 1
        return f"{self.number} {self.number} {self.number}:" + "x" * size  # no flipped bit makes one from another

    @rule(size=SIZES)
    def append(self, size: int) -> None:
        text = self.next_text(size)
        self.log.append(message(text))
        self.written += [*self.waiting, text]
        self.waiting = []

    @rule(size=SIZES, room=st.integers(0, 50))
    def append_on_a_full_disk(self, size: int, room: int) -> None:
        text = self.next_text(size)
        with room_for(self.path, room), pytest.raises(StorageError):
            self.log.append(message(text))
        self.waiting.append(text)

    @rule()
    def close_and_open(self) -> None:
        self.log.close()
        self.written += self.waiting
        self.waiting = []
        self.open()

    @rule(torn=st.integers(0, 60))
    def crash_in_a_write(self, torn: int) -> None:
        self.kill()
        with self.path.open("ab") as file:
            file.write(to_json(UserMessage(v=1, seq=10**6, text="in flight", id="x-1", ts="2025"))[:torn])
        self.open()

    @rule(lost=st.integers(1, 300))
    def crash_and_lose_the_end(self, lost: int) -> None:
        """What a power cut does to bytes that were not synced."""
        self.kill()
        data = self.path.read_bytes()
        kept = max(1, len(data) - lost)
        self.path.write_bytes(data[:kept])
        end = 0
        for line in data.split(b"\n"):
            end += len(line)  # its newline may go, the event is whole without
            if end > kept:
                self.written = [text for text in self.written if quoted(text) not in line]
            end += 1
        self.open()

    @rule(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    @precondition(lambda self: self.written)
    def flip_a_bit_of_a_message(self, where: float, bit: int) -> None:
        text = self.written[int(where * len(self.written))]
        data = bytearray(self.path.read_bytes())
        start = data.find(quoted(text))
        if start < 0:  # flipped before
            return
        data[start + int(where * (len(text) + 2))] ^= 1 << bit
        with self.path.open("r+b") as file:
            file.write(data)
        self.at_fault.add(text)

    @rule()
    def a_second_writer_is_turned_away(self) -> None:
        with pytest.raises(SessionLocked):
            FileSessionStore(self.root).open("s")

    @rule()
    def lose_the_summary(self) -> None:
        (self.root / "s" / "session.toml").unlink(missing_ok=True)

    @rule()
    def lose_the_directory(self) -> None:
        shutil.rmtree(self.root / "s")
        self.append(size=1)

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        events = list(self.store.read("s"))
        positions = [event.seq for event in events]
        assert positions == sorted(set(positions))
        found = texts_of(events)
        assert [text for text in found if text in self.written and text not in self.at_fault] == [
            text for text in self.written if text not in self.at_fault
        ]
        assert len(found) <= len(self.written)

    def kill(self) -> None:
        self.log._resources.close()
        self.log._closed = True
        self.waiting = []

    def open(self) -> None:
        self.log = self.store.open("s")


TestSessionUnderFaults = SessionUnderFaults.TestCase
TestSessionUnderFaults.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
