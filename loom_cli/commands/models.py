"""`loom models`: which models there are, and which one is used."""

import asyncio
from typing import Annotated

import typer

from loom_cli.frame import command, group
from loom_cli.invocation import Invocation
from loom_cli.listing import AsJSON, write_records

app = group("Which models there are and which is used.")


@command(app, "list", examples="loom models list\nloom models list ollama --json")
def list_models(
    invocation: Invocation,
    provider: Annotated[
        str | None, typer.Argument(metavar="[PROVIDER]", help="only of this service", show_default=False)
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """List the models of each service that has a key or needs none, by asking it."""
    from loom_cli.model_listing import list_offered
    from loom_cli.settings import settings_of

    offered = asyncio.run(list_offered(settings_of(invocation), invocation, provider))
    write_records(offered, as_json)
    if not offered:
        invocation.notice("there are no models to list; give a service its key (loom keys set NAME), or start Ollama")


@command(app, "default", examples="loom models default")
def default(invocation: Invocation, as_json: AsJSON = False) -> None:
    """Show the model that is used when none is named, and why."""
    from loom_cli.model_choice import chosen_model
    from loom_cli.settings import settings_of

    model, why = chosen_model(settings_of(invocation), invocation)
    write_records([{"model": model, "why": why}], as_json)
