"""One isolated place a test: no real home, no keys, no proxies, no terminal settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOREIGN = ("_API_KEY", "_PROXY", "_proxy", "_BASE_URL")


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HOME and LOOM_HOME in the test's own directory; what could leak in from outside is gone."""
    for name in tuple(os.environ):
        if name.endswith(_FOREIGN) or name.startswith(("LOOM_", "XDG_")):
            monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR", "COLUMNS", "LINES", "OLLAMA_HOST", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LOOM_HOME", str(home / ".loom-home"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("LANG", "C.UTF-8")
    return home
