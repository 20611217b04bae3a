"""A provider over HTTP: one service, one wire format, one layer of retries."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from functools import partial
from typing import Protocol

import msgspec

from loom_core.errors import ProviderError
from loom_core.messages import JSON
from loom_core.providers import classify
from loom_core.providers.base import Delta, ModelRequest, Reply, StreamItem
from loom_core.providers.http import ERROR_BODY_LIMIT, Answer, HttpClient
from loom_core.providers.retry import Breaker, RetryPolicy, with_retries
from loom_core.providers.service import Service
from loom_core.providers.sse import EventDecoder, ServerSentEvent

_DRAIN_S = 0.25
"""How long the body may take to end once the answer is whole. Read to its end, the connection serves the next turn."""


class Assembler(Protocol):
    """Turns the events of one answer into a `Reply`."""

    @property
    def finished(self) -> bool:
        """Whether the terminal marker was seen; nothing after it counts."""

    def feed(self, event: ServerSentEvent) -> Iterable[Delta]:
        """Take one event and return what of it is to be shown."""

    def reply(self) -> Reply:
        """The whole turn. `BadResponse` when the stream ended before it did."""


class Wire(Protocol):
    """How one family of services wants to be asked, and how it answers."""

    @property
    def path(self) -> str:
        """Where requests go, after the base URL."""

    def body(self, request: ModelRequest) -> dict[str, JSON]:
        """The request in the service's terms. `BadRequest` naming the setting it cannot take."""

    def assembler(self, request: ModelRequest) -> Assembler:
        """A fresh assembler for one attempt."""


class HttpProvider:
    """A `Provider` made of a service and the wire format it speaks."""

    def __init__(self, service: Service, wire: Wire) -> None:
        self._service = service
        self._wire = wire
        self._http = HttpClient(service)
        self._policy = RetryPolicy(tries=service.tries)
        self._breaker = Breaker()

    @property
    def name(self) -> str:
        """The provider's name, as in `"provider:model"`."""
        return self._service.name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Ask once; see `Provider`."""
        attempt = partial(self._attempt, request, _encode(self._wire.body(request)))
        async with aclosing(with_retries(attempt, self._policy, self._breaker)) as items:
            async for item in items:
                yield item

    async def aclose(self) -> None:
        """Give back connections."""
        await self._http.aclose()

    async def _attempt(self, request: ModelRequest, body: bytes) -> AsyncGenerator[Delta | Reply, None]:
        assembler = self._wire.assembler(request)
        async with self._http.post(self._wire.path, body) as answer:
            if not 200 <= answer.status < 300:
                raise classify.from_response(self._service, answer.status, answer.headers, await answer.read())
            async with aclosing(self._events(answer)) as events:
                async for event in events:
                    for delta in assembler.feed(event):
                        yield delta
                    if assembler.finished:
                        await _drain(answer)
                        break
        yield assembler.reply()

    async def _events(self, answer: Answer) -> AsyncGenerator[ServerSentEvent, None]:
        decoder = EventDecoder()
        silent = bytearray()  # the body so far, while no event was in it: then it is an error of some kind
        seen = False
        async for chunk in answer.chunks:
            for event in decoder.feed(chunk):
                seen = True
                yield event
            if not seen and len(silent) < ERROR_BODY_LIMIT:
                silent += chunk
        last = decoder.close()
        if last is not None:
            yield last
        elif not seen:
            raise classify.from_response(self._service, answer.status, answer.headers, bytes(silent))


def _encode(body: dict[str, JSON]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # half of a surrogate pair, from a file name or a cut text, which no JSON can carry
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


async def _drain(answer: Answer) -> None:
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in answer.chunks:
                pass
    except (TimeoutError, ProviderError):
        return  # the connection is then closed instead of kept: a cost, no failure
