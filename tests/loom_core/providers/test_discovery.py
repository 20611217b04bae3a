import asyncio
import socket

import pytest

from loom_core.errors import BadRequest, NoModel, ProviderUnavailable
from loom_core.providers import discovery
from loom_core.providers.catalog import PROVIDERS
from loom_core.providers.discovery import model_names
from loom_core.providers.model import Model
from loom_core.providers.registry import discover
from tests.support.llm_server import LLMServer


def nobody() -> str:
    """An address on this machine where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_llama(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "LLAMA_CPP_URL", nobody())


def found(environment: dict[str, str], stored: tuple[str, ...] = ()) -> Model:
    environment = {"OLLAMA_HOST": nobody(), **environment}
    return asyncio.run(discover(environment, lambda provider: provider in stored))


@pytest.mark.parametrize("provider", ["anthropic", "openai", "deepseek"])
def test_a_key_decides(provider: str) -> None:
    known = PROVIDERS[provider]
    expected = f"{provider}:{known.default_model}"
    assert found({known.key_variable: "sk-x"}).identifier == expected
    assert found({}, stored=(provider,)).identifier == expected


def test_keys_have_an_order() -> None:
    assert found({"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b"}).provider == "anthropic"


def test_a_local_ollama() -> None:
    with LLMServer(models=("nomic-embed-text", "qwen3:8b")) as server:
        assert found({"OLLAMA_HOST": server.url}) == Model.ollama("qwen3:8b")


def test_a_local_llama_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    with LLMServer(models=("qwen.gguf",)) as server:
        monkeypatch.setattr(discovery, "LLAMA_CPP_URL", f"{server.url}/v1")
        assert found({}) == Model.compatible("qwen.gguf", base_url=f"{server.url}/v1")


def test_whatever_else_listens_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with LLMServer(models=("qwen.gguf",), owner="someone else") as server:
        monkeypatch.setattr(discovery, "LLAMA_CPP_URL", f"{server.url}/v1")
        with pytest.raises(NoModel):
            found({})


def test_the_server_named_by_the_environment() -> None:
    with LLMServer(models=("mine",)) as server:
        environment = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-x"}
        assert found(environment) == Model.compatible("mine")


def test_a_server_that_keeps_silent_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(NoModel):
        found({"OLLAMA_HOST": f"127.0.0.1:{listener.getsockname()[1]}"})


def test_without_any_the_error_names_every_way_out() -> None:
    with pytest.raises(NoModel) as caught:
        found({})
    hint = caught.value.hint or ""
    assert all(way in hint for way in ("ANTHROPIC_API_KEY", "loom keys set", "ollama", "llama-server", "--model"))
    assert caught.value.exit_code == 4


def test_names_of_the_models_a_service_offers() -> None:
    with LLMServer(models=("a", "b")) as server:
        for model in (Model.compatible("x", base_url=f"{server.url}/v1"), Model.anthropic("x", base_url=server.url)):
            assert asyncio.run(model_names(model, {})) == ["a", "b"]


def test_a_service_that_lists_none() -> None:
    with LLMServer() as server, pytest.raises(BadRequest) as caught:
        asyncio.run(model_names(Model.compatible("x", base_url=server.url), {}))
    assert caught.value.kind == "not_found"


def test_a_service_that_is_not_there() -> None:
    with pytest.raises(ProviderUnavailable):
        asyncio.run(model_names(Model.compatible("x", base_url=nobody()), {}))
