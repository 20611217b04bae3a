"""From a `Model` to a provider that can be asked: address, key, wire format.

Adapters, and with them HTTP, are imported when a model is connected, not before.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from loom_core.errors import AuthenticationFailed, ConfigError, UsageError
from loom_core.providers.base import Provider
from loom_core.providers.catalog import PROVIDERS, KnownProvider
from loom_core.providers.model import Model
from loom_core.providers.service import Service


def connect(model: Model, environment: Mapping[str, str], key: str | None = None) -> Provider:
    """The provider that answers for `model`. Nothing is sent yet.

    `key` is one found elsewhere, for the provider's own address; the environment is looked at first.
    `UsageError` for an unknown provider, `ConfigError` for an unusable address, `AuthenticationFailed` without a key
    where one is needed.
    """
    service = locate(model, environment, key)
    from loom_core.providers.wire import HttpProvider

    if PROVIDERS[model.provider].format == "anthropic":
        from loom_core.providers.anthropic import AnthropicWire

        return HttpProvider(service, AnthropicWire(service))
    from loom_core.providers.openai_chat import ChatWire

    return HttpProvider(service, ChatWire(service))


def key_variable(provider: str) -> str | None:
    """The environment variable that holds the provider's key, or `None` for an unknown provider."""
    known = PROVIDERS.get(provider)
    return None if known is None else known.key_variable


def locate(model: Model, environment: Mapping[str, str], key: str | None = None) -> Service:
    """Address, key and headers for `model`; errors as `connect`."""
    known = PROVIDERS.get(model.provider)
    if known is None:
        raise _unknown(model.provider)
    usual = _usual_address(model.provider, known, environment)
    base_url = _checked(model.base_url) if model.base_url else usual
    if base_url is None:
        raise ConfigError(
            f"{model.identifier} needs the address of its server",
            hint="Set model.base_url, or OPENAI_BASE_URL, to something like http://127.0.0.1:8080/v1.",
        )
    # A key is bound to the address it was given for: an address from elsewhere never gets it.
    own = model.provider == "compatible" or (usual is not None and _origin(base_url) == _origin(usual))
    secret = _key(model, known, environment, key, own=own)
    if secret is None and known.key_required and own:
        raise AuthenticationFailed(
            f"{model.identifier} needs a key, and {model.api_key_env or known.key_variable} is not set",
            kind="auth",
            hint=_key_hint(model, known, base_url, own=True),
        )
    return Service(
        name=model.provider,
        base_url=base_url,
        headers=_headers(known, model, secret),
        key=secret,
        key_hint=_key_hint(model, known, base_url, own=own),
        timeout=model.timeout,
        tries=model.max_retries,
        extensions=model.extensions,
    )


def _key(
    model: Model, known: KnownProvider, environment: Mapping[str, str], stored: str | None, *, own: bool
) -> str | None:
    """The key to send. What the model itself names is the user's word; all else only goes to its own address."""
    named = environment.get(model.api_key_env) if model.api_key_env else None
    candidates = [model.api_key, named]
    if own:
        candidates += [environment.get(known.key_variable), stored]
        if model.provider == "compatible" and not model.base_url:
            candidates.append(environment.get("OPENAI_API_KEY"))  # it came with OPENAI_BASE_URL, the address in use
    for candidate in candidates:
        secret = (candidate or "").strip()
        if secret:
            if not (secret.isascii() and secret.isprintable()):
                raise AuthenticationFailed(
                    f"the key for {model.provider} holds characters no HTTP header can carry",
                    kind="auth",
                    hint=f"Set it anew: loom keys set {model.provider}",
                )
            return secret
    return None


def _headers(known: KnownProvider, model: Model, secret: str | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if known.format == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
        if secret:
            headers["x-api-key"] = secret
    elif secret:
        headers["authorization"] = f"Bearer {secret}"
    if model.organization:
        headers["openai-organization"] = model.organization
    return headers


def _key_hint(model: Model, known: KnownProvider, base_url: str, *, own: bool) -> str:
    if own:
        return f"Set {model.api_key_env or known.key_variable}, or store a key: loom keys set {model.provider}"
    return (
        f"Keys for {model.provider} are not sent to {urlsplit(base_url).netloc}, which is not its own address. "
        "Name the variable that holds the key for it in model.api_key_env."
    )


def _usual_address(provider: str, known: KnownProvider, environment: Mapping[str, str]) -> str | None:
    given = environment.get(known.url_variable, "").strip() if known.url_variable else ""
    if not given:
        return known.base_url
    return _ollama_address(given) if provider == "ollama" else _checked(given)


def _ollama_address(host: str) -> str:
    """`OLLAMA_HOST` as Ollama itself reads it: scheme and port may be missing, 0.0.0.0 means all of this machine."""
    scheme, mark, rest = host.rpartition("://")
    default_port = {"http": "80", "https": "443"}.get(scheme, "11434") if mark else "11434"
    authority, _, path = rest.partition("/")
    parts = urlsplit(f"//{authority}")
    name = parts.hostname or "127.0.0.1"
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104  # compared, not bound
    name = f"[{name}]" if ":" in name else name
    port = authority.rpartition(":")[2] if parts.netloc.rpartition(":")[2].isdecimal() else default_port
    return _checked(f"{scheme or 'http'}://{name}:{port}/{path.strip('/')}".rstrip("/") + "/v1")


def _checked(url: str) -> str:
    """`url` without a slash at its end, or `ConfigError`."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable, parts = False, urlsplit("")
    if not usable or parts.query or parts.fragment or any(character.isspace() for character in url):
        raise ConfigError(
            f"base_url: {url!r} is no address of a service",
            hint="It begins with http:// or https:// and a host, like http://127.0.0.1:8080/v1.",
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError("base_url: holds a user name or password", hint="Give the key through the environment.")
    return url.rstrip("/")


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _unknown(provider: str) -> UsageError:
    from difflib import get_close_matches

    close = get_close_matches(provider, PROVIDERS, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return UsageError(f"unknown provider {provider!r}", hint=f"{hint}Known are {', '.join(PROVIDERS)}.")


async def discover(environment: Mapping[str, str], has_key: Callable[[str], bool]) -> Model:
    """The model to use when none is configured; see `discovery.discover`."""
    from loom_core.providers.discovery import discover as search

    return await search(environment, has_key)
