"""The address, key and manners of one model service, as its adapter needs them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from loom_core.messages import JSON

_SHORTEST_SECRET = 8
"""Shorter keys are placeholders ("none", "ollama") for local servers, and words of every other error."""


class Service(Struct, frozen=True, kw_only=True):
    """Who is asked. Made by `registry.connect`; holds the secret, so it shows none of it."""

    name: str
    """The provider's name, as in `"provider:model"`."""
    base_url: str
    """Without a slash at its end."""
    headers: Mapping[str, str] = {}
    key: str | None = None
    """It is in `headers`; here it stands to be struck from what the service says."""
    key_hint: str = ""
    """What to do when the service refuses the key."""
    timeout: float = 120.0
    tries: int = 3
    extensions: Mapping[str, JSON] = {}

    def __repr__(self) -> str:
        return f"Service({self.name!r}, {self.base_url!r})"

    @property
    def host(self) -> str:
        """Host and port, as errors name it."""
        return urlsplit(self.base_url).netloc

    def conceal(self, text: str) -> str:
        """`text` without the key, which some services repeat in their errors."""
        if self.key is None or len(self.key) < _SHORTEST_SECRET:
            return text
        return text.replace(self.key, "[key]")


def is_loopback(url: str) -> bool:
    """Whether the URL names this machine."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
