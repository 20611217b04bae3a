"""Keys of model services: where they are looked for, and the file they are stored in.

    PROVIDER_API_KEY > keys.cmd > the system's keyring, where the package `keyring` is installed > keys.toml

No key is ever printed, and none appears in a repr.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from loom_cli.exclusive import exclusive
from loom_cli.fields import Fields
from loom_cli.invocation import Invocation
from loom_cli.places import config_directory
from loom_cli.suggest import suggestion
from loom_core.errors import AuthenticationFailed, ConfigError, UsageError
from loom_core.providers.catalog import PROVIDERS
from loom_core.runtime.private_files import make_private_directory, replace_file, storage_errors

_COMMAND_TIMEOUT_S = 60.0
"""A password manager may first ask its user to unlock it."""


class FoundKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key and where it was."""

    secret: str
    origin: str
    """A variable, a file, or a word for the other places."""

    def __repr__(self) -> str:
        return f"<key from {self.origin}>"


def find_key(fields: Fields, invocation: Invocation) -> Callable[[str], str | None]:
    """What finds a provider's key, each once: a password manager may ask its user every time."""

    @functools.cache
    def find(provider: str) -> str | None:
        found = locate_key(provider, invocation.environment, fields.keys.cmd)
        return None if found is None else found.secret

    return find


def locate_key(provider: str, environment: Mapping[str, str], command: Sequence[str] | None) -> FoundKey | None:
    """The key of a provider, from the first place that has one.

    Raises `ConfigError` or `AuthenticationFailed` where a place is unusable.
    """
    for origin, look in _places(provider, environment, command):
        secret = (look() or "").strip()
        if secret:
            return FoundKey(secret=secret, origin=origin)
    return None


def no_key(provider: str) -> AuthenticationFailed:
    """The error to raise where a provider needs a key and none was found."""
    return AuthenticationFailed(f"there is no key for {provider}", hint=f"loom keys set {provider}")


def _places(
    provider: str, environment: Mapping[str, str], command: Sequence[str] | None
) -> Iterator[tuple[str, Callable[[], str | None]]]:
    from importlib.util import find_spec

    known = PROVIDERS.get(provider)
    if known is not None:
        variable = known.key_variable
        yield variable, lambda: environment.get(variable)
    if command:
        yield "keys.cmd", lambda: _from_command(command, provider)
    if find_spec("keyring") is not None:
        yield "keyring", lambda: _from_keyring(provider)
    yield str(keys_file()), lambda: stored_keys().get(provider)


def keys_file() -> Path:
    """Where keys are stored."""
    return config_directory() / "keys.toml"


def stored_keys() -> dict[str, str]:
    """The keys in the file, by provider.

    Raises `ConfigError`, or `AuthenticationFailed` where others than its owner can read it: such keys are not used.
    """
    path = keys_file()
    try:
        with path.open("rb") as file:
            import tomllib  # 7 ms, needed once there is a file

            mode = _mode(file.fileno())
            table = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:  # no UTF-8 or no TOML; its text may quote a key
        raise ConfigError(f"{path} is not TOML", hint='Each line is PROVIDER = "KEY".') from None
    if mode & 0o077:
        raise AuthenticationFailed(f"{path} can be read by others (mode {mode:04o})", hint=f"chmod 600 {path}")
    if not all(isinstance(value, str) for value in table.values()):
        raise ConfigError(f"{path}: each value is a key, that is, text")
    return table


def store_key(provider: str, secret: str | None) -> None:
    """Keep a key in the file, or with None take it out. Raises as `stored_keys`, or `StorageError`."""
    import tomli_w

    path = keys_file()
    with storage_errors(path):
        make_private_directory(path.parent)
        with exclusive(path.parent):
            keys = {name: value for name, value in stored_keys().items() if name != provider}
            if secret is not None:
                keys[provider] = secret
            replace_file(path, tomli_w.dumps(keys).encode())


def check_provider(name: str) -> str:
    """The name itself. Raises `UsageError` where there is no such provider."""
    if name not in PROVIDERS:
        raise UsageError(
            f"no provider {name!r}", hint=suggestion(name, PROVIDERS) or f"there are {', '.join(PROVIDERS)}"
        )
    return name


def _from_command(command: Sequence[str], provider: str) -> str | None:
    """The first line it prints. Failing means that it has no key for this provider."""
    import subprocess

    try:
        done = subprocess.run(
            [*command, provider], stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no answer within {_COMMAND_TIMEOUT_S:.0f} s"
        raise ConfigError(f"keys.cmd: {command[0]}: {reason}") from None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def _from_keyring(provider: str) -> str | None:
    from importlib import import_module

    keyring = import_module("keyring")
    try:
        secret = keyring.get_password("loom", provider)
    except keyring.errors.KeyringError:  # no keyring service runs here, or it is locked
        return None
    return secret if isinstance(secret, str) else None


def _mode(descriptor: int) -> int:
    import os
    import stat

    return stat.S_IMODE(os.fstat(descriptor).st_mode)
