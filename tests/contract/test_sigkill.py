"""SIGKILL at a random moment of a session loses no acknowledged event, and the session goes on.

LOOM_KILLS sets how many moments are tried (12 in the suite; 200 by hand).
"""

from __future__ import annotations

import json
import os
import random
import select
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.llm_server import AnyStep, Calls, LLMServer, Request, Say
from tests.support.program import loom, start

KILLS = int(os.environ.get("LOOM_KILLS", "12"))
LONGEST_S = 1.2
TRANSIENT = ("model.delta", "tool.output")


def endless(request: Request) -> AnyStep:
    """Tool rounds for ever, each call a new one; an answer to those who go on after the kill."""
    if request.body is None:  # the request was cut off by the kill
        return Say("")
    messages = request.body["messages"]
    if messages[-1]["role"] == "user" and messages[-1]["content"] == "go on":
        return Say("went on")
    number = len(messages)
    if number % 4:
        return Calls(("Read", {"path": "big.txt", "limit": number}), text="reading")
    return Calls(("Shell", {"command": f"echo {number} >> done.txt"}), ("Glob", {"pattern": f"*{number}"}))


def acknowledged(seen: bytes) -> list[dict[str, Any]]:
    """The events of whole lines that were printed, and so were in the log before."""
    events = [json.loads(line) for line in seen.split(b"\n")[:-1]]
    return [event for event in events if event["type"] not in TRANSIENT]


@pytest.mark.parametrize("seed", range(KILLS))
def test_nothing_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    (tmp_path / "big.txt").write_text("a line of some length\n" * 5000)
    with LLMServer() as server:
        server.reply_with(endless)
        process = start(
            "run",
            "-g",
            "go",
            "--format",
            "jsonl",
            "--cap",
            "shell",
            "--mode",
            "auto",
            server_url=server.url,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        seen = os.read(process.stdout.fileno(), 65536)  # the first event: from here on any moment will do
        deadline = time.monotonic() + random.Random(seed).uniform(0, LONGEST_S)
        while (left := deadline - time.monotonic()) > 0:
            if select.select([process.stdout], [], [], left)[0]:
                seen += os.read(process.stdout.fileno(), 65536)
        process.kill()
        seen += process.communicate()[0]
        told = acknowledged(seen)

        session = loom("sessions", "list").stdout.split(b"\t")[0].decode()
        before = log(session)
        assert before[: len(told) + 1][1:] == told, "what was printed is in the log, in order, after its first event"

        resumed = loom("run", "-s", session, "-g", "go on", server_url=server.url, cwd=tmp_path)
        assert (resumed.returncode, resumed.stdout) == (0, b"went on\n"), resumed.stderr
        after = log(session)
        assert after[: len(before)] == before
        assert [event["seq"] for event in after] == list(range(1, len(after) + 1))
        results = {event["call"] for event in after if event["type"] == "tool.result"}
        unfinished = [e["call"] for e in after if e["type"] == "tool.start" and e["call"] not in results]
        sent = server.requests[-1].body["messages"]
        for call in unfinished:
            content = next(m["content"] for m in sent if m.get("tool_call_id") == call)
            assert content.startswith("interrupted"), "a call whose outcome is unknown is said to be so"
        assert loom("sessions", "verify", session).returncode == 0


def log(session: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in loom("sessions", "show", session, "--raw").stdout.splitlines()]
