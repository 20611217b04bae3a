"""`loom config`: the settings that hold and where each comes from."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from loom_cli.frame import command, group
from loom_cli.invocation import Invocation
from loom_cli.listing import AsJSON, write_records
from loom_cli.output import write_out
from loom_core.errors import UsageError

app = group("Show and change settings.")

Key: TypeAlias = Annotated[str, typer.Argument(metavar="KEY", help="dotted, as budget.max_turns", show_default=False)]


@command(app, "show", examples="loom config show\nloom config show --origin")
def show(
    invocation: Invocation,
    origin: Annotated[
        bool, typer.Option("--origin", help="where each comes from", rich_help_panel="Output", show_default=False)
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Show every setting that has a value."""
    from loom_cli.settings import settings_of

    settings = settings_of(invocation).listed()
    write_records(
        [
            {"key": one.key, "value": one.value, **({"origin": one.origin} if origin or as_json else {})}
            for one in settings
        ],
        as_json,
    )


@command(app, "get", examples="loom config get model.name")
def get(invocation: Invocation, key: Key) -> None:
    """Print the value of one setting; nothing where it has none."""
    from loom_cli.settings import settings_of

    _check_key(key)
    for setting in settings_of(invocation).listed():
        if setting.key == key:
            write_records([{"value": setting.value}], as_json=False)


@command(
    app,
    "set",
    examples="loom config set model.name openai:gpt-5\nloom config set governance.deny '[\"Shell(sudo *)\"]'",
)
def set_value(
    invocation: Invocation,
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="as in TOML; text needs no quotes", show_default=False)],
) -> None:
    """Set one in the configuration file."""
    from loom_cli.config_file import change_config
    from loom_cli.option_fields import free_value
    from loom_cli.settings import config_file

    _check_key(key)
    change_config(config_file(invocation), key, free_value(key, value))


@command(app, "unset", examples="loom config unset model.name")
def unset(invocation: Invocation, key: Key) -> None:
    """Take one out of the configuration file."""
    from loom_cli.config_file import change_config
    from loom_cli.settings import config_file

    _check_key(key)
    change_config(config_file(invocation), key, None)


@command(app, "path", examples='$EDITOR "$(loom config path)"')
def path(invocation: Invocation) -> None:
    """Print where the configuration file is."""
    from loom_cli.settings import config_file

    write_out(f"{config_file(invocation)}\n")


@command(app, "check", examples="loom config check\nloom config check ./config.toml")
def check(
    invocation: Invocation,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="instead of your own", show_default=False)
    ] = None,
) -> None:
    """Check the configuration file and the LOOM_ variables."""
    from loom_cli.settings import config_file, load_settings
    from loom_cli.variables import unknown_variables
    from loom_core.errors import ConfigError

    load_settings(file or config_file(invocation), invocation.environment, required=file is not None)
    unknown = [*unknown_variables(invocation.environment)]
    if unknown:
        raise ConfigError("\n".join(unknown))
    invocation.notice("the configuration is right")


def _check_key(key: str) -> None:
    from loom_cli.fields import Fields, leaves
    from loom_cli.suggest import suggestion

    known = [name for name, _ in leaves(Fields)]
    if key not in known and not any(key.startswith(f"{name}.") for name in _maps()):
        raise UsageError(
            f"no setting {key!r}", hint=suggestion(key, known) or "loom config show lists those that are set"
        )


def _maps() -> tuple[str, ...]:
    """Settings whose own keys are free."""
    return ("input.values", "model.extensions", "governance.max_calls")
