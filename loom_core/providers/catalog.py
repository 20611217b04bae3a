"""Known services and models: addresses, key variables, context windows, prices.

Prices are in USD per million tokens, as published by the services in November 2026. A model is found by the longest
name that begins its own, so dated versions (`gpt-5-2025-08-07`) are those of their family.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from loom_core.messages import Usage

Format = Literal["openai_chat", "anthropic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProvider:
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
        default_model="claude-sonnet-5",
    ),
    "openai": KnownProvider(
        format="openai_chat",
        base_url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
        key_required=True,
        url_variable="OPENAI_BASE_URL",
        default_model="gpt-5",
    ),
    "deepseek": KnownProvider(
        format="openai_chat",
        base_url="https://api.deepseek.com",
        key_variable="DEEPSEEK_API_KEY",
        key_required=True,
        default_model="deepseek-v4-flash",
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


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A family of models. Prices in USD per million tokens."""

    context: int
    """Tokens of the context window."""
    input: float
    output: float
    cache_read: float
    cache_write: float


MODELS: Mapping[str, KnownModel] = {
    "anthropic:claude-sonnet-5": KnownModel(1_000_000, 2.00, 10.00, 0.20, 2.50),
}


def known_model(identifier: str) -> KnownModel | None:
    """The family a `"provider:name"` belongs to."""
    families = [family for family in MODELS if identifier.startswith(family)]
    return MODELS[max(families, key=len)] if families else None


def context_window(identifier: str) -> int | None:
    """Tokens that fit into the model's context, where known."""
    model = known_model(identifier)
    return None if model is None else model.context


def cost(identifier: str, usage: Usage) -> float | None:
    """USD for `usage` of the model, or `None` where its price is unknown. What runs on one's own machine is free."""
    if identifier.startswith("ollama:"):
        return 0.0
    model = known_model(identifier)
    if model is None:
        return None
    cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    fresh = max(0, (usage.input_tokens or 0) - cached - written)
    millionths = (
        fresh * model.input
        + cached * model.cache_read
        + written * model.cache_write
        + (usage.output_tokens or 0) * model.output
    )
    return millionths / 1_000_000
