from __future__ import annotations

import asyncio
import os
from pathlib import Path

from loom_cli.line.history import append_history, load_history
from loom_cli.line.input_lines import InputLines
from loom_cli.line.layout import last_rows


def test_history_is_kept_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history.jsonl"
    assert load_history(path) == []
    for text in ("one", "two\nlines", "half \ud800"):
        append_history(path, text)
    assert load_history(path) == ["one", "two\nlines", "half ?"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_damaged_and_old_history_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'"' + b"x" * 300_000 + b'"\nnot json\n"kept"\n')
    assert load_history(path) == ["kept"]


def test_history_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    append_history(tmp_path / "file" / "history.jsonl", "text")


def test_lines_come_one_by_one_and_then_the_end() -> None:
    read, write = os.pipe()
    os.write(write, "one\r\n\nthrée\nrest".encode())
    os.close(write)

    async def lines() -> list[str | None]:
        source = InputLines(read)
        return [await source.next() for _ in range(6)]

    assert asyncio.run(lines()) == ["one", "", "thrée", "rest", None, None]
    os.close(read)


def test_no_line_is_lost_when_waiting_is_cancelled() -> None:
    read, write = os.pipe()

    async def line() -> str | None:
        source = InputLines(read)
        waiting = asyncio.ensure_future(source.next())
        await asyncio.sleep(0)
        waiting.cancel()
        os.write(write, b"kept\n")
        return await source.next()

    assert asyncio.run(line()) == "kept"
    os.close(read)
    os.close(write)


def test_the_tail_is_the_last_rows_as_the_terminal_wraps_them() -> None:
    assert last_rows("one\ntwo\nthree", 10, 2) == ["two", "three"]
    assert last_rows("abcdefgh", 3, 2) == ["def", "gh"]
    assert last_rows("日本語", 4, 5) == ["日本", "語"]
    assert last_rows("one\n\nthree", 10, 5) == ["one", "", "three"]
