"""The user's settings: built-in < config.toml < LOOM_*; flags and a task file come on top for one run.

A project's own configuration is not read: nothing says yet which projects the user trusts.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from loom_cli.fields import BUILT_IN, Fields, InstructionsFile, adds_up, leaves, over, value_of
from loom_cli.invocation import Invocation
from loom_cli.layers import Layer, Setting, instructions_text, read_layer
from loom_cli.option_fields import environment_layer
from loom_cli.places import config_directory
from loom_cli.reasons import reason
from loom_core.errors import ConfigError
from loom_core.messages import JSON

FILE_NAME = "config.toml"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds when neither a task file nor a flag says otherwise."""

    fields: Fields
    layers: tuple[Layer[Fields], ...]
    """The highest first."""

    def listed(self) -> Iterator[Setting]:
        """Every field that has a value, with where it comes from."""
        for key, _ in leaves(Fields):
            value = value_of(self.fields, key)
            if value is not None:
                yield Setting(key=key, value=msgspec.to_builtins(value), origin=self._origin(key, value))

    def _origin(self, key: str, value: JSON) -> str:
        said = [
            origin
            for layer in self.layers
            for where, origin in layer.origins.items()
            if where == key or where.startswith(f"{key}.")
        ]
        return ", ".join(dict.fromkeys(said if adds_up(key, value) else said[:1])) or "built-in"


def settings_of(invocation: Invocation) -> Settings:
    """The settings of this call of the program. Raises as `load_settings`."""
    return load_settings(config_file(invocation), invocation.environment, required=invocation.config is not None)


def config_file(invocation: Invocation) -> Path:
    """The configuration file of this call: the user's own, or the one named instead."""
    return invocation.config or config_directory() / FILE_NAME


def load_settings(path: Path, environment: Mapping[str, str], *, required: bool = False) -> Settings:
    """The settings of this user. A missing file is an empty one, unless it is `required` (named by the user).

    Raises `ConfigError` with every fault of the file, or naming the variable that holds an unusable value.
    """
    layers = (environment_layer(environment), read_config(path, required=required))
    fields = Fields()
    for layer in layers:
        fields = over(fields, layer.fields)
    return Settings(fields=over(fields, BUILT_IN), layers=layers)


def read_config(path: Path, *, required: bool = False) -> Layer[Fields]:
    """What the configuration file says. Raises `ConfigError`."""
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise ConfigError(f"there is no configuration file {path}") from None
        return Layer(fields=Fields())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {reason(error)}") from None
    layer = read_layer(text, str(path), Fields, ConfigError)
    if isinstance(layer.fields.instructions, InstructionsFile):
        loaded = instructions_text(path.parent / layer.fields.instructions.file)
        return Layer(fields=msgspec.structs.replace(layer.fields, instructions=loaded), origins=layer.origins)
    return layer
