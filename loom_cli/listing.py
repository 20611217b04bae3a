"""Listings: columns for a person, tab-separated records for a program, one array with `--json`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, TypeAlias

import typer

from loom_cli.output import STDOUT, write_out
from loom_cli.wrapping import wrapped
from loom_core.events import encode
from loom_core.messages import JSON
from loom_core.safety.text import visible

AsJSON: TypeAlias = Annotated[bool, typer.Option("--json", help="one JSON array", rich_help_panel="Output")]


def write_records(records: Sequence[Mapping[str, JSON]], as_json: bool) -> None:
    """Print the records. Piped, each is one line without header or truncation."""
    if as_json:
        write_out(encode(list(records)).decode() + "\n")
        return
    rows = [[_cell(value) for value in record.values()] for record in records]
    if os.isatty(STDOUT):
        rows = _aligned(rows)
    write_out(wrapped("".join("\t".join(row) + "\n" for row in rows), STDOUT))


def _aligned(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Each row as one text with its columns below each other."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()] for row in rows]


def _cell(value: JSON) -> str:
    """A value on one line: what would end the cell or the line, or steer a terminal, is escaped."""
    text = value if isinstance(value, str) else encode(value).decode()
    return visible(text).replace("\t", "\\t").replace("\n", "\\n")
