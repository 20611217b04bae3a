"""HTTP to model services: the only module that knows httpx, and the seam where its errors become ours.

httpx is imported at the first request. Redirects are never followed: the key would go along.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from loom_core._version import __version__
from loom_core.errors import BadRequest, BadResponse, ProviderError, ProviderUnavailable
from loom_core.messages import JSON
from loom_core.providers import classify
from loom_core.providers.service import Service, is_loopback

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_TIMEOUT_S = 10.0
ERROR_BODY_LIMIT = 64 * 1024
"""Bytes of an error's body that are read; the longest real ones are proxies' HTML pages of a few KiB."""
ANSWER_LIMIT = 256 * 1024 * 1024
"""Bytes of one answer on the wire. 128k tokens in the wordiest framing seen (200 bytes an event) are 26 MB."""
_ERROR_BODY_TIMEOUT_S = 10.0
_LISTING_LIMIT = 4 * 1024 * 1024
"""Bytes of a list of models; OpenRouter's, the longest known, has 600 KB."""
_KEEP_ALIVE_S = 60.0
"""Idle connections are kept this long. Tools often take longer than httpx's own 5 s, and a TLS handshake 100 ms."""


class Answer(NamedTuple):
    """A response whose head has arrived."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case, or to be looked up in any."""
    chunks: AsyncIterator[bytes]
    """The body, content encoding undone. Raises `ProviderError`."""

    async def read(self, limit: int = ERROR_BODY_LIMIT) -> bytes:
        """The body's first `limit` bytes, or what of them arrives in reasonable time."""
        body = bytearray()
        try:
            async with asyncio.timeout(_ERROR_BODY_TIMEOUT_S):
                async for chunk in self.chunks:
                    body += chunk
                    if len(body) >= limit:
                        break
        except (TimeoutError, ProviderError):
            pass  # it is the text of an error already: a part of it is better than an error about it
        return bytes(body[:limit])


class HttpClient:
    """Connections to one service. Bound to the event loop it is used on; on another it starts afresh."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def post(self, path: str, body: bytes) -> AsyncIterator[Answer]:
        """Send JSON and stream the answer, whatever its status. A silence longer than `Service.timeout` ends it."""
        client = self._open()
        import httpx

        try:
            async with (
                client.stream("POST", self._service.base_url + path, content=body) as response,
                aclosing(_chunks(response, self._service)) as chunks,
            ):
                yield Answer(response.status_code, response.headers, chunks)
        except httpx.HTTPError as error:
            raise translate(error, self._service) from error

    async def aclose(self) -> None:
        """Close all connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    def _open(self) -> "httpx.AsyncClient":
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client, self._loop = _client(self._service), loop
        return self._client


async def get_json(service: Service, path: str, *, deadline_s: float) -> JSON:
    """The JSON at `path`, within `deadline_s` seconds in all. `ProviderError` for anything else."""
    client = _client(service)
    import httpx

    try:
        async with asyncio.timeout(deadline_s), client:
            async with (
                client.stream("GET", service.base_url + path) as response,
                aclosing(_chunks(response, service)) as chunks,
            ):
                body = await Answer(response.status_code, response.headers, chunks).read(_LISTING_LIMIT)
            if response.status_code != 200:
                raise classify.from_response(service, response.status_code, response.headers, body)
            return msgspec.json.decode(body)
    except TimeoutError as error:
        message = f"{service.host} did not answer within {deadline_s:g} s"
        raise ProviderUnavailable(message, kind="timeout") from error
    except httpx.HTTPError as error:
        raise translate(error, service) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadResponse(f"{service.host} answered {path} with something that is no JSON") from error


async def _chunks(response: "httpx.Response", service: Service) -> AsyncGenerator[bytes, None]:
    import httpx

    total = 0
    try:
        async for chunk in response.aiter_bytes():
            total += len(chunk)
            if total > ANSWER_LIMIT:
                raise BadResponse(f"the answer of {service.host} exceeds {ANSWER_LIMIT} bytes")
            yield chunk
    except httpx.HTTPError as error:
        raise translate(error, service) from error


def _import_httpx() -> None:
    """Import httpx without its command line, which drags in click, rich and pygments: 60 ms of CPU for nothing."""
    if "httpx" in sys.modules:
        return
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # makes its import fail, which httpx allows for
    import httpx  # noqa: F401

    del sys.modules["httpx._main"]


def _client(service: Service) -> "httpx.AsyncClient":
    _import_httpx()
    import httpx

    return httpx.AsyncClient(
        headers={
            "user-agent": f"loom/{__version__}",
            "content-type": "application/json",
            "accept": "text/event-stream, application/json",
            # Measured with gzip: 1 MB on the wire is one decoded chunk of 67 MB, and small events wait in the encoder.
            "accept-encoding": "identity",
            **service.headers,
        },
        timeout=httpx.Timeout(service.timeout, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_S),
        verify=_trust(service.base_url),
        # A proxy configured for the outside world cannot reach a server on this machine.
        trust_env=not is_loopback(service.base_url),
    )


def _trust(url: str) -> "ssl.SSLContext":
    """Whom to trust: the system's certificate authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others)."""
    import ssl

    if url.startswith("http:"):
        # Loading the authorities costs 20 ms of CPU; without any, a TLS connection would fail, not pass unchecked.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        return ssl.create_default_context()
    import certifi  # systems without authorities of their own: slim containers, python.org's Python on macOS

    return ssl.create_default_context(cafile=certifi.where())


def translate(error: Exception, service: Service) -> ProviderError:
    """Our error for one of httpx's. Total: whatever httpx may raise next is at least a connection failure."""
    import httpx

    where = service.host
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return ProviderUnavailable(f"no connection to {where} within {CONNECT_TIMEOUT_S:g} s", kind="timeout")
        case httpx.TimeoutException():
            return ProviderUnavailable(f"{where} sent nothing for {service.timeout:g} s", kind="timeout")
        case httpx.ConnectError() | httpx.ProxyError():
            return _unreachable(error, service)
        case httpx.DecodingError():
            return BadResponse(f"the answer of {where} does not decode: {service.conceal(str(error))}")
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            # Its text may hold a header's value, and with it the key.
            return BadRequest(f"the request to {where} cannot be put into HTTP ({type(error).__name__})")
        case _:
            return ProviderUnavailable(
                f"the connection to {where} broke: {service.conceal(str(error)) or type(error).__name__}",
                kind="connection",
            )


def _unreachable(error: Exception, service: Service) -> ProviderUnavailable:
    reason = service.conceal(str(error)) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        hint = (
            "If a proxy with its own certificate authority is in between, set SSL_CERT_FILE to that authority's file."
        )
    elif is_loopback(service.base_url):
        hint = f"Start the server, or give the address of the right one: nothing listens at {service.base_url}."
    else:
        hint = "Check the network connection, HTTPS_PROXY and the service's address."
    return ProviderUnavailable(f"cannot connect to {service.host}: {reason}", kind="connection", hint=hint)
