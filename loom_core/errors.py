"""Every error loom raises on purpose.

    LoomError                       1  internal_error
    ├── UsageError                  2  usage
    │   ├── ConfigError             2  config
    │   ├── TaskFileError           2  task_file
    │   ├── InputError              2  input
    │   └── SessionNotFound         2  session_not_found
    ├── NoModel                     4  no_model
    ├── ProviderError               1  provider_error
    │   ├── AuthenticationFailed    4  authentication_failed
    │   ├── RateLimited            75  rate_limited
    │   ├── ProviderUnavailable    75  provider_unavailable
    │   ├── BadRequest              1  bad_request
    │   ├── ContextTooLong          1  context_too_long
    │   ├── ContentRefused          1  content_refused
    │   └── BadResponse             1  bad_response
    ├── ToolError                   1  tool_error
    ├── BudgetExhausted             5  budget_exhausted
    ├── ApprovalUnavailable         6  approval_unavailable
    ├── SessionError                1  session_error
    │   ├── SessionClosed           1  session_closed
    │   ├── SessionLocked           2  session_locked
    │   └── SessionTooNew           2  session_too_new
    └── StorageError               74  cannot_write

The number is the exit code of a program that ends with the error, the word its stable `code` in JSON. Exit codes
follow sysexits where it has one (74 EX_IOERR, 75 EX_TEMPFAIL). Errors of libraries are mapped to these at one seam
each: HTTP in `providers/http.py`, files in `runtime/session_store.py`.
"""

from typing import ClassVar


class LoomError(Exception):
    """Base of all. `str(error)` says what and where; `hint` says what to do about it."""

    code: ClassVar[str] = "internal_error"
    exit_code: ClassVar[int] = 1
    retryable: bool = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(LoomError):
    """The caller asked for something that cannot be: a flag, an argument, a combination."""

    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    """A configuration file or environment variable holds something unusable."""

    code = "config"


class TaskFileError(UsageError):
    """A task file does not say what it must; the message lists every fault found in it."""

    code = "task_file"


class InputError(UsageError):
    """Data handed in (stdin, `--file`, `--input`) cannot be used."""

    code = "input"


class SessionNotFound(UsageError):
    """No session has this id, or more than one has this prefix."""

    code = "session_not_found"


class NoModel(LoomError):
    """No model is configured and none was found; the hint names every way out."""

    code = "no_model"
    exit_code = 4


class ProviderError(LoomError):
    """A model service failed.

    `kind` is the finer classification, by default that of the class: auth, permission, not_found, bad_request,
    context_overflow, request_too_large, content_filter, rate_limit, quota_exhausted, overloaded, server, timeout,
    connection, truncated_stream, protocol.
    `status` is the HTTP status, where there was one. `retry_after` is in seconds, where the service named it.
    """

    code = "provider_error"
    default_kind: ClassVar[str] = "server"

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        hint: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind or self.default_kind
        self.status = status
        self.retry_after = retry_after


class AuthenticationFailed(ProviderError):
    """The key is missing, refused, or not allowed to do this. Kinds auth, permission."""

    code = "authentication_failed"
    default_kind = "auth"
    exit_code = 4


class RateLimited(ProviderError):
    """Too many requests, or (kind quota_exhausted, not retryable) no credit left."""

    code = "rate_limited"
    default_kind = "rate_limit"
    exit_code = 75

    @property
    def retryable(self) -> bool:  # type: ignore[override]  # a fact of the instance here, of the class elsewhere
        """Whether waiting helps; an exhausted quota does not come back within a run."""
        return self.kind != "quota_exhausted"


class ProviderUnavailable(ProviderError):
    """The service cannot be reached or is down. Kinds overloaded, server, timeout, connection."""

    code = "provider_unavailable"
    exit_code = 75
    retryable = True


class BadRequest(ProviderError):
    """The service refuses the request as it stands. Kinds bad_request, not_found, request_too_large."""

    code = "bad_request"
    default_kind = "bad_request"


class ContextTooLong(ProviderError):
    """The request exceeds the model's context window. Kind context_overflow."""

    code = "context_too_long"
    default_kind = "context_overflow"


class ContentRefused(ProviderError):
    """The service's content filter stopped the answer. Kind content_filter."""

    code = "content_refused"
    default_kind = "content_filter"


class BadResponse(ProviderError):
    """The answer breaks its own protocol or ends before its terminal marker. Kinds protocol, truncated_stream."""

    code = "bad_response"
    default_kind = "protocol"


class ToolError(LoomError):
    """A tool could not do what it was asked; the text goes to the model as an error result."""

    code = "tool_error"


class BudgetExhausted(LoomError):
    """A limit of turns, tokens, money, calls or time was reached."""

    code = "budget_exhausted"
    exit_code = 5


class ApprovalUnavailable(LoomError):
    """An approval was needed and nobody can give it; the hint names the rule or flag that would allow the call."""

    code = "approval_unavailable"
    exit_code = 6


class SessionError(LoomError):
    """A session cannot do what was asked."""

    code = "session_error"


class SessionClosed(SessionError):
    """The session object was closed; ask its agent for a fresh one on the same log."""

    code = "session_closed"


class SessionLocked(SessionError):
    """Another process is writing this session."""

    code = "session_locked"
    exit_code = 2


class SessionTooNew(SessionError):
    """The log was written by a newer loom with another schema version; it can be read raw but not continued."""

    code = "session_too_new"
    exit_code = 2


class StorageError(LoomError):
    """A log, blob, state or output file cannot be written."""

    code = "cannot_write"
    exit_code = 74
