"""Which model would be used, and why."""

import asyncio

from loom_cli.invocation import Invocation
from loom_cli.keys import locate_key
from loom_cli.settings import Settings


def chosen_model(settings: Settings, invocation: Invocation) -> tuple[str, str]:
    """`provider:name` and the reason in a few words. Raises `NoModel`, `ConfigError`."""
    for setting in settings.listed():
        if setting.key == "model.name":
            return setting.value, f"set by {setting.origin}"
    from loom_core.providers.registry import discover

    environment, command = invocation.environment, settings.fields.keys.cmd
    model = asyncio.run(discover(environment, lambda name: locate_key(name, environment, command) is not None))
    key = locate_key(model.provider, environment, command)
    return model.identifier, f"its key is in {key.origin}" if key is not None else "its server answers on this machine"
