"""Asking the services which models they have."""

import asyncio
from collections.abc import Mapping

from loom_cli.invocation import Invocation
from loom_cli.keys import check_provider, find_key, no_key
from loom_cli.settings import Settings
from loom_core.errors import LoomError
from loom_core.messages import JSON
from loom_core.providers.catalog import PROVIDERS, known_model
from loom_core.providers.discovery import model_names
from loom_core.providers.model import Model


async def offered_models(settings: Settings, invocation: Invocation, provider: str) -> list[str]:
    """The names of a service's models. Raises `ConfigError`, `ProviderError`, of which `no_key`."""
    key = find_key(settings.fields, invocation)(check_provider(provider))
    if key is None and PROVIDERS[provider].key_required:
        raise no_key(provider)
    base_url = settings.fields.model.base_url if provider == "compatible" else None
    return await model_names(Model(provider, "any", base_url=base_url), invocation.environment, key)


async def list_offered(settings: Settings, invocation: Invocation, provider: str | None) -> list[Mapping[str, JSON]]:
    """A record for each model: name, context window in tokens, dollars for a million tokens in and out, where known.

    Without `provider`, services that have no key or do not answer are left out: that is how most machines are. It is
    said why when asked for, or when no service is left. With it, raises what asking it raises.
    """
    if provider is not None:
        return [_record(f"{provider}:{name}") for name in await offered_models(settings, invocation, provider)]
    answers = await asyncio.gather(
        *(offered_models(settings, invocation, name) for name in PROVIDERS), return_exceptions=True
    )
    records: list[Mapping[str, JSON]] = []
    silent: list[str] = []
    for name, answer in zip(PROVIDERS, answers, strict=True):
        if isinstance(answer, LoomError):
            silent.append(f"{name}: {answer}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            records += [_record(f"{name}:{model}") for model in answer]
    if invocation.verbosity or not records:
        for line in silent:
            invocation.notice(line)
    return records


def _record(identifier: str) -> Mapping[str, JSON]:
    known = known_model(identifier)
    if known is None:
        return {"model": identifier, "context": "", "input_usd": "", "output_usd": ""}
    usual = known.prices[0]
    return {"model": identifier, "context": known.context, "input_usd": usual.input, "output_usd": usual.output}
