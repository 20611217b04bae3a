"""`loom keys`: the keys of model services. What they are is never printed."""

import os
from typing import Annotated, TypeAlias

import typer

from loom_cli.frame import command, group
from loom_cli.invocation import Invocation
from loom_cli.listing import AsJSON, write_records
from loom_cli.options import Yes
from loom_cli.output import STDIN, write_err
from loom_core.errors import UsageError

app = group("The keys of model services.")

Provider: TypeAlias = Annotated[
    str, typer.Argument(metavar="PROVIDER", help="anthropic, openai ...", show_default=False)
]


@command(app, "set", examples="loom keys set openai\npass show openai | loom keys set openai")
def set_key(invocation: Invocation, provider: Provider) -> None:
    """Store a key, read from the terminal without showing it or from standard input."""
    from loom_cli.keys import check_provider, store_key

    check_provider(provider)
    secret = _read_secret(provider, invocation).strip()
    if not secret:
        raise UsageError("the key is empty; nothing was stored")
    if not (secret.isascii() and secret.isprintable() and " " not in secret):
        raise UsageError("this is no key: it holds blanks or characters that no HTTP header can carry")
    store_key(provider, secret)
    if not invocation.quiet:
        write_err("saved\n")


@command(app, "list", examples="loom keys list\nloom keys list --json")
def list_keys(invocation: Invocation, as_json: AsJSON = False) -> None:
    """List the providers that have a key, and where it is."""
    from loom_cli.keys import locate_key
    from loom_cli.settings import settings_of
    from loom_core.providers.catalog import PROVIDERS

    command_line = settings_of(invocation).fields.keys.cmd
    found = {provider: locate_key(provider, invocation.environment, command_line) for provider in PROVIDERS}
    write_records(
        [{"provider": provider, "origin": key.origin} for provider, key in found.items() if key is not None], as_json
    )


@command(app, "delete", examples="loom keys delete openai\nloom keys delete openai --yes")
def delete_key(invocation: Invocation, provider: Provider, yes: Yes = False) -> None:
    """Take a stored key out of the file. Keys elsewhere stay where they are."""
    from loom_cli.confirm import confirm
    from loom_cli.keys import check_provider, store_key, stored_keys

    if check_provider(provider) not in stored_keys():
        raise UsageError(f"no key is stored for {provider}", hint="loom keys list shows where keys are")
    if confirm(f"Delete the key for {provider}?", invocation, yes=yes):
        store_key(provider, None)
        invocation.notice("deleted")


@command(app, "check", examples="loom keys check openai")
def check_key(invocation: Invocation, provider: Provider) -> None:
    """Ask a service whether it takes the key. Nothing is spent."""
    import asyncio

    from loom_cli.keys import check_provider, locate_key, no_key
    from loom_cli.model_listing import offered_models
    from loom_cli.settings import settings_of

    settings = settings_of(invocation)
    key = locate_key(check_provider(provider), invocation.environment, settings.fields.keys.cmd)
    if key is None:
        raise no_key(provider)
    asyncio.run(offered_models(settings, invocation, provider))
    write_records([{"provider": provider, "status": "ok", "origin": key.origin}], as_json=False)


def _read_secret(provider: str, invocation: Invocation) -> str:
    if not os.isatty(STDIN):
        from loom_cli.stdin import read_text

        return read_text().partition("\n")[0]
    if invocation.no_input:
        raise UsageError("there is no key on standard input", hint="--no-input forbids asking for it")
    from getpass import getpass

    return getpass(f"Key for {provider} (not shown): ")
