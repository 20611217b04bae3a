"""Every variable of the environment that loom reads."""

from collections.abc import Iterator, Mapping

from msgspec.structs import fields

from loom_cli import options  # noqa: F401 - it defines the classes of flags
from loom_cli.environment import PREFIX, twin
from loom_cli.fields import FLAGS, Fields, leaves
from loom_cli.flags import Flags, long_name
from loom_cli.suggest import suggestion
from loom_core.providers.catalog import PROVIDERS

HOME = "LOOM_HOME"


def option_variables() -> tuple[str, ...]:
    """The twins of the options."""
    return tuple(dict.fromkeys(twin(long_name(field)) for kind in Flags.__subclasses__() for field in fields(kind)))


def field_variables() -> tuple[str, ...]:
    """Those of the settings that have no option of their own."""
    return tuple(twin(key) for key, _ in leaves(Fields) if key not in FLAGS.values())


def other_variables() -> Iterator[tuple[str, str]]:
    """The rest, each with what it is for."""
    yield HOME, "holds loom's directories: config, data, state, cache"
    for provider, known in PROVIDERS.items():
        yield known.key_variable, f"key of {provider}"
        if known.url_variable:
            yield known.url_variable, f"address of {provider}"
    yield "NO_COLOR", "no color, unless --color=always"
    yield "FORCE_COLOR, CLICOLOR_FORCE", "color on a terminal whatever TERM says"


def unknown_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """A line on each LOOM_ variable that loom does not read."""
    known = (*option_variables(), *field_variables(), HOME)
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            hint = suggestion(name, known) or "loom help environment lists those there are"
            yield f"{name}: unknown variable; {hint}"
