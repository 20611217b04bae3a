import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from loom_core.errors import AuthenticationFailed, ConfigError, UsageError
from loom_core.providers.model import Model
from loom_core.providers.registry import connect, key_variable, locate

KEY = "sk-canary-0123456789"


def secret(model: Model, environment: Mapping[str, str], key: str | None = None) -> str | None:
    service = locate(model, environment, key)
    sent = " ".join(service.headers.values())
    assert (service.key is None) == (service.key not in sent if service.key else True)
    return service.key


@pytest.mark.parametrize(
    ("model", "environment", "address"),
    [
        pytest.param(Model.openai("m"), {"OPENAI_API_KEY": KEY}, "https://api.openai.com/v1", id="openai"),
        pytest.param(Model.anthropic("m"), {"ANTHROPIC_API_KEY": KEY}, "https://api.anthropic.com", id="anthropic"),
        pytest.param(Model.deepseek("m"), {"DEEPSEEK_API_KEY": KEY}, "https://api.deepseek.com", id="deepseek"),
        pytest.param(Model.ollama("m"), {}, "http://127.0.0.1:11434/v1", id="ollama"),
        pytest.param(Model.ollama("m"), {"OLLAMA_HOST": "0.0.0.0"}, "http://127.0.0.1:11434/v1", id="all addresses"),  # noqa: S104
        pytest.param(Model.ollama("m"), {"OLLAMA_HOST": "box:99"}, "http://box:99/v1", id="host and port"),
        pytest.param(Model.ollama("m"), {"OLLAMA_HOST": ":99"}, "http://127.0.0.1:99/v1", id="port"),
        pytest.param(Model.ollama("m"), {"OLLAMA_HOST": "http://box"}, "http://box:80/v1", id="scheme"),
        pytest.param(Model.ollama("m"), {"OLLAMA_HOST": "https://box/o/"}, "https://box:443/o/v1", id="path"),
        pytest.param(Model.ollama("m"), {"OLLAMA_HOST": "[::1]:99"}, "http://[::1]:99/v1", id="IPv6"),
        pytest.param(Model.compatible("m"), {"OPENAI_BASE_URL": "http://a/v1/"}, "http://a/v1", id="by environment"),
        pytest.param(
            Model.openai("m"), {"OPENAI_BASE_URL": "https://a/v1", "OPENAI_API_KEY": KEY}, "https://a/v1", id="moved"
        ),
        pytest.param(
            Model.compatible("m", base_url="http://b"), {"OPENAI_BASE_URL": "http://a"}, "http://b", id="said"
        ),
    ],
)
def test_addresses(model: Model, environment: dict[str, str], address: str) -> None:
    assert locate(model, environment).base_url == address


ELSEWHERE = "https://elsewhere.example/v1"


@pytest.mark.parametrize(
    ("model", "environment", "stored", "sent"),
    [
        pytest.param(Model.openai("m"), {"OPENAI_API_KEY": KEY}, "other", KEY, id="environment first"),
        pytest.param(Model.openai("m"), {"OPENAI_API_KEY": " "}, KEY, KEY, id="then the stored one"),
        pytest.param(Model.openai("m", api_key=KEY), {"OPENAI_API_KEY": "other"}, None, KEY, id="the model's own"),
        pytest.param(Model.openai("m", api_key_env="MINE"), {"MINE": KEY, "OPENAI_API_KEY": "o"}, "o", KEY, id="named"),
        pytest.param(
            Model.openai("m"),
            {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": ELSEWHERE},
            None,
            KEY,
            id="both from the environment",
        ),
        pytest.param(
            Model.openai("m", base_url=ELSEWHERE), {"OPENAI_API_KEY": KEY}, KEY, None, id="not to another host"
        ),
        pytest.param(
            Model.openai("m", base_url="http://api.openai.com/v1"),
            {"OPENAI_API_KEY": KEY},
            None,
            None,
            id="not in clear",
        ),
        pytest.param(
            Model.anthropic("m", base_url="https://api.anthropic.com.evil.example"),
            {"ANTHROPIC_API_KEY": KEY},
            None,
            None,
            id="not to a longer name",
        ),
        pytest.param(
            Model.openai("m", base_url="https://api.openai.com:443/v2"),
            {"OPENAI_API_KEY": KEY},
            None,
            KEY,
            id="other path",
        ),
        pytest.param(Model.openai("m", base_url=ELSEWHERE, api_key=KEY), {}, None, KEY, id="given for this address"),
        pytest.param(Model.compatible("m", base_url=ELSEWHERE), {"OPENAI_API_KEY": KEY}, None, None, id="not openai's"),
        pytest.param(Model.compatible("m", base_url=ELSEWHERE), {"COMPATIBLE_API_KEY": KEY}, None, KEY, id="its own"),
        pytest.param(Model.compatible("m", base_url=ELSEWHERE), {}, KEY, KEY, id="its own, stored"),
        pytest.param(
            Model.compatible("m"), {"OPENAI_BASE_URL": ELSEWHERE, "OPENAI_API_KEY": KEY}, None, KEY, id="as a pair"
        ),
        pytest.param(Model.compatible("m"), {"OPENAI_BASE_URL": ELSEWHERE}, None, None, id="none needed"),
        pytest.param(Model.ollama("m"), {}, None, None, id="none at home"),
    ],
)
def test_keys_go_where_they_belong(
    model: Model, environment: dict[str, str], stored: str | None, sent: str | None
) -> None:
    assert secret(model, environment, stored) == sent


def test_headers() -> None:
    openai = locate(Model.openai("m", organization="org-1"), {"OPENAI_API_KEY": KEY}).headers
    assert openai == {"authorization": f"Bearer {KEY}", "openai-organization": "org-1"}
    anthropic = locate(Model.anthropic("m"), {"ANTHROPIC_API_KEY": KEY}).headers
    assert anthropic == {"anthropic-version": "2023-06-01", "x-api-key": KEY}


@pytest.mark.parametrize("provider", ["openai", "anthropic", "deepseek"])
def test_a_missing_key_names_its_variable_and_command(provider: str) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        connect(Model(provider, "m"), {})
    variable = key_variable(provider)
    assert variable
    assert variable in str(caught.value)
    assert f"loom keys set {provider}" in (caught.value.hint or "")


def test_a_named_variable_that_is_empty_is_missing() -> None:
    with pytest.raises(AuthenticationFailed, match="MINE"):
        connect(Model.openai("m", api_key_env="MINE"), {"OPENAI_API_KEY": KEY})


@pytest.mark.parametrize("key", ["sk-\u00e4", "a\nb", "a\x7fb"])
def test_a_key_that_fits_no_header_is_refused_unseen(key: str) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        connect(Model.openai("m"), {"OPENAI_API_KEY": key})
    assert key not in str(caught.value) + str(caught.value.hint)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/v1",
        "a/v1",
        "http://",
        "http://a:x/v1",
        "http://a:0",
        "http://a/v1?x=1",
        "http://a/ v1",
        "http://ä/v1",
        "//a",
    ],
)
def test_unusable_addresses(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        connect(Model.compatible("m", base_url=url), {})


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        connect(Model.compatible("m", base_url="http://me:hunter2@a/v1"), {})
    assert "hunter2" not in str(caught.value)


def test_compatible_needs_an_address() -> None:
    with pytest.raises(ConfigError) as caught:
        connect(Model.compatible("m"), {})
    assert "OPENAI_BASE_URL" in (caught.value.hint or "")


def test_an_unknown_provider_is_told_its_neighbours() -> None:
    with pytest.raises(UsageError, match="opnai") as caught:
        connect(Model("opnai", "m"), {})
    assert "Did you mean openai?" in (caught.value.hint or "")


def test_nothing_shows_the_key() -> None:
    service: Any = locate(Model.openai("m"), {"OPENAI_API_KEY": KEY})
    assert "canary" not in repr(service) + str(service)


def test_the_registry_imports_no_http() -> None:
    code = "import sys, loom_core.providers.registry as r; print(sorted({m.split('.')[0] for m in sys.modules}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"'httpx'", "'anyio'", "'rich'", "'asyncio'"} & set(ran.stdout.strip("[]\n").split(", "))
