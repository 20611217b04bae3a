"""From what a service says went wrong to the one typed error for it.

Services agree on little: the error is an object, a text or a list of one, its code a word, a number or nothing, and
the status may be 200. The same function therefore reads error bodies and errors in the middle of a stream.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

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
from loom_core.messages import JSON
from loom_core.providers.service import Service

_TEXT_LIMIT = 500
"""Characters of a service's own words in an error."""

# Patterns stay text until the first error: compiling them takes 2 ms of every start.
_OVERFLOW = (
    r"context[_ ](length|size|window)[_ ](was )?exceeded|exceed_context_size|model_context_window_exceeded"
    r"|prompt is too long|exceed context limit"  # Anthropic, for the input alone and with max_tokens
    r"|exceeds? the (model'?s? )?(available )?(context (window|size|length)|maximum context)"  # OpenAI, llama.cpp
    r"|(maximum|max) (context|prompt) length is \d+"  # vLLM, OpenRouter, xAI
    r"|too large for model with \d+ maximum context"  # Mistral
    r"|greater than the context length"  # LM Studio
    r"|reduce the length of the (messages|prompt)"  # Groq
    r"|context window exceeds limit"  # MiniMax
    r"|exceeded model token limit"  # Kimi
    r"|input is too long for requested model"  # Bedrock
    r"|input token count.{0,40}exceeds the maximum"  # Gemini behind a compatible route
    r"|range of input length should be"  # Qwen
)
_QUOTA = (
    r"insufficient[_ ](quota|balance|credits?)|exceeded your current quota|credit balance is too low"
    r"|billing_(hard_limit|not_active|error)|quota_exceeded|requires more credits"
)
_FILTERED = r"content_filter|content_policy_violation|data_inspection_failed|responsibleaipolicyviolation"

_STATUS_OF_WORD: Mapping[str, int] = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "invalid_authentication": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "timeout_error": 408,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "throttling": 429,
    "overloaded_error": 529,
    "engine_overloaded": 529,
    "unavailable_error": 503,
    "invalid_request_error": 400,
    "invalid_parameter_error": 400,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
}
"""The status a service would have sent, by the words of its errors, for errors that come without one."""


class _Fault(NamedTuple):
    """What of an error all services express somehow."""

    message: str
    words: tuple[str, ...]
    """Its type and code, lower case."""
    code: int | None = None
    """Its code, where that is an error status."""


def from_response(service: Service, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The error for a response that is no stream: an error status, or a body that holds no event."""
    if 300 <= status < 400:
        return BadResponse(
            f"{service.host} answered with a redirect ({status}), which is not followed because the key would go along",
            status=status,
            hint="Set base_url to the address the service is really at.",
        )
    payload = _json(body)
    if payload is not None and (status >= 400 or has_error(payload)):
        return from_payload(service, payload, status=status, headers=headers)
    text = _page_text(service.conceal(body.decode("utf-8", "replace")))
    if status >= 400:
        return _typed(service, _Fault(message=text, words=()), status, headers)
    what = "an empty body" if not body.strip() else f"no event stream but {text!r}"
    streamed = "text/event-stream" in headers.get("content-type", "")
    kind = "truncated_stream" if streamed else "protocol"
    return BadResponse(f"{service.host} answered {status} with {what}", kind=kind, status=status)


def from_payload(
    service: Service, payload: JSON, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> ProviderError:
    """The error for decoded JSON, from an error body or from the middle of a stream."""
    fault = _read(payload)
    if status is None or status < 400:
        status = fault.code or next((_STATUS_OF_WORD[word] for word in fault.words if word in _STATUS_OF_WORD), 500)
    return _typed(service, fault, status, headers or {})


def has_error(payload: JSON) -> bool:
    """Whether decoded JSON is an error in one of the shapes seen."""
    if isinstance(payload, list):
        return len(payload) == 1 and has_error(payload[0])
    return isinstance(payload, dict) and (bool(payload.get("error")) or payload.get("type") == "error")


def _typed(service: Service, fault: _Fault, status: int, headers: Mapping[str, str]) -> ProviderError:
    said = _shorten(service.conceal(fault.message))
    message = f"{service.host}: {said}" if said else f"{service.host} answered with status {status}"
    searched = " ".join((fault.message, *fault.words))
    retry_after = _retry_after(headers)
    if "tool_use_failed" in fault.words:
        return BadResponse(message, status=status)
    if _says(_FILTERED, searched):
        return ContentRefused(message, status=status)
    if status == 402 or _says(_QUOTA, searched):
        return RateLimited(
            message, kind="quota_exhausted", status=status, hint="Add credit there, or choose another model."
        )
    if status == 429:
        hint = None if retry_after is None else f"The service asks to wait {retry_after:g} s."
        return RateLimited(message, status=status, retry_after=retry_after, hint=hint)
    if _says(_OVERFLOW, searched) or (status == 413 and "request_too_large" not in fault.words):
        return ContextTooLong(message, status=status)
    if status in (401, 403):
        kind = "auth" if status == 401 else "permission"
        return AuthenticationFailed(message, kind=kind, status=status, hint=service.key_hint or None)
    if status in (408, 504):
        return ProviderUnavailable(message, kind="timeout", status=status, retry_after=retry_after)
    if status in (503, 529) or "overloaded_error" in fault.words:
        return ProviderUnavailable(message, kind="overloaded", status=status, retry_after=retry_after)
    if status >= 500:
        return ProviderUnavailable(message, kind="server", status=status, retry_after=retry_after)
    return _refused(service, message, status)


def _says(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _refused(service: Service, message: str, status: int) -> BadRequest:
    if status == 404:
        hint = f"Check the model's name, and the address: requests go to {service.base_url}."
        return BadRequest(message, kind="not_found", status=status, hint=hint)
    return BadRequest(message, kind="request_too_large" if status == 413 else "bad_request", status=status)


def _read(payload: JSON) -> _Fault:
    if isinstance(payload, list):
        payload = payload[0] if payload else None
    outer = payload if isinstance(payload, dict) else {}
    error = outer.get("error") or payload
    if not isinstance(error, dict):
        return _Fault(message=str(error or ""), words=_words(outer))
    message = error.get("message") or error.get("detail") or outer.get("message") or ""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None  # OpenRouter: what the provider behind it said
    text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
    code = error.get("code")
    return _Fault(
        message=f"{text}: {raw}" if isinstance(raw, str) and raw else text,
        words=_words(error) + (() if error is outer else _words(outer)),
        code=code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else None,
    )


def _words(error: Mapping[str, JSON]) -> tuple[str, ...]:
    found = (error.get("type"), error.get("code"), error.get("status"))
    return tuple(word.lower() for word in found if isinstance(word, str) and word.lower() != "error")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `retry-after-ms` (OpenAI), else `retry-after`, in seconds or (RFC 9110) as a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return _until(headers.get("retry-after", ""))


def _until(date: str) -> float | None:
    if not date.endswith("GMT"):
        return None
    import time
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return None


def _json(body: bytes) -> JSON:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _page_text(text: str) -> str:
    """The words of a body that is no JSON: of an HTML page its title."""
    title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
    return _shorten(title[1] if title else re.sub(r"<[^>]*>", " ", text))


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"
