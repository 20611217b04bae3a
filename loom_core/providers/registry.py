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
        from loom_core.providers.anthropic import MessagesWire

        return HttpProvider(service, MessagesWire(service))
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
    at_home = usual is not None and _origin(base_url) == _origin(usual)
    secret = _key(model, known, environment, key, at_home=at_home)
    if secret is None and known.key_required and (at_home or model.api_key_env):
        raise AuthenticationFailed(
            f"{model.identifier} needs a key, and {model.api_key_env or known.key_variable} is not set",
            hint=_key_hint(model, known, base_url, at_home=True),
        )
    return Service(
        name=model.provider,
        base_url=base_url,
        headers=_headers(known, model, secret),
        key=secret,
        key_hint=_key_hint(model, known, base_url, at_home=at_home),
        timeout=model.timeout,
        tries=model.max_retries,
        extensions=model.extensions,
    )


def _key(
    model: Model, known: KnownProvider, environment: Mapping[str, str], stored: str | None, *, at_home: bool
) -> str | None:
    """The key to send, if any. A key is bound to its service's own address: another gets only what the model names."""
    if model.api_key or model.api_key_env:
        candidates = [model.api_key, environment.get(model.api_key_env or "")]
    elif model.provider == "compatible":  # the key for whatever address the user gives
        with_address = environment.get("OPENAI_API_KEY") if at_home else None  # the one beside OPENAI_BASE_URL
        candidates = [environment.get(known.key_variable), stored, with_address]
    else:
        candidates = [environment.get(known.key_variable), stored] if at_home else []
    secret = next((key.strip() for key in candidates if key and key.strip()), None)
    if secret is not None and not (secret.isascii() and secret.isprintable()):
        raise AuthenticationFailed(
            f"the key for {model.provider} holds characters that no HTTP header can carry",
            hint=f"Set it anew: loom keys set {model.provider}",
        )
    return secret


def _headers(known: KnownProvider, model: Model, secret: str | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if known.format == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
        if secret:
            headers["x-api-key"] = secret
    elif secret:
        headers["authorization"] = f"Bearer {secret}"
    if model.organization and known.format == "openai_chat":
        headers["openai-organization"] = model.organization
    return headers


def _key_hint(model: Model, known: KnownProvider, base_url: str, *, at_home: bool) -> str:
    if at_home or model.provider == "compatible":
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
    url = host if "://" in host else f"http://{host}"
    parts = urlsplit(url)
    name = parts.hostname or "127.0.0.1"
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104  # compared, not bound
    name = f"[{name}]" if ":" in name else name
    port = parts.netloc.rpartition("]")[2].partition(":")[2]  # as text: what is no number fails the check below
    usual = "11434" if url != host else {"https": "443"}.get(parts.scheme, "80")
    return _checked(f"{parts.scheme}://{name}:{port or usual}{parts.path.rstrip('/')}/v1")


def _checked(url: str) -> str:
    """`url` without a slash at its end, or `ConfigError`."""
    url = url.strip()
    hint = "It begins with http:// or https:// and a host, like http://127.0.0.1:8080/v1."
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ConfigError(f"base_url: {url!r} is no address of a service", hint=hint) from error
    if parts.username is not None or parts.password is not None:
        raise ConfigError("base_url: holds a user name or password", hint="Give the key through the environment.")
    if not usable or parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(f"base_url: {url!r} is no address of a service", hint=hint)
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
