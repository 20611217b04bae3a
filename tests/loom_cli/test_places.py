from pathlib import Path

import pytest

from loom_cli.places import cache_directory, config_directory, data_directory, session_store, state_directory

ALL = (config_directory, data_directory, state_directory, cache_directory)


def test_loom_home_roots_them_all_and_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_HOME", str(tmp_path / "loom"))
    assert [place() for place in ALL] == [tmp_path / "loom" / name for name in ("config", "data", "state", "cache")]
    assert session_store().root == tmp_path / "loom" / "state" / "sessions"
    assert session_store().list() == []
    assert not (tmp_path / "loom").exists()


@pytest.mark.parametrize(("given", "expected"), [("~/l", "home/l"), ("here", "here")])
def test_loom_home_need_not_be_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOM_HOME", given)
    assert state_directory() == tmp_path / expected / "state"


@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
def test_without_loom_home_the_platform_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("LOOM_HOME")
    if value is not None:
        monkeypatch.setenv("LOOM_HOME", value)
    found = [place() for place in ALL]
    assert all(path.is_relative_to(tmp_path / "home") and path.name == "loom" for path in found)
