from typing import Any

import pytest

from loom_core.providers.model import Model


@pytest.mark.parametrize(
    ("text", "provider", "name"),
    [
        ("openai:gpt-5", "openai", "gpt-5"),
        ("ollama:qwen3:8b", "ollama", "qwen3:8b"),
        (" Anthropic : claude-sonnet-5-5 ", "anthropic", "claude-sonnet-5-5"),
        ("compatible:org/model", "compatible", "org/model"),
    ],
)
def test_parse(text: str, provider: str, name: str) -> None:
    model = Model.parse(text)
    assert (model.provider, model.name, model.identifier) == (provider, name, f"{provider}:{name}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("openai", "provider:name"),
        ("", "provider:name"),
        (":x", "provider"),
        ("openai:", "name"),
        ("o p:x", "provider"),
    ],
)
def test_what_is_no_model(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Model.parse(text)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"timeout": 0}, ValueError),
        ({"timeout": float("inf")}, ValueError),
        ({"timeout": "120"}, TypeError),
        ({"timeout": True}, TypeError),
        ({"max_retries": 0}, ValueError),
        ({"max_retries": 1.5}, TypeError),
        ({"base_url": 7}, TypeError),
        ({"api_key": b"x"}, TypeError),
        ({"extensions": [1]}, TypeError),
        ({"provider": None}, TypeError),
        ({"name": " "}, ValueError),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(fields: dict[str, Any], error: type[Exception]) -> None:
    (named,) = fields
    with pytest.raises(error, match=named):
        Model(**{"provider": "openai", "name": "x", **fields})


def test_constructors() -> None:
    assert Model.anthropic("x").provider == "anthropic"
    assert Model.openai("x", timeout=5).timeout == 5
    assert Model.deepseek("x").provider == "deepseek"
    assert Model.ollama("x").provider == "ollama"
    assert Model.compatible("x", base_url="http://a/v1").base_url == "http://a/v1"
    assert Model.parse("openai:x", max_retries=1).max_retries == 1


def test_it_is_a_value_that_hides_its_key() -> None:
    model = Model.openai("x", api_key="sk-canary", extensions={"a": 1})
    assert "canary" not in repr(model)
    assert model == Model.openai("x", api_key="sk-canary", extensions={"a": 1})
    assert hash(model) == hash(Model.openai("x", api_key="sk-canary", extensions={"a": 1}))
