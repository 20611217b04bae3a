"""Which model of which service, and how to reach it."""

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TypedDict, Unpack

from loom_core.messages import JSON

_PROVIDER = re.compile(r"[a-z][a-z0-9_-]*")


class Connection(TypedDict, total=False):
    """The fields of `Model` that say how to reach it, for the named constructors."""

    base_url: str | None
    api_key: str | None
    api_key_env: str | None
    organization: str | None
    timeout: float
    max_retries: int
    extensions: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Model:
    """A model by `"provider:name"` and the connection to it.

    `TypeError` for a field of a wrong type, `ValueError` for a wrong value; both name the field.
    """

    provider: str
    name: str
    _: KW_ONLY
    base_url: str | None = None
    """Where the service is, when not at its usual address."""
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str | None = None
    """Name of the environment variable that holds the key, when not the usual one."""
    organization: str | None = None
    timeout: float = 120.0
    """Seconds without a byte from the service before it counts as stalled; any byte resets it."""
    max_retries: int = 3
    """Tries of one request in all, the first included."""
    extensions: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    """Fields added to each request body as they are."""

    def __post_init__(self) -> None:
        for name in ("provider", "name", "base_url", "api_key", "api_key_env", "organization"):
            value = getattr(self, name)
            if not isinstance(value, str) and (value is not None or name in ("provider", "name")):
                raise TypeError(f"{name}: text, not {type(value).__name__}")
        if not _PROVIDER.fullmatch(self.provider):
            raise ValueError(f"provider: {self.provider!r} is no provider's name")
        if not self.name.strip():
            raise ValueError("name: empty")
        if isinstance(self.timeout, bool) or not isinstance(self.timeout, (int, float)):
            raise TypeError(f"timeout: seconds, not {type(self.timeout).__name__}")
        if not 0 < self.timeout < float("inf"):
            raise ValueError(f"timeout: {self.timeout} is no positive number of seconds")
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int):
            raise TypeError(f"max_retries: a number, not {type(self.max_retries).__name__}")
        if self.max_retries < 1:
            raise ValueError(f"max_retries: {self.max_retries} is less than the one try there must be")
        if not isinstance(self.extensions, Mapping):
            raise TypeError(f"extensions: a mapping, not {type(self.extensions).__name__}")

    @property
    def identifier(self) -> str:
        """`"provider:name"`."""
        return f"{self.provider}:{self.name}"

    @classmethod
    def parse(cls, text: str, **connection: Unpack[Connection]) -> "Model":
        """The model written `"provider:name"`. The name may contain colons itself (`ollama:qwen3:8b`)."""
        if not isinstance(text, str):
            raise TypeError(f"model: text, not {type(text).__name__}")
        provider, colon, name = text.strip().partition(":")
        if not colon:
            raise ValueError(f"model: {text!r} lacks its provider; write it as provider:name, like openai:{text}")
        return cls(provider.strip().lower(), name.strip(), **connection)

    @classmethod
    def anthropic(cls, name: str, **connection: Unpack[Connection]) -> "Model":
        """A Claude model at Anthropic."""
        return cls("anthropic", name, **connection)

    @classmethod
    def openai(cls, name: str, **connection: Unpack[Connection]) -> "Model":
        """A model at OpenAI."""
        return cls("openai", name, **connection)

    @classmethod
    def deepseek(cls, name: str, **connection: Unpack[Connection]) -> "Model":
        """A model at DeepSeek."""
        return cls("deepseek", name, **connection)

    @classmethod
    def ollama(cls, name: str, **connection: Unpack[Connection]) -> "Model":
        """A model of an Ollama server, by default the one on this machine."""
        return cls("ollama", name, **connection)

    @classmethod
    def compatible(cls, name: str, **connection: Unpack[Connection]) -> "Model":
        """A model behind any server that speaks OpenAI's chat completions, at `base_url` or `OPENAI_BASE_URL`."""
        return cls("compatible", name, **connection)
