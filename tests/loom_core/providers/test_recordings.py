"""Recorded traffic of real services, where it is at hand; else these tests are skipped.

It is a folder of cassettes beside the repository, or the one LOOM_CASSETTES names, with a replay server in `../tools`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from loom_core.errors import ProviderError
from loom_core.messages import Opaque, Part, Text, Thinking, ToolCall
from loom_core.providers.base import Provider
from loom_core.providers.model import Model
from loom_core.providers.registry import connect
from tests.support.asking import reply

CASSETTES = Path(os.environ.get("LOOM_CASSETTES", Path(__file__).parents[4] / "shared" / "cassettes"))
REPLAY = CASSETTES.parent / "tools" / "replay_server.py"

pytestmark = pytest.mark.skipif(
    not REPLAY.is_file() or find_spec("yaml") is None, reason="needs recordings, their replay server and PyYAML"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, str(REPLAY), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "REPLAY_ROOT": str(CASSETTES)},
    ) as process:
        assert process.stdout
        yield process.stdout.readline().split()[2]
        process.kill()


@pytest.fixture
def replay(server: str) -> str:
    """The replay server, at the beginning of each recording."""
    httpx.post(f"{server}/__replay/reset").raise_for_status()
    return server


def recorded(replay: str, alias: str, mode: str) -> Provider:
    base = f"{replay}/c/{alias}/m/{mode}"
    if alias.startswith("anthropic"):
        return connect(Model.anthropic("m", base_url=base, max_retries=1), {})
    return connect(Model.compatible("m", base_url=f"{base}/v1", max_retries=1), {})


ANSWERS: dict[str, list[tuple[str, list[type[Part]], int, int]]] = {
    "anthropic-tool-use": [
        ("tool_calls", [Text, Opaque, Opaque, Text, ToolCall], 1591, 175),
        ("end", [Text], 1007, 59),
    ],
    "anthropic-thinking": [("end", [Thinking, Text], 43, 282)],
    "anthropic-cache-compaction": [("end", [Opaque, Text], 181, 8)],
    "openai-parallel-tools": [
        ("tool_calls", [ToolCall, ToolCall], 364, 40),
        ("tool_calls", [ToolCall], 423, 15),
        ("tool_calls", [ToolCall], 448, 62),
    ],
    "openai-text": [("end", [Text], 14, 8)],
    "openai-sync-tool": [("tool_calls", [ToolCall], 53, 15), ("end", [Text], 78, 9)],
    "deepseek-reasoning": [("end", [Thinking, Text], 6, 212)],
    "openrouter-reasoning": [("end", [Thinking, Text, Opaque], 43, 36)],
    "mistral-thinking": [("end", [Thinking, Text], 10, 232)],
    "crusoe-text": [("end", [Text], 46, 14)],
    "snowflake-stream": [("end", [Text], 22, 5)],
}


@pytest.mark.parametrize("mode", ["event", "n7", "rand1"])
@pytest.mark.parametrize("alias", ANSWERS)
def test_answers(replay: str, alias: str, mode: str) -> None:
    for expected in ANSWERS[alias]:
        answer = reply(recorded(replay, alias, mode))
        usage = answer.usage
        kinds = [type(part) for part in answer.parts]
        assert (answer.stop, kinds, usage.input_tokens, usage.output_tokens) == expected
        assert all(part.invalid is None for part in answer.parts if isinstance(part, ToolCall))


FAILURES = {
    "anthropic-err400": ("bad_request", 400, "Supported levels"),
    "openai-err404": ("not_found", 404, "does not exist"),
    "openrouter-429": ("rate_limit", 429, "temporarily rate-limited"),
    "openrouter-error": ("bad_request", 400, "Token limit"),
    "groq-midstream-error": ("protocol", 400, "Tool call validation failed"),
}


@pytest.mark.parametrize("alias", FAILURES)
def test_failures(replay: str, alias: str) -> None:
    kind, status, said = FAILURES[alias]
    with pytest.raises(ProviderError, match=said) as caught:
        reply(recorded(replay, alias, "event"))
    assert (caught.value.kind, caught.value.status) == (kind, status)
