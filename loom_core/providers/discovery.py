"""Which model to use when none is configured: a service whose key is at hand, else a server on this machine."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from loom_core.errors import NoModel, ProviderError
from loom_core.providers.catalog import PROVIDERS
from loom_core.providers.http import get_json
from loom_core.providers.model import Model
from loom_core.providers.registry import locate

PATIENCE_S = 0.3
"""How long a server on this machine may take to say what it has. One that runs answers within a few milliseconds."""
_REMOTE_PATIENCE_S = 3.0
"""The same for one that was named, and may be far away."""
LLAMA_CPP_URL = "http://127.0.0.1:8080/v1"
"""Where llama.cpp's server listens unless told otherwise."""


async def discover(environment: Mapping[str, str], has_key: Callable[[str], bool]) -> Model:
    """The model of the first provider with a key, else of a local server. `NoModel` says every way out.

    `has_key` tells whether a key for a provider is stored elsewhere than in the environment.
    """
    for provider, known in PROVIDERS.items():
        if provider == "openai" and environment.get("OPENAI_BASE_URL"):
            continue  # another server, as a rule, with models of its own; it is asked below
        if known.default_model and (environment.get(known.key_variable) or has_key(provider)):
            return Model(provider, known.default_model)
    found = await asyncio.gather(_configured(environment), _ollama(environment), _llama_cpp())
    for model in found:
        if model is not None:
            return model
    raise NoModel(
        "no model is configured, no key was found, and no local model server answers",
        hint=(
            "Either set a key: export ANTHROPIC_API_KEY=... (or OPENAI_API_KEY, DEEPSEEK_API_KEY), or loom keys set "
            "anthropic. Or start a local server: ollama serve, then ollama pull qwen3; or llama-server -m MODEL.gguf. "
            "Or name a model: --model PROVIDER:NAME, with --set model.base_url=URL for a compatible server."
        ),
    )


async def model_names(
    model: Model, environment: Mapping[str, str], key: str | None = None, *, owner: str = "", deadline_s: float = 10.0
) -> list[str]:
    """Names of the models that `model`'s service offers, in its order; with `owner` only those that name it as theirs.

    Errors as those of `registry.connect`, and any `ProviderError`.
    """
    service = locate(model, environment, key)
    path = "/v1/models" if PROVIDERS[model.provider].format == "anthropic" else "/models"
    listing = await get_json(service, path, deadline_s=deadline_s)
    entries = listing.get("data") if isinstance(listing, dict) else None
    offered = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    names = [entry.get("id") for entry in offered if not owner or entry.get("owned_by") == owner]
    return [name for name in names if isinstance(name, str) and name]


async def _configured(environment: Mapping[str, str]) -> Model | None:
    """The server that `OPENAI_BASE_URL` names."""
    if not environment.get("OPENAI_BASE_URL"):
        return None
    return await _first(Model.compatible("unknown"), environment, patience_s=_REMOTE_PATIENCE_S)


async def _ollama(environment: Mapping[str, str]) -> Model | None:
    return await _first(Model.ollama("unknown"), environment)


async def _llama_cpp() -> Model | None:
    # Port 8080 is everyone's: only what says it is llama.cpp gets to see a prompt.
    return await _first(Model.compatible("unknown", base_url=LLAMA_CPP_URL), {}, owner="llamacpp")


async def _first(
    model: Model, environment: Mapping[str, str], *, owner: str = "", patience_s: float = PATIENCE_S
) -> Model | None:
    """`model` with the name of the first chat model its server has, or `None` where no server answers in time."""
    try:
        names = await model_names(model, environment, owner=owner, deadline_s=patience_s)
    except ProviderError:
        return None
    return next((replace(model, name=name) for name in names if "embed" not in name.lower()), None)
