"""The real program as a process, against the scripted server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

LOOM = (sys.executable, "-m", "loom_cli")


def environment(server_url: str | None = None, **extra: str) -> dict[str, str]:
    """The test's isolated environment; with a server, its model is what loom uses."""
    found = dict(os.environ)
    if server_url is not None:
        found |= {"LOOM_MODEL": "compatible:scripted", "OPENAI_BASE_URL": f"{server_url}/v1"}
    return found | extra


def loom(
    *arguments: str,
    server_url: str | None = None,
    stdin: bytes | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 15,
) -> subprocess.CompletedProcess[bytes]:
    """Run loom to its end; without `stdin` its standard input is empty."""
    return subprocess.run(
        [*LOOM, *arguments],
        input=stdin if stdin is not None else b"",
        capture_output=True,
        cwd=cwd,
        env=environment(server_url, **(env or {})),
        timeout=timeout,
        check=False,
    )


def start(
    *arguments: str, server_url: str | None = None, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start loom with an empty standard input, for tests that signal it."""
    return subprocess.Popen(
        [*LOOM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(server_url, **(env or {})),
    )
