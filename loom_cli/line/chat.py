"""A chat on a terminal: prompts in, runs out, and a person who can speak, answer and stop at any moment."""

import asyncio
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from loom_cli.invocation import Invocation
from loom_cli.line import slash
from loom_cli.line.blocks import MarkdownBlocks
from loom_cli.line.history import append_history, load_history
from loom_cli.line.interrupts import AGAIN_S, Interrupts
from loom_cli.line.markdown import MarkdownRenderer
from loom_cli.line.narrator import Narrator, note
from loom_cli.line.paint import Line, Span, line, paint
from loom_cli.line.questions import CHOICES, Questions, question
from loom_cli.line.recap import recap
from loom_cli.line.screen import Screen
from loom_cli.line.status import Status
from loom_cli.line.view import View
from loom_core import __version__
from loom_core.agent import Agent
from loom_core.events import ApprovalAnswer, Event, ModelDelta, ModelResponse, StreamRestarted, UserMessage
from loom_core.messages import JSON, Text
from loom_core.runtime.approvals import Approval, Approver
from loom_core.runtime.run import Run, RunContext, RunResult
from loom_core.runtime.session import Session

_TICK_S = 1.0
"""While a run goes on the seconds it took are shown; an idle chat has no timer."""
_IDLE = "ask for something, / for commands, @ for files"
_BUSY = "say something to the model; it is told at its next turn"
