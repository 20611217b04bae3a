"""What the schema cannot say of the settings: that rules can be read, and that a model is named with its provider."""

from collections.abc import Iterator, Sequence

from loom_cli.fields import Fields, Governance
from loom_cli.suggest import suggestion
from loom_cli.validation import Fault

_RULES = ("allow", "ask", "deny")
_TOOLS = ("Read", "Write", "Edit", "Glob", "Grep", "Shell", "Bash")


def setting_faults(fields: Fields) -> Iterator[Fault]:
    """The faults in what is right by the schema."""
    if fields.model.name is not None:
        yield from (Fault(("model", "name"), complaint) for complaint in _model_complaints(fields.model.name))
    for kind in _RULES:
        yield from (Fault(("governance", kind), complaint) for complaint in _complaints(_said(fields.governance, kind)))


def rule_warnings(governance: Governance) -> Iterator[str]:
    """A line on each rule that names no tool there is. It is no fault: the tool may come with another version."""
    for kind in _RULES:
        for rule in _said(governance, kind):
            tool = rule.partition("(")[0].strip()
            if not _is_tool(tool.lower()):
                hint = suggestion(tool, _TOOLS) or f"there are {', '.join(_TOOLS)}"
                yield f"the {kind} rule {rule} names no tool; {hint}"


def _is_tool(name: str) -> bool:
    return name.endswith("*") or name.startswith("mcp__") or name in map(str.lower, _TOOLS)


def _said(governance: Governance, kind: str) -> tuple[str, ...]:
    return getattr(governance, kind) or ()


def _complaints(rules: Sequence[str]) -> Iterator[str]:
    if not rules:
        return
    from loom_core.safety.rules import Rule  # needed once there is a rule

    for rule in rules:
        try:
            Rule.parse(rule)
        except ValueError as error:
            yield str(error)


def _model_complaints(name: str) -> Iterator[str]:
    from loom_core.providers.catalog import PROVIDERS
    from loom_core.providers.model import Model

    try:
        provider = Model.parse(name).provider
    except ValueError as error:
        yield str(error).removeprefix("model: ")
        return
    if provider not in PROVIDERS:
        hint = suggestion(provider, PROVIDERS) or f"there are {', '.join(PROVIDERS)}"
        yield f"no provider {provider!r}; {hint}"
