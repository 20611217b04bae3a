"""The address, key and manners of one model service, as its adapter needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Who is asked. Made by `registry.connect`; holds the secret, so it shows none of it."""

    name: str
    """The provider's name, as in `"provider:model"`."""
    base_url: str
    """Without a slash at its end."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key: str | None = field(default=None, repr=False)
    """Kept apart from `headers` only to be struck from what the service says."""
    key_hint: str = ""
    """What to do when the service refuses the key."""
    timeout: float = 120.0
    tries: int = 3
    extensions: Mapping[str, object] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Host and port, as errors name it."""
        return urlsplit(self.base_url).netloc

    def conceal(self, text: str) -> str:
        """`text` without the key, which some services repeat in their errors."""
        return text.replace(self.key, "[key]") if self.key else text


def is_loopback(url: str) -> bool:
    """Whether the URL names this machine."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
