import pytest

from loom_core.messages import Usage
from loom_core.providers.catalog import MODELS, PROVIDERS, context_window, cost, known_model

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("identifier", "family"),
    [
        ("openai:gpt-5", "openai:gpt-5"),
        ("openai:gpt-5-2025-08-07", "openai:gpt-5"),
        ("openai:gpt-5-mini-2025-08-07", "openai:gpt-5-mini"),
        ("anthropic:claude-opus-5-5", "anthropic:claude-opus-5-5"),
        ("anthropic:claude-opus-4-5-20251101", "anthropic:claude-opus-4-5"),
        ("anthropic:claude-opus-4-20250514", "anthropic:claude-opus-4"),
    ],
)
def test_a_model_is_found_by_its_family(identifier: str, family: str) -> None:
    assert known_model(identifier) is MODELS[family]


@pytest.mark.parametrize(
    "identifier", ["openai:gpt-5.9", "openai:o9", "compatible:gpt-5", "openai", "", "anthropic:claude"]
)
def test_others_are_unknown(identifier: str) -> None:
    assert known_model(identifier) is None
    assert context_window(identifier) is None
    assert cost(identifier, Usage(input_tokens=5)) is None


@pytest.mark.parametrize(
    ("identifier", "usage", "usd"),
    [
        pytest.param("openai:gpt-5", Usage(input_tokens=MILLION, output_tokens=MILLION), 11.25, id="plain"),
        pytest.param("openai:gpt-5", Usage(input_tokens=MILLION, cached_tokens=MILLION), 0.125, id="cached"),
        pytest.param(
            "anthropic:claude-haiku-4-5",
            Usage(input_tokens=3_000, cached_tokens=1_000, cache_write_tokens=1_000, output_tokens=1_000),
            0.001 + 0.0001 + 0.00125 + 0.005,
            id="all four",
        ),
        pytest.param("openai:gpt-5", Usage(), 0.0, id="nothing known"),
        pytest.param("ollama:qwen3:8b", Usage(input_tokens=MILLION), 0.0, id="own machine"),
        pytest.param("anthropic:claude-haiku-5-5", Usage(input_tokens=100_000), 0.01, id="at the step"),
        pytest.param("anthropic:claude-haiku-5-5", Usage(input_tokens=200_000), 0.1, id="above the step"),
        pytest.param(
            "openai:gpt-6-sol", Usage(input_tokens=300_000, output_tokens=MILLION), 1.2 + 15, id="long context"
        ),
    ],
)
def test_cost(identifier: str, usage: Usage, usd: float) -> None:
    assert cost(identifier, usage) == pytest.approx(usd)


def test_what_is_asked_by_default_is_known() -> None:
    for provider, known in PROVIDERS.items():
        if known.default_model:
            assert known_model(f"{provider}:{known.default_model}")
