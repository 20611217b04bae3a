import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from loom_core.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
    ContentRefused,
    ContextTooLong,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from loom_core.providers.classify import from_payload, from_response
from loom_core.providers.service import Service

KEY = "sk-canary-0123456789"
SERVICE = Service(name="openai", base_url="https://api.example.org/v1", key=KEY, key_hint="Set OPENAI_API_KEY")


def classified(status: int, body: Any = b"", **headers: str) -> ProviderError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_response(SERVICE, status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "expected", "kind"),
    [
        pytest.param(400, error("bad", type="invalid_request_error"), BadRequest, "bad_request", id="400"),
        pytest.param(401, error("no key"), AuthenticationFailed, "auth", id="401"),
        pytest.param(402, error("Insufficient Balance"), RateLimited, "quota_exhausted", id="402"),
        pytest.param(403, error("not yours"), AuthenticationFailed, "permission", id="403"),
        pytest.param(404, error("no model", code="model_not_found"), BadRequest, "not_found", id="404"),
        pytest.param(405, b"", BadRequest, "bad_request", id="405"),
        pytest.param(408, b"", ProviderUnavailable, "timeout", id="408"),
        pytest.param(413, b"", ContextTooLong, "context_overflow", id="413 without words"),
        pytest.param(
            413,
            {"type": "error", "error": {"type": "request_too_large", "message": "over 32 MB"}},
            BadRequest,
            "request_too_large",
            id="413 for its bytes",
        ),
        pytest.param(422, {"detail": [{"msg": "field required"}]}, BadRequest, "bad_request", id="422"),
        pytest.param(429, error("slow down"), RateLimited, "rate_limit", id="429"),
        pytest.param(
            429, error("quota", code="insufficient_quota"), RateLimited, "quota_exhausted", id="429 for good, by code"
        ),
        pytest.param(
            429,
            error("You exceeded your current quota, please check your plan"),
            RateLimited,
            "quota_exhausted",
            id="429 for good, by words",
        ),
        pytest.param(
            400,
            {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
            RateLimited,
            "quota_exhausted",
            id="no credit as 400",
        ),
        pytest.param(
            429, error("maximum context length is 9 tokens a minute"), RateLimited, "rate_limit", id="429 wins"
        ),
        pytest.param(500, error("oops"), ProviderUnavailable, "server", id="500"),
        pytest.param(502, b"<html><title>Bad Gateway</title></html>", ProviderUnavailable, "server", id="502 page"),
        pytest.param(503, error("Loading model", code=503), ProviderUnavailable, "overloaded", id="503 loading"),
        pytest.param(504, b"", ProviderUnavailable, "timeout", id="504"),
        pytest.param(
            529,
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            ProviderUnavailable,
            "overloaded",
            id="529",
        ),
        pytest.param(400, error("x", code="context_length_exceeded"), ContextTooLong, "context_overflow", id="code"),
        pytest.param(
            400,
            {
                "error": {
                    "code": 400,
                    "message": "request (9030 tokens) exceeds the available context size (8192 tokens)",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 9030,
                    "n_ctx": 8192,
                }
            },
            ContextTooLong,
            "context_overflow",
            id="llama.cpp overflow",
        ),
        pytest.param(
            500,
            error("the request exceeds the available context size, try increasing it"),
            ContextTooLong,
            "context_overflow",
            id="older llama.cpp overflow",
        ),
        pytest.param(400, error("x", code="content_filter"), ContentRefused, "content_filter", id="filtered"),
        pytest.param(
            400, error("x", code="data_inspection_failed"), ContentRefused, "content_filter", id="filtered, qwen"
        ),
        pytest.param(
            400, error("x", code="tool_use_failed"), BadResponse, "protocol", id="the model's call was broken"
        ),
        pytest.param(301, b"", BadResponse, "protocol", id="redirect"),
        pytest.param(307, error("x"), BadResponse, "protocol", id="redirect with words"),
        pytest.param(200, b"", BadResponse, "protocol", id="empty body"),
        pytest.param(204, b"", BadResponse, "protocol", id="204"),
        pytest.param(200, b"<html>Welcome</html>", BadResponse, "protocol", id="a page"),
        pytest.param(200, {"choices": []}, BadResponse, "protocol", id="no stream"),
        pytest.param(200, error("slow down", type="rate_limit_error"), RateLimited, "rate_limit", id="error with 200"),
    ],
)
def test_responses(status: int, body: Any, expected: type[ProviderError], kind: str) -> None:
    made = classified(status, body)
    assert (type(made), made.kind, made.status) == (expected, kind, made.status)
    assert made.status is not None


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens",
        "Your input exceeds the context window of this model. Please adjust your input",
        "prompt is too long: 213462 tokens > 200000 maximum",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "tokens to keep from the initial prompt is greater than the context length",
        "Please reduce the length of the messages or completion.",
        "invalid params, context window exceeds limit",
        "Prompt contains 9 tokens, too large for model with 8 maximum context length",
        "Your request exceeded model token limit: 8 (requested: 9)",
        "The input token count (9) exceeds the maximum number of tokens allowed (8).",
        "Input is too long for requested model.",
        "Range of input length should be [1, 6000]",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    ],
)
def test_overflow_in_each_services_words(message: str) -> None:
    assert classified(400, error(message)).kind == "context_overflow"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        pytest.param({"error": {"message": "a"}}, "a", id="object"),
        pytest.param({"error": "a"}, "a", id="text"),
        pytest.param([{"error": {"message": "a"}}], "a", id="list"),
        pytest.param({"message": "a", "code": "Throttling"}, "a", id="bare"),
        pytest.param({"type": "error", "message": "a"}, "a", id="bare, with type"),
        pytest.param({"detail": "a"}, "a", id="detail"),
        pytest.param({"error": {"detail": {"why": "a"}}}, '{"why":"a"}', id="an object as the message"),
        pytest.param({"error": {"message": "a", "metadata": {"raw": "b"}}}, "a: b", id="the provider behind"),
        pytest.param({"error": {"message": "a\n\n  b\t"}}, "a b", id="white space"),
        pytest.param({"error": {"message": "x" * 900}}, "x" * 500 + "…", id="long"),
        pytest.param({"error": {"message": f"bad key {KEY}"}}, "bad key [key]", id="the key"),
    ],
)
def test_what_the_service_says_is_told(payload: Any, said: str) -> None:
    assert str(from_payload(SERVICE, payload)) == f"api.example.org: {said}"


def test_an_error_without_words_tells_its_status() -> None:
    assert str(classified(500)) == "api.example.org answered with status 500"


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        pytest.param(error("x", code=429), "rate_limit", id="number"),
        pytest.param(error("x", code=502), "server", id="another number"),
        pytest.param(error("x", code=7), "server", id="a number that is no status"),
        pytest.param(error("x", code=None, type=None), "server", id="null"),
        pytest.param(error("x", type="overloaded_error"), "overloaded", id="type"),
        pytest.param(error("x", type="authentication_error"), "auth", id="key"),
        pytest.param(error("x", code="rate_limit_exceeded", type="tokens"), "rate_limit", id="code"),
        pytest.param({"message": "x", "code": "Throttling"}, "rate_limit", id="bare"),
        pytest.param({}, "server", id="nothing"),
        pytest.param([], "server", id="empty list"),
        pytest.param("x", "server", id="text"),
    ],
)
def test_errors_without_a_status(payload: Any, kind: str) -> None:
    assert from_payload(SERVICE, payload).kind == kind


SOON = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        pytest.param({"retry_after": "7"}, 7, 7, id="seconds"),
        pytest.param({"retry_after": "0.5"}, 0.5, 0.5, id="half a second"),
        pytest.param({"retry_after_ms": "250", "retry_after": "9"}, 0.25, 0.25, id="milliseconds"),
        pytest.param({"retry_after": SOON}, 30, 90, id="date"),
        pytest.param({"retry_after": "Mon, 01 Jan 2001 00:00:00 GMT"}, 0, 0, id="date gone by"),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], low: float, high: float) -> None:
    waiting = classified(429, error("x"), **headers).retry_after
    assert waiting is not None
    assert low <= waiting <= high


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", "", "Mon GMT"])
def test_nonsense_about_waiting_says_nothing(value: str) -> None:
    assert classified(429, error("x"), retry_after=value).retry_after is None


def test_hints() -> None:
    assert classified(401).hint == "Set OPENAI_API_KEY"
    assert "base_url" in (classified(302).hint or "")
    assert "https://api.example.org/v1" in (classified(404).hint or "")


def test_a_stream_that_ends_before_its_first_event_was_cut() -> None:
    assert classified(200, b": waiting\n\n", content_type="text/event-stream").kind == "truncated_stream"
