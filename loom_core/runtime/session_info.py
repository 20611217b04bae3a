"""What a listing says of a session: a fold over its log, kept in `session.toml` so that the log need not be read.

The file is a cache. It says how much of the log it covers; what came after is read from there, and where the file is
missing, damaged or ahead of the log, all of it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, Unpack

import msgspec
from msgspec.structs import replace

from loom_core.events import (
    Event,
    ModelResponse,
    RunEnd,
    RunStart,
    SessionStart,
    SessionTitle,
    UserMessage,
    encode,
    from_json,
)
from loom_core.runtime.private_files import replace_file
from loom_core.runtime.session_reader import EventReader, read_lines

LOG_NAME = "events.jsonl"
INFO_NAME = "session.toml"
_TITLE_LENGTH = 80


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A session at a glance."""

    id: str
    title: str = ""
    """As given, or the beginning of the first message."""
    created: str = ""
    """UTC, ISO 8601; likewise `updated`, the time of the last write."""
    updated: str = ""
    cwd: str = ""
    """Where the last run worked, or where the session was made."""
    model: str = ""
    """`"provider:name"` of the last run."""
    parent: str = ""
    state: str = "idle"
    """idle (no run yet), running (open in process `pid`), crashed (its process died in a run), or how the last run
    ended: completed, failed, cancelled."""
    stop_reason: str = ""
    """Of the last run that ended."""
    turns: int = 0
    """Answers of models; tokens and cost are the sums over these, what a service did not say counted as nothing."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """None where no price was known."""
    pid: int | None = None
    """Process that has the session open."""
    log_bytes: int = 0
    """How much of the log all this covers."""
