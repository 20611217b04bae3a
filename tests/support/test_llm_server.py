import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from loom_core.messages import Text, ToolCall
from loom_core.providers.model import Model
from loom_core.providers.registry import connect
from tests.support.asking import reply
from tests.support.llm_server import Calls, LLMServer, Raw, Say, Silence, Status, Think, Turn, from_json


def test_steps_as_json() -> None:
    steps: list[dict[str, Any]] = [
        {"say": "a", "chunk": 2, "usage": [1, 2]},
        {"calls": [["Read", {"path": "x"}], ["Bad", "{"]], "text": "t", "delay": 0.5},
        {"turn": [{"think": "hm"}, {"say": "a"}], "truncate": True},
        {"loop": 2, "steps": [{"status": 429, "headers": {"retry-after": "1"}}, {"silence": 3}]},
        {"raw": "data: x\n\n"},
    ]
    limited = [Status(429, headers={"retry-after": "1"}), Silence(3)]
    assert list(from_json(steps)) == [
        Say("a", 2, usage=(1, 2)),
        Calls(("Read", {"path": "x"}), ("Bad", "{"), text="t", delay=0.5),
        Turn(Think("hm"), Say("a"), truncate=True),
        *limited,
        *limited,
        Raw(b"data: x\n\n"),
    ]


def test_as_a_process(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"loop": 2, "steps": [{"calls": [["Read", {}]]}]}, {"say": "done"}]), "utf-8")
    command = [sys.executable, "-m", "tests.support.llm_server", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        model = Model.compatible("m", base_url=process.stdout.readline().strip() + "/v1")
        kinds = [type(reply(connect(model, {})).parts[0]) for _ in range(3)]
        process.terminate()
    assert kinds == [ToolCall, ToolCall, Text]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_whole_answers_for_clients_that_do_not_stream(path: str) -> None:
    with LLMServer() as server:
        server.script(Calls(("Read", {"path": "x"}), text="looking"))
        answer = httpx.post(server.url + path, json={"model": "m", "messages": []}).json()
    assert "looking" in json.dumps(answer)
    assert answer["model"] == "m"


def test_what_is_left_over_is_known() -> None:
    with LLMServer() as server:
        server.script(Say("a"), Say("b"))
        httpx.post(f"{server.url}/v1/messages", json={})
        assert server.leftover == [Say("b")]
