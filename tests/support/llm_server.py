"""A scripted LLM server: real HTTP on loopback, streaming, both wire formats, with faults; it records what it is sent.

    with LLMServer() as server:
        server.script(Calls(("Read", {"path": "x"})), Say("done"))
        ...                                # clients use f"{server.url}/v1" (OpenAI) or server.url (Anthropic)
        assert server.requests[0].body["model"] == "m" and not server.leftover

As a process it prints its address: `python -m tests.support.llm_server --script FILE.json [--port 0]`.
"""

import argparse
import contextlib
import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO, Self

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

    def __init__(self, *, port: int = 0, models: tuple[str, ...] = ("scripted",), owner: str = "llamacpp") -> None:
        self.models = models
        self.owner = owner
        self.requests: list[Request] = []
        """Requests for an answer, in the order they came."""
        self.dropped = 0
        """Answers the client left before their end."""
        self.connections = 0
        """Connections clients have opened."""
        self._steps: deque[AnyStep] = deque()
        self._dynamic: Callable[[Request], AnyStep | None] | None = None
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        """The address, without a path."""
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def leftover(self) -> list[AnyStep]:
        """Steps nobody asked for."""
        return list(self._steps)

    def script(self, *steps: AnyStep) -> None:
        """Append steps; each answers one request."""
        self._steps.extend(steps)

    def reply_with(self, dynamic: Callable[[Request], AnyStep | None]) -> None:
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
            self.connections += 1
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
        return _Performance(connection, self._closing, step, request, form).play()

    def _listing(self, request: Request) -> dict[str, Any] | None:
        if request.method != "GET":
            return None
        if request.path.endswith("/v1/models"):
            return {"object": "list", "data": [{"id": name, "owned_by": self.owner} for name in self.models]}
        if request.path == "/api/tags":
            return {"models": [{"name": name, "model": name} for name in self.models]}
        return None


class _Performance:
    """The playing of one step to one client."""

    def __init__(
        self, connection: socket.socket, closing: threading.Event, step: AnyStep, request: Request, form: Format
    ) -> None:
        self._connection = connection
        self._closing = closing
        self._step = step
        self._request = request
        self._form = form
        self._sent = 0

    def play(self) -> bool:
        """Send everything. False when the connection is spent; `OSError` when the client left."""
        step = self._step
        self._wait(step.delay)
        match step:
            case Status():
                body = step.body if step.body is not None else self._form.error(step.code)
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                return self._whole(step.code, data, "application/json", step.headers)
            case Raw():
                return self._whole(step.code, step.data, step.content_type, step.headers)
            case Silence():
                if step.head:
                    self._connection.sendall(_head(200, {"transfer-encoding": "chunked"}))
                self._wait(step.seconds)
                return False
        turn = step if isinstance(step, Turn) else Turn(step, **_options(step))
        body = self._request.body if isinstance(self._request.body, dict) else {}
        model = str(body.get("model", ""))
        if body.get("stream"):
            return self._stream(self._form.stream(turn, model))
        return self._whole(200, json.dumps(self._form.whole(turn, model)).encode(), "application/json", {})

    def _stream(self, items: Iterator[Item]) -> bool:
        self._connection.sendall(_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
        waiting = bytearray()
        for item in items:
            if isinstance(item, bytes):
                waiting += item
                if len(waiting) < 16384 and not self._step.pause:
                    continue
            if not self._flush(waiting):
                return False
            self._wait(self._step.pause)
            if isinstance(item, threading.Event):
                while not item.is_set():
                    self._wait(0.005)
        if not self._flush(waiting):
            return False
        self._wait(self._step.linger)
        self._connection.sendall(b"0\r\n\r\n")
        return True

    def _flush(self, waiting: bytearray) -> bool:
        """Send one chunk of the body; false when the connection was broken off at `cut_after` bytes."""
        data, cut = bytes(waiting), self._step.cut_after
        waiting.clear()
        if cut is not None and self._sent + len(data) > cut:
            data = data[: cut - self._sent]
        self._sent += len(data)
        if data:
            self._connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        if cut is not None and self._sent >= cut:
            _break(self._connection)
            return False
        return True

    def _whole(self, code: int, body: bytes, content_type: str, headers: Mapping[str, str]) -> bool:
        cut = self._step.cut_after
        head = _head(code, {"content-type": content_type, "content-length": str(len(body)), **headers})
        self._connection.sendall(head + body[:cut])
        if cut is not None:
            _break(self._connection)
        return cut is None

    def _wait(self, seconds: float) -> None:
        """Wait, but no longer than the client does."""
        if seconds <= 0:
            return
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._closing.is_set():
            readable, _, _ = select.select([self._connection], [], [], min(left, 0.5))
            if readable and not self._connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError("the client left")


def _options(step: Step) -> dict[str, Any]:
    return {option.name: getattr(step, option.name) for option in fields(Step) if option.name != "_"}


def _break(connection: socket.socket) -> None:
    """Close at once: what was sent arrives, then the connection ends without its proper end."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _head(code: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {code} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _send(connection: socket.socket, code: int, body: bytes) -> bool:
    connection.sendall(_head(code, {"content-type": "application/json", "content-length": str(len(body))}) + body)
    return True


def _read(reader: BinaryIO) -> Request | None:
    words = reader.readline().decode("latin-1").split(" ")
    if len(words) != 3:  # the client left, or speaks something else
        return None
    method, path, _ = words
    headers: dict[str, str] = {}
    while (line := reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raw = reader.read(int(headers.get("content-length", "0")))
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        body = None
    return Request(method, path, headers, raw, body)


def main() -> None:
    """Serve a script until killed."""
    parser = argparse.ArgumentParser(description="a scripted LLM server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path, required=True, help="JSON: a list of steps")
    options = parser.parse_args()
    steps = from_json(json.loads(options.script.read_text("utf-8")))
    with LLMServer(port=options.port) as server:
        server.reply_with(lambda _: next(steps, None))
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
