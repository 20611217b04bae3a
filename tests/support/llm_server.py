"""A scripted LLM server: real HTTP on loopback, streaming, both wire formats, with faults; it records what it is sent.

    with LLMServer() as server:
        server.script(Calls(("Read", {"path": "x"})), Say("done"))
        ...                                # clients use f"{server.url}/v1" (OpenAI) or server.url (Anthropic)
        assert server.requests[0].body["model"] == "m" and not server.leftover

As a process it prints its address: `python -m tests.support.llm_server --script FILE.json [--port 0]`.
"""

import contextlib
import json
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.support.llm_steps import (
    AnyStep,
    BadJSON,
    Calls,
    Hold,
    Huge,
    Raw,
    Say,
    Silence,
    Status,
    Step,
    Think,
    Turn,
    from_json,
)
from tests.support.llm_wire import ChatFormat, Format, Item, MessagesFormat

__all__ = [
    "AnyStep",
    "BadJSON",
    "Calls",
    "Hold",
    "Huge",
    "LLMServer",
    "Raw",
    "Request",
    "Say",
    "Silence",
    "Status",
    "Think",
    "Turn",
    "from_json",
]

_FORMATS: dict[str, Format] = {"/chat/completions": ChatFormat(), "/messages": MessagesFormat()}


@dataclass(frozen=True)
class Request:
    """One request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes = field(repr=False)
    body: Any = None
    """The JSON of `raw`, or `None`."""


class LLMServer:
    """The server, in a background thread while the context is open."""

    def __init__(self, *, port: int = 0, models: tuple[str, ...] = ("scripted",)) -> None:
        self.models = models
        self.requests: list[Request] = []
        """Requests for an answer, in the order they came."""
        self.dropped = 0
        """Answers the client left before their end."""
        self._steps: deque[AnyStep] = deque()
        self._dynamic: Callable[[Request], AnyStep] | None = None
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def leftover(self) -> list[AnyStep]:
        """Steps nobody asked for."""
        return list(self._steps)

    def script(self, *steps: AnyStep) -> None:
        """Append steps; each answers one request."""
        self._steps.extend(steps)

    def reply_with(self, dynamic: Callable[[Request], AnyStep]) -> None:
        """Ask `dynamic` for the step whenever the script is at its end."""
        self._dynamic = dynamic

    def wait_for(self, condition: Callable[["LLMServer"], bool], timeout: float = 10.0) -> None:
        """Wait until the condition holds; it is looked at whenever a request comes or is dropped."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), timeout):
                raise TimeoutError(f"the server saw {len(self.requests)} requests, {self.dropped} dropped")

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Break all connections and end all threads."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as reader:
                while (request := _read(reader)) and self._answer(connection, request):
                    pass
        except OSError:
            self._drop()
        finally:
            self._connections.discard(connection)

    def _drop(self) -> None:
        with self._changed:
            self.dropped += 1
            self._changed.notify_all()

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """Answer one request; false when the connection is not to be used again."""
        listing = self._listing(request)
        if listing is not None:
            return _send(connection, 200, json.dumps(listing).encode())
        with self._changed:
            self.requests.append(request)
            step = self._steps.popleft() if self._steps else None
            self._changed.notify_all()
        if step is None and self._dynamic is not None:
            step = self._dynamic(request)
        form = next((form for suffix, form in _FORMATS.items() if request.path.endswith(suffix)), None)
        if form is None:
            return _send(connection, 404, b'{"error": {"message": "no such path", "type": "not_found_error"}}')
        if step is None:
            # Not a 5xx: clients would ask again, and the test that forgot a step would fail late.
            message = f"the script has no step for request number {len(self.requests)}"
            return _send(connection, 400, json.dumps({"error": {"message": message}}).encode())
        return _Performance(connection, self._closing, step, request, form).play() or self._left()

    def _left(self) -> bool:
        self._drop()
        return False

    def _listing(self, request: Request) -> dict[str, Any] | None:
        if request.method != "GET":
            return None
        if request.path.endswith("/models"):
            return {"object": "list", "data": [{"id": name, "owned_by": "llamacpp"} for name in self.models]}
        if request.path == "/api/tags":
            return {"models": [{"name": name, "model": name} for name in self.models]}
        return None
