"""The settings there are: one schema for configuration, environment, task files and flags.

Every field is optional, since each layer says only some; `None` means that it does not say. A field's dotted name
(`budget.max_turns`) is its name everywhere. Sizes are bytes, times seconds, money US dollars.
"""

from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from msgspec import Meta, Struct, structs

from loom_core.messages import JSON

Mode: TypeAlias = Literal["plan", "default", "auto"]
FilesMode: TypeAlias = Literal["off", "read", "write"]
StdinMode: TypeAlias = Literal["auto", "require", "ignore", "head"]
OutputFormat: TypeAlias = Literal["text", "json", "jsonl"]

Count: TypeAlias = Annotated[int, Meta(ge=1)]
Size: TypeAlias = Annotated[int, Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0)]
Dollars: TypeAlias = Annotated[float, Meta(ge=0)]


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
    roots: tuple[str, ...] | None = None
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
    max_tool_calls: Size | None = None
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


class Fields(Struct, frozen=True, kw_only=True):
    """All of them."""

    input: Input = Input()
    model: Model = Model()
    capabilities: Capabilities = Capabilities()
    governance: Governance = Governance()
    budget: Budget = Budget()
    session: SessionFields = SessionFields()
    output: Output = Output()


BUILT_IN = Fields(
    input=Input(stdin="auto", stdin_max_bytes=1024 * 1024, max_bytes=4 * 1024 * 1024),
    model=Model(timeout_s=120, retries=3),
    capabilities=Capabilities(files=Files(mode="read", roots=(".",)), shell=Shell(enabled=False, timeout_s=60)),
    governance=Governance(mode="default", on_denied="stop"),
    budget=Budget(max_turns=40, max_tool_calls=200, timeout_s=1800),
    session=SessionFields(save=True),
    output=Output(format="text", append=False),
)

FLAGS = {
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

_RULES = frozenset({"allow", "ask", "deny"})

S = TypeVar("S", bound=Struct)


def over(higher: S, lower: S) -> S:
    """Two layers as one: what the higher does not say is as the lower says.

    Rules of both hold, since a later layer must not switch off an earlier one's; maps are merged by key.
    """
    return structs.replace(higher, **{name: _one(name, getattr(higher, name), getattr(lower, name))
                                      for name in lower.__struct_fields__})


def _one(name: str, higher: Any, lower: Any) -> Any:
    if isinstance(lower, Struct):
        return over(higher, lower)
    if higher is None or lower is None:
        return lower if higher is None else higher
    if name in _RULES:
        return tuple(dict.fromkeys((*lower, *higher)))
    return {**lower, **higher} if isinstance(lower, dict) else higher
