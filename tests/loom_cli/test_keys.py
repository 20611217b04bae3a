"""Where keys are found, and the file they are stored in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from loom_cli.keys import FoundKey, keys_file, locate_key, store_key, stored_keys
from loom_core.errors import AuthenticationFailed, ConfigError

CANARY = "sk-canary"


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_first_place_that_has_a_key_gives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate_key("openai", {}, None) is None
    store_key("openai", "stored")
    assert locate_key("openai", {}, None) == FoundKey(secret="stored", origin=str(keys_file()))
    package = tmp_path / "packages" / "keyring"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from keyring import errors\ndef get_password(service, name):\n    return f'{service}-{name}'\n"
    )
    (package / "errors.py").write_text("class KeyringError(Exception): pass\n")
    monkeypatch.syspath_prepend(str(package.parent))
    assert locate_key("openai", {}, None) == FoundKey(secret="loom-openai", origin="keyring")
    for name in ("keyring", "keyring.errors"):
        sys.modules.pop(name)
    command = [script(tmp_path / "pass", 'echo "from $1 $2"; echo more'), "show"]
    assert locate_key("openai", {}, command) == FoundKey(secret="from show openai", origin="keys.cmd")
    found = locate_key("openai", {"OPENAI_API_KEY": "variable"}, command)
    assert found == FoundKey(secret="variable", origin="OPENAI_API_KEY")


def test_a_command_that_fails_has_no_key(tmp_path: Path) -> None:
    assert locate_key("openai", {}, [script(tmp_path / "pass", "echo nothing; exit 1")]) is None


def test_a_command_that_is_missing_is_said() -> None:
    with pytest.raises(ConfigError, match=r"keys\.cmd: /nonexistent: No such file"):
        locate_key("openai", {}, ["/nonexistent"])


def test_the_file_is_private_whatever_the_umask() -> None:
    old = os.umask(0)
    try:
        store_key("openai", CANARY)
        store_key("anthropic", "other")
        store_key("openai", None)
    finally:
        os.umask(old)
    assert stored_keys() == {"anthropic": "other"}
    assert keys_file().stat().st_mode & 0o777 == 0o600
    assert keys_file().parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in keys_file().parent.iterdir()] == ["keys.toml"]


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (f'openai = "{CANARY}"', 0o644, "can be read by others"),
        (f'openai = "{CANARY}"', 0o640, "can be read by others"),
        (f"openai = {CANARY}", 0o600, "not TOML"),
        ("openai = 3", 0o600, "each value is a key"),
    ],
)
def test_an_unusable_file_is_refused_without_quoting_it(text: str, mode: int, message: str) -> None:
    keys_file().parent.mkdir(parents=True)
    keys_file().write_text(text)
    keys_file().chmod(mode)
    with pytest.raises((ConfigError, AuthenticationFailed), match=message) as caught:
        stored_keys()
    assert caught.value.exit_code == (4 if mode != 0o600 else 2)
    assert CANARY not in f"{caught.value} {caught.value.hint}"


def test_no_repr_shows_a_key() -> None:
    assert CANARY not in repr(FoundKey(secret=CANARY, origin="keyring"))
