"""The settings there are: one schema for configuration, environment, task files and flags.

Every field is optional, since each layer says only some; `None` means that it does not say. A field's dotted name
(`budget.max_turns`) is its name everywhere. Sizes are bytes, times seconds, money US dollars.
"""

import functools
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from msgspec import Meta, Struct, structs

from loom_core.messages import JSON

Mode: TypeAlias = Literal["plan", "default", "auto"]
FilesMode: TypeAlias = Literal["off", "read", "write"]
StdinMode: TypeAlias = Literal["auto", "require", "ignore", "head"]
OutputFormat: TypeAlias = Literal["text", "json", "jsonl"]

Count: TypeAlias = Annotated[int, Meta(ge=1, le=2**53)]
Size: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=1e9)]
Dollars: TypeAlias = Annotated[float, Meta(gt=0)]


class Input(Struct, frozen=True, kw_only=True):
    """What comes with the goal as data."""

    stdin: StdinMode | None = None
    stdin_max_bytes: Size | None = None
    files: tuple[str, ...] | None = None
    """Paths or globs; one that matches nothing is an error."""
    max_bytes: Size | None = None
    """Of all files together."""
    values: dict[str, JSON] | None = None


class Model(Struct, frozen=True, kw_only=True):
    """Which model answers, and how."""

    name: str | None = None
    """`provider:name`."""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_output_tokens: Count | None = None
    reasoning: Literal["off", "low", "medium", "high"] | Count | None = None
    """A level, or a budget in tokens."""
    seed: int | None = None
    timeout_s: Seconds | None = None
    """Between two bytes of an answer."""
    retries: Count | None = None
    """Tries in all."""
    base_url: str | None = None
    extensions: dict[str, JSON] | None = None
    """Fields added to the request as they are."""


class Files(Struct, frozen=True, kw_only=True):
    """The file tools."""

    mode: FilesMode | None = None
    deny: tuple[str, ...] | None = None
    """Globs of paths the tools never touch, besides the built-in ones."""


class Shell(Struct, frozen=True, kw_only=True):
    """The shell tool."""

    enabled: bool | None = None
    timeout_s: Seconds | None = None
    env: tuple[str, ...] | None = None
    """Names of variables a command inherits, besides the built-in ones."""


class Capabilities(Struct, frozen=True, kw_only=True):
    """Which tools there are."""

    files: Files = Files()
    shell: Shell = Shell()


class Governance(Struct, frozen=True, kw_only=True):
    """Which calls of them are allowed. Rules are `Tool(pattern)`."""

    mode: Mode | None = None
    allow: tuple[str, ...] | None = None
    ask: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    on_denied: Literal["continue", "stop"] | None = None
    """What a call does that needs an approval which nobody can give: tell the model, or stop the run."""
    max_calls: dict[str, Size] | None = None
    """Calls of each tool, by its name."""


class Budget(Struct, frozen=True, kw_only=True):
    """How much a run may use."""

    max_turns: Count | None = None
    max_tool_calls: Count | None = None
    max_tokens: Count | None = None
    max_cost_usd: Dollars | None = None
    timeout_s: Seconds | None = None


class SessionFields(Struct, frozen=True, kw_only=True):
    """Where the run is recorded."""

    save: bool | None = None
    id: str | None = None


class Output(Struct, frozen=True, kw_only=True):
    """Where the answer goes."""

    format: OutputFormat | None = None
    file: str | None = None
    append: bool | None = None


class Keys(Struct, frozen=True, kw_only=True):
    """Where keys come from."""

    cmd: tuple[str, ...] | None = None
    """A command (no shell) that prints the key of the provider whose name is appended to it."""


class InstructionsFile(Struct, frozen=True, kw_only=True):
    """Instructions that stand in a file of their own."""

    file: str


class Fields(Struct, frozen=True, kw_only=True):
    """Those that configuration, environment, task files and flags have in common."""

    instructions: str | InstructionsFile | None = None

    input: Input = Input()
    model: Model = Model()
    capabilities: Capabilities = Capabilities()
    governance: Governance = Governance()
    budget: Budget = Budget()
    session: SessionFields = SessionFields()
    output: Output = Output()
    keys: Keys = Keys()
    """Refused in a task file, since it names a command to run."""


class Param(Struct, frozen=True, kw_only=True):
    """A blank in a task's text."""

    type: Literal["string", "int", "float", "bool", "choice", "path", "json"] = "string"
    default: JSON = None
    """Left out: the parameter must be given."""
    choices: tuple[str, ...] | None = None
    description: str = ""


class Task(Fields, frozen=True, kw_only=True):
    """A task file; or what flags or the environment say of one."""

    schema: Literal[1] | None = None
    name: str | None = None
    description: str | None = None
    goal: str | None = None
    criteria: tuple[str, ...] | None = None
    params: dict[str, Param] | None = None
    extensions: dict[str, JSON] | None = None
    """The only free-form place."""


BUILT_IN = Fields(
    input=Input(stdin="auto", stdin_max_bytes=1024 * 1024, max_bytes=4 * 1024 * 1024),
    model=Model(timeout_s=120, retries=3),
    capabilities=Capabilities(files=Files(mode="read"), shell=Shell(enabled=False, timeout_s=60)),
    governance=Governance(mode="default", on_denied="stop"),
    budget=Budget(max_turns=40, max_tool_calls=200, timeout_s=1800),
    session=SessionFields(save=True),
    output=Output(format="text", append=False),
)

FLAGS = {
    "--instructions": "instructions",
    "--file": "input.files",
    "--input": "input.values",
    "--stdin": "input.stdin",
    "--model": "model.name",
    "--allow": "governance.allow",
    "--deny": "governance.deny",
    "--mode": "governance.mode",
    "--max-turns": "budget.max_turns",
    "--max-tokens": "budget.max_tokens",
    "--max-cost": "budget.max_cost_usd",
    "--timeout": "budget.timeout_s",
    "--session": "session.id",
    "--output": "output.file",
    "--append": "output.append",
    "--format": "output.format",
}
"""The fields that have an option of their own. The others are said with `--set`."""

SHORTHANDS: dict[str, tuple[str, JSON]] = {
    "--no-stdin": ("input.stdin", "ignore"),
    "--json": ("output.format", "json"),
    "--no-session": ("session.save", False),
}
"""Switches that say one value of a field."""

SETTING_OPTIONS = frozenset({*FLAGS, *SHORTHANDS, "--cap"})
"""All options that say settings, `--cap` (a grant by name) among them."""

NOT_YET = frozenset(
    {
        "capabilities.files.roots",
        "capabilities.mcp",
        "capabilities.shell.sandbox",
        "capabilities.skills",
        "capabilities.web",
        "context",
        "delegation",
        "gateway",
        "harness",
        "heartbeat",
        "knowledge",
        "model.fallback",
        "output.extract",
        "output.schema",
        "quality",
        "schedule",
        "session.restore",
    }
)
"""Fields of the format that this version cannot honour, so that it refuses a file that relies on them."""

_RULES = frozenset({"allow", "ask", "deny"})


def adds_up(key: str, value: object) -> bool:
    """Whether what several layers say of a dotted field holds together, not only what the highest says.

    Rules do, since one layer must not switch off another's; maps are merged by key.
    """
    return isinstance(value, dict) or key.rpartition(".")[2] in _RULES


S = TypeVar("S", bound=Struct)


@functools.cache
def fields_of(kind: type[Struct]) -> tuple[structs.FieldInfo, ...]:
    """The fields of a class with their types, read off its annotations once: that takes half a millisecond."""
    return structs.fields(kind)


def leaves(kind: type[Struct], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field that holds a value, by its dotted name, with its type."""
    for field in fields_of(kind):
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            yield from leaves(field.type, f"{prefix}{field.encode_name}.")
        else:
            yield prefix + field.encode_name, field.type


def value_of(fields: Struct, key: str) -> Any:
    """The value of a dotted field."""
    value: Any = fields
    for name in key.split("."):
        value = getattr(value, name)
    return value


def over(higher: S, lower: Struct) -> S:
    """Two layers as one: where the higher says nothing, what the lower says; both where that adds up."""
    common = [name for name in higher.__struct_fields__ if name in lower.__struct_fields__]
    return structs.replace(
        higher, **{name: _merged(name, getattr(higher, name), getattr(lower, name)) for name in common}
    )


def _merged(name: str, higher: Any, lower: Any) -> Any:
    if isinstance(higher, Struct) and isinstance(lower, Struct):
        return over(higher, lower)
    if higher is None or lower is None:
        return lower if higher is None else higher
    if not adds_up(name, lower):
        return higher
    return {**lower, **higher} if isinstance(lower, dict) else tuple(dict.fromkeys((*lower, *higher)))
