import asyncio
import gzip
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from loom_core.errors import AuthenticationFailed, BadRequest, BadResponse, ProviderError, ProviderUnavailable
from loom_core.messages import Text, Thinking, ToolCall, ToolResult, Usage, user
from loom_core.providers import http
from loom_core.providers.base import Delta, Provider, Reply, Restarted
from loom_core.providers.model import Model
from loom_core.providers.registry import connect
from loom_core.providers.service import Service
from tests.support.asking import READ, ask, assistant, reply, request, results
from tests.support.llm_server import (
    AnyStep,
    BadJSON,
    Calls,
    Hold,
    Huge,
    LLMServer,
    Raw,
    Request,
    Say,
    Silence,
    Status,
    Think,
    Turn,
)
from tests.support.llm_wire import ChatFormat, MessagesFormat

KEY = "sk-canary-0123456789"
NOW = {"retry-after-ms": "1"}
Connect = Callable[..., Provider]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


@pytest.fixture(params=["chat", "messages"])
def connected(request: pytest.FixtureRequest, server: LLMServer) -> Connect:
    """Connects to the server in one wire format and in the other."""

    def make(**connection: Any) -> Provider:
        connection = {"timeout": 5.0, "api_key": KEY, **connection}
        if request.param == "messages":
            return connect(Model.anthropic("m", base_url=server.url, **connection), {})
        return connect(Model.compatible("m", base_url=f"{server.url}/v1", **connection), {})

    return make


def failure(provider: Provider) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(provider)
    return caught.value


def test_a_whole_conversation(server: LLMServer, connected: Connect) -> None:
    server.script(
        Turn(Think("hm", chunk=1), Calls(("Read", {"path": "ü"}), ("Read", {}), text="looking", chunk=3)),
        Say("done", chunk=2, usage=(20, 4)),
    )
    provider = connected()
    asked = request(system="Be brief.", tools=(READ,))
    first = reply(provider, asked)
    assert first.stop == "tool_calls"
    assert [type(part) for part in first.parts][:4] == [Thinking, Text, ToolCall, ToolCall]
    message = assistant(*first.parts)
    outcome = (ToolResult(call_id=call.id, name=call.name, content="1", is_error=False) for call in message.calls)
    second = reply(provider, request(user("hi"), message, results(*outcome), system="Be brief.", tools=(READ,)))
    assert second == Reply(parts=(Text(text="done"),), usage=Usage(input_tokens=20, output_tokens=4), stop="end")
    before, after = (sent.raw for sent in server.requests)
    assert after.startswith(before.removesuffix(b"]}"))
    assert not server.leftover


def test_deltas_come_while_the_answer_is_in_progress(server: LLMServer, connected: Connect) -> None:
    gate = threading.Event()
    server.script(Turn(Say("first"), Hold(gate), Say("second")))

    async def run() -> list[str]:
        provider = connected()
        shown = []
        async for item in provider.stream(request()):
            if isinstance(item, Delta):
                shown.append(item.text)
                gate.set()  # were the first delta kept back, this would wait for ever
        await provider.aclose()
        return shown

    assert asyncio.run(run()) == ["first", "second"]


def test_the_key_goes_into_its_header_and_nowhere_else(server: LLMServer, connected: Connect) -> None:
    server.script(Say("a"))
    ask(connected())
    (sent,) = server.requests
    assert KEY in (sent.headers.get("x-api-key", ""), sent.headers.get("authorization", "").removeprefix("Bearer "))
    assert KEY.encode() not in sent.raw
    assert KEY not in sent.path


def body_size(connected: Connect, step: Say) -> int:
    form = MessagesFormat() if "anthropic" in connected().name else ChatFormat()
    return sum(len(item) for item in form.stream(Turn(step), "m") if isinstance(item, bytes))


def test_a_connection_cut_at_any_byte_is_never_an_answer(server: LLMServer, connected: Connect) -> None:
    size = body_size(connected, Say("hello", chunk=2))
    assert size > 500
    for cut in (*range(0, size - 9, 29), *range(size - 9, size - 2)):
        server.script(Say("hello", chunk=2, cut_after=cut))
        assert failure(connected(max_retries=1)).kind == "connection", cut


def test_an_answer_without_its_end_marker_is_an_error(server: LLMServer, connected: Connect) -> None:
    for step in (Say("hello", truncate=True), Calls(("Read", {}), truncate=True), Turn(truncate=True)):
        server.script(step)
        error = failure(connected())
        assert (type(error), error.kind) == (BadResponse, "truncated_stream")
    assert len(server.requests) == 3


def test_an_attempt_that_breaks_off_is_announced_and_repeated(server: LLMServer, connected: Connect) -> None:
    size = body_size(connected, Say("hello", chunk=1))
    server.script(Say("hello", chunk=1, cut_after=size - 60), Say("again"))
    items = ask(connected())
    (restarted,) = [item for item in items if isinstance(item, Restarted)]
    assert (restarted.attempt, restarted.shown) == (2, True)
    assert items[-1] == Reply(parts=(Text(text="again"),), usage=Usage(input_tokens=11, output_tokens=7), stop="end")


@pytest.mark.parametrize(
    "step", [Silence(), Silence(head=True), Say("a", delay=60), Say("ab", chunk=1, pause=60)], ids=repr
)
def test_silence_is_a_timeout(server: LLMServer, connected: Connect, step: AnyStep) -> None:
    server.script(step)
    error = failure(connected(timeout=0.1, max_retries=1))
    assert (type(error), error.kind) == (ProviderUnavailable, "timeout")
    server.wait_for(lambda seen: seen.dropped == 1)


def test_any_byte_is_a_sign_of_life(server: LLMServer, connected: Connect) -> None:
    server.script(Say("01234567", chunk=1, pause=0.05))
    assert reply(connected(timeout=0.3)).parts == (Text(text="01234567"),)


def test_a_rate_limit_passes(server: LLMServer, connected: Connect) -> None:
    server.script(Status(429, headers=NOW), Say("a"))
    restarted, *_, last = ask(connected())
    assert isinstance(restarted, Restarted)
    assert (restarted.delay_s, restarted.shown) == (0.001, False)
    assert isinstance(last, Reply)


def test_three_server_errors_are_enough(server: LLMServer, connected: Connect) -> None:
    server.script(*[Status(500, headers=NOW)] * 3)
    error = failure(connected())
    assert (type(error), error.status, len(server.requests)) == (ProviderUnavailable, 500, 3)


@pytest.mark.parametrize(("code", "expected"), [(401, AuthenticationFailed), (400, BadRequest), (404, BadRequest)])
def test_a_refusal_is_final(server: LLMServer, connected: Connect, code: int, expected: type[ProviderError]) -> None:
    server.script(Status(code))
    error = failure(connected())
    assert (type(error), error.status, len(server.requests)) == (expected, code, 1)
    assert f"scripted {code}" in str(error)


def test_the_breaker_opens_after_five_failed_calls(server: LLMServer, connected: Connect) -> None:
    server.script(*[Status(500)] * 5)
    provider = connected(max_retries=1)
    for _ in range(5):
        failure(provider)
    assert "5 times in a row" in str(failure(provider))
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Raw(b""), id="empty"),
        pytest.param(Raw(b"", code=204), id="204"),
        pytest.param(Raw(b"<html><title>Log in</title></html>", content_type="text/html"), id="page"),
        pytest.param(Raw(b'{"object": "chat.completion"}', content_type="application/json"), id="no stream"),
        pytest.param(Turn(Say("a"), BadJSON(), Say("b")), id="bad JSON"),
    ],
)
def test_what_is_no_answer(server: LLMServer, connected: Connect, step: AnyStep) -> None:
    server.script(step)
    assert type(failure(connected())) is BadResponse


def test_an_event_of_17_mib(server: LLMServer) -> None:
    server.script(Huge(17 << 20, single=True))
    provider = connect(Model.compatible("m", base_url=f"{server.url}/v1"), {})
    assert "single event" in str(failure(provider))


def test_an_error_with_status_200(server: LLMServer, connected: Connect) -> None:
    body = b'{\n  "error": {\n    "message": "bad key %b",\n    "type": "authentication_error"\n  }\n}' % KEY.encode()
    server.script(Raw(body, content_type="application/json"))
    error = failure(connected())
    assert type(error) is AuthenticationFailed
    assert str(error).endswith(": bad key [key]")


@pytest.mark.parametrize(
    "body", [f"<html>{KEY}</html>", "x" * 495 + KEY, f"data: {KEY}\n\n"], ids=["page", "cut", "event"]
)
def test_the_key_is_never_repeated(server: LLMServer, connected: Connect, body: str) -> None:
    server.script(Raw(body.encode(), content_type="text/html"))
    assert KEY[:4] not in str(failure(connected()))


def test_a_long_error_is_cut(server: LLMServer, connected: Connect) -> None:
    server.script(Status(400, body="x" * 1_000_000))
    assert len(str(failure(connected()))) < 600


def test_a_redirect_is_not_followed(server: LLMServer, connected: Connect) -> None:
    server.script(Raw(b"", code=307, headers={"location": f"{server.url}/v1/elsewhere"}))
    error = failure(connected())
    assert type(error) is BadResponse
    assert "redirect" in str(error)
    assert len(server.requests) == 1


def test_a_long_answer_arrives_whole(server: LLMServer, connected: Connect) -> None:
    server.script(Huge(3_000_000))
    (part,) = reply(connected()).parts
    assert part == Text(text="x" * 3_000_000)


def test_an_endless_answer_is_stopped(server: LLMServer, connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ANSWER_LIMIT", 1_000_000)
    server.script(Huge(1 << 30))
    assert "exceeds" in str(failure(connected()))


def stream(connected: Connect, text: str) -> bytes:
    form = MessagesFormat() if "anthropic" in connected().name else ChatFormat()
    return b"".join(item for item in form.stream(Turn(Say(text)), "m") if isinstance(item, bytes))


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), {}, id="CR LF"),
        pytest.param(lambda data: data.replace(b"\n", b"\r"), {}, id="CR"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, {}, id="byte order mark"),
        pytest.param(lambda data: b": waiting\n\n" + data, {}, id="comment"),
        pytest.param(lambda data: data.removesuffix(b"\n\n"), {}, id="no blank line at the end"),
        pytest.param(gzip.compress, {"content-encoding": "gzip"}, id="gzip"),
        pytest.param(lambda data: data, {"content-type": "text/plain"}, id="another content type"),
    ],
)
def test_framings(
    server: LLMServer, connected: Connect, change: Callable[[bytes], bytes], headers: dict[str, str]
) -> None:
    server.script(Raw(change(stream(connected, "ü🧵\u2028")), headers=headers))
    assert reply(connected()).parts == (Text(text="ü🧵\u2028"),)


def test_a_connection_serves_many_turns(server: LLMServer, connected: Connect) -> None:
    server.script(*[Say("a")] * 5)

    async def run() -> None:
        provider = connected()
        for _ in range(5):
            async for _ in provider.stream(request()):
                pass
        await provider.aclose()

    asyncio.run(run())
    assert server.connections == 1


def test_an_open_end_is_not_waited_for(server: LLMServer, connected: Connect) -> None:
    server.script(Say("a", linger=60))
    assert reply(connected()).parts == (Text(text="a"),)
    server.wait_for(lambda seen: seen.dropped == 1)


def test_a_provider_can_be_used_again_on_another_loop(server: LLMServer, connected: Connect) -> None:
    server.script(Say("a"), Say("b"))
    provider = connected()
    assert [reply(provider).parts, reply(provider).parts] == [(Text(text="a"),), (Text(text="b"),)]


def test_cancelling_closes_the_connection(server: LLMServer, connected: Connect) -> None:
    server.script(Turn(Say("a"), Hold(threading.Event()), Say("b")))

    async def run() -> None:
        provider = connected()
        shown = asyncio.Event()

        async def read() -> None:
            async for _ in provider.stream(request()):
                shown.set()

        task = asyncio.create_task(read())
        await shown.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_for, lambda seen: seen.dropped == 1)
        await provider.aclose()

    asyncio.run(run())


def test_half_a_character_in_the_request_is_replaced(server: LLMServer, connected: Connect) -> None:
    server.script(Say("a"))
    ask(connected(), request(user("x\udcffy")))
    assert b"x?y" in server.requests[0].raw


def test_a_forgotten_step_fails_at_once(server: LLMServer, connected: Connect) -> None:
    error = failure(connected())
    assert "no step" in str(error)
    assert len(server.requests) == 1


def test_answers_made_on_the_spot(server: LLMServer, connected: Connect) -> None:
    def answer(asked: Request) -> AnyStep:
        return Say(f"{len(asked.body['messages'])} messages")

    server.reply_with(answer)
    assert reply(connected()).parts == (Text(text="1 messages"),)


def test_nobody_there(connected: Connect, server: LLMServer) -> None:
    server.close()
    error = failure(connected(max_retries=1))
    assert (type(error), error.kind) == (ProviderUnavailable, "connection")
    assert "Start the server" in (error.hint or "")


def test_tls_where_there_is_none() -> None:
    def answer(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            client.recv(1)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        error = failure(connect(Model.compatible("m", base_url=address, max_retries=1), {}))
        thread.join()
    assert error.kind == "connection"


def test_certificate_authorities_are_loaded_for_tls_alone() -> None:
    plain, secure = http._trust("http://a"), http._trust("https://a")
    assert plain.verify_mode == secure.verify_mode == ssl.CERT_REQUIRED
    assert plain.cert_store_stats()["x509_ca"] == 0


def every(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*map(every, kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(every(httpx.HTTPError), key=str))
def test_every_error_of_the_library_is_translated_without_the_key(kind: type[Exception]) -> None:
    service = Service(name="openai", base_url="http://a/v1", key=KEY)
    arguments: dict[str, Any] = {"request": None, "response": None} if kind is httpx.HTTPStatusError else {}
    made = http.translate(kind(f"bad header {KEY}", **arguments), service)
    assert isinstance(made, ProviderError)
    assert made.kind in ("timeout", "connection", "protocol", "bad_request")
    assert KEY not in str(made)


def test_asking_imports_no_terminal_library() -> None:
    code = (
        "import asyncio, sys\n"
        "from loom_core.providers.model import Model\n"
        "from loom_core.providers.registry import connect\n"
        "from tests.support.asking import ask\n"
        "ask(connect(Model.compatible('m', base_url=sys.argv[1] + '/v1'), {}))\n"
        "print({'httpx', 'rich', 'click', 'pygments', 'trio'} & set(sys.modules))"
    )
    with LLMServer() as server:
        server.script(Say("a"))
        ran = subprocess.run([sys.executable, "-c", code, server.url], capture_output=True, text=True, check=True)
    assert ran.stdout == "{'httpx'}\n"


def test_a_proxy_is_not_asked_for_this_machine(
    server: LLMServer, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        server.script(Say("a"))
        assert reply(connected()).parts == (Text(text="a"),)
