"""Known services and models: addresses, key variables, context windows, prices.

Prices are in USD per million tokens, as the services published them in November 2026. A model is found by the
longest family its name begins with, so dated versions are those of their family.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from loom_core.messages import Usage

Format = Literal["openai_chat", "anthropic"]


class KnownProvider(NamedTuple):
    """A service loom can ask."""

    format: Format
    base_url: str | None
    """Its usual address; `None` where there is none."""
    key_variable: str
    """The environment variable that holds its key."""
    key_required: bool
    url_variable: str | None = None
    """The environment variable that gives another address."""
    default_model: str | None = None
    """What is asked when a key is found and nothing else was said."""


PROVIDERS: Mapping[str, KnownProvider] = {
    "anthropic": KnownProvider(
        format="anthropic",
        base_url="https://api.anthropic.com",
        key_variable="ANTHROPIC_API_KEY",
        key_required=True,
        url_variable="ANTHROPIC_BASE_URL",
        default_model="claude-sonnet-5-5",
    ),
    "openai": KnownProvider(
        format="openai_chat",
        base_url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
        key_required=True,
        url_variable="OPENAI_BASE_URL",
        default_model="gpt-6.1-terra",
    ),
    "deepseek": KnownProvider(
        format="openai_chat",
        base_url="https://api.deepseek.com",
        key_variable="DEEPSEEK_API_KEY",
        key_required=True,
        default_model="deepseek-flash",
    ),
    "ollama": KnownProvider(
        format="openai_chat",
        base_url="http://127.0.0.1:11434/v1",
        key_variable="OLLAMA_API_KEY",
        key_required=False,
        url_variable="OLLAMA_HOST",
    ),
    "compatible": KnownProvider(
        format="openai_chat",
        base_url=None,
        key_variable="COMPATIBLE_API_KEY",
        key_required=False,
        url_variable="OPENAI_BASE_URL",
    ),
}
"""In the order in which found keys are preferred."""


class Price(NamedTuple):
    """USD per million tokens, for requests of more than `above` input tokens."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    above: int = 0


class KnownModel(NamedTuple):
    """A family of models."""

    context: int
    """Tokens of the context window."""
    prices: tuple[Price, ...]
    """By rising `above`; the last that fits a request is that of the whole request."""


def _flat(context: int, fresh: float, output: float, cache_read: float, cache_write: float) -> KnownModel:
    return KnownModel(context, (Price(fresh, output, cache_read, cache_write),))


def _gpt(context: int, fresh: float, output: float, cache_read: float, cache_write: float) -> KnownModel:
    """OpenAI's newer models: above 272k input tokens input and cache cost twice as much, output half as much again."""
    usual = Price(fresh, output, cache_read, cache_write)
    long = Price(fresh * 2, output * 1.5, cache_read * 2, cache_write * 2, above=272_000)
    return KnownModel(context, (usual, long))


MODELS: Mapping[str, KnownModel] = {
    # https://platform.claude.com/docs/en/about-claude/pricing; cache writes are those for 5 minutes
    "anthropic:claude-fable-5": _flat(1_000_000, 10, 50, 1, 12.5),
    "anthropic:claude-fable-5-1": _flat(1_000_000, 10, 50, 0.25, 12.5),
    "anthropic:claude-opus-5-5": _flat(1_000_000, 4, 20, 0.2, 5),
    "anthropic:claude-opus-5": _flat(1_000_000, 5, 25, 0.5, 6.25),
    "anthropic:claude-opus-4-8": _flat(1_000_000, 5, 25, 0.5, 6.25),
    "anthropic:claude-opus-4-7": _flat(1_000_000, 5, 25, 0.5, 6.25),
    "anthropic:claude-opus-4-6": _flat(1_000_000, 5, 25, 0.5, 6.25),
    "anthropic:claude-opus-4-5": _flat(200_000, 5, 25, 0.5, 6.25),
    "anthropic:claude-opus-4": _flat(200_000, 15, 75, 1.5, 18.75),
    "anthropic:claude-sonnet-5": _flat(1_000_000, 2, 10, 0.2, 2.5),
    "anthropic:claude-sonnet-4-6": _flat(1_000_000, 3, 15, 0.3, 3.75),
    "anthropic:claude-sonnet-4": _flat(200_000, 3, 15, 0.3, 3.75),
    "anthropic:claude-haiku-5-5": KnownModel(
        1_000_000, (Price(0.1, 0.5, 0.01, 0.125), Price(0.5, 2.5, 0.05, 0.625, above=100_000))
    ),
    "anthropic:claude-haiku-4-5": _flat(200_000, 1, 5, 0.1, 1.25),
    # https://developers.openai.com/api/docs/pricing; older models write their cache at the price of input
    "openai:gpt-6.1-sol": _gpt(1_050_000, 2, 10, 0.1, 2.5),
    "openai:gpt-6.1-terra": _gpt(1_050_000, 1, 5, 0.05, 1.25),
    "openai:gpt-6-astra": _gpt(1_050_000, 10, 50, 1, 12.5),
    "openai:gpt-6-sol": _gpt(1_050_000, 2, 10, 0.2, 2.5),
    "openai:gpt-6-luna": _gpt(1_050_000, 0.1, 0.5, 0.01, 0.125),
    "openai:gpt-5.2": _flat(400_000, 1.75, 14, 0.175, 1.75),
    "openai:gpt-5.1": _flat(400_000, 1.25, 10, 0.125, 1.25),
    "openai:gpt-5": _flat(400_000, 1.25, 10, 0.125, 1.25),
    "openai:gpt-5-mini": _flat(400_000, 0.25, 2, 0.025, 0.25),
    "openai:gpt-5-nano": _flat(400_000, 0.05, 0.4, 0.005, 0.05),
    "openai:gpt-4.1": _flat(1_047_576, 2, 8, 0.5, 2),
    "openai:gpt-4o": _flat(128_000, 2.5, 10, 1.25, 2.5),
    "openai:gpt-4o-mini": _flat(128_000, 0.15, 0.6, 0.075, 0.15),
    # https://api-docs.deepseek.com/quick_start/pricing, the prices of peak hours; at other times they are half
    "deepseek:deepseek-flash": _flat(1_000_000, 0.3, 1.2, 0.006, 0.3),
    "deepseek:deepseek-v4-flash": _flat(1_000_000, 0.3, 1.2, 0.006, 0.3),
    "deepseek:deepseek-v4-pro": _flat(1_000_000, 1.32, 3.96, 0.044, 1.32),
}


def known_model(identifier: str) -> KnownModel | None:
    """The family a `"provider:name"` belongs to. `gpt-5.9` is none of `gpt-5`, `gpt-5-2025-08-07` is."""
    family = identifier
    while family:
        if family in MODELS:
            return MODELS[family]
        family = family.rpartition("-")[0]
    return None


def context_window(identifier: str) -> int | None:
    """Tokens that fit into the model's context, where known."""
    model = known_model(identifier)
    return None if model is None else model.context


def cost(identifier: str, usage: Usage) -> float | None:
    """USD for one request's `usage`, or `None` where the model's price is unknown. One's own machine costs nothing."""
    if identifier.startswith("ollama:"):
        return 0.0
    model = known_model(identifier)
    return None if model is None else _cost(model, usage)


def cost_at_most(identifier: str, usage: Usage) -> float:
    """The same for a budget, which must hold whatever the model costs: an unknown price counts as the dearest known."""
    known = cost(identifier, usage)
    return max(_cost(model, usage) for model in MODELS.values()) if known is None else known


def _cost(model: KnownModel, usage: Usage) -> float:
    sent, cached, written = usage.input_tokens or 0, usage.cached_tokens or 0, usage.cache_write_tokens or 0
    price = next(price for price in reversed(model.prices) if sent > price.above or not price.above)
    millionths = (
        max(0, sent - cached - written) * price.input
        + cached * price.cache_read
        + written * price.cache_write
        + (usage.output_tokens or 0) * price.output
    )
    return millionths / 1_000_000
