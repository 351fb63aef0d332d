"""Writes what is generated of docs/reference/alerts.md, and the JSON Schema of the file, from the models.

python -m logging_system.alerting.reference docs/reference/alerts.md docs/reference/schemas/alerts.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from logging_system.alerting.built_in import BUILT_IN
from logging_system.alerting.burn_rate import PAGES, BurnWindows
from logging_system.alerting.channels import Channel
from logging_system.alerting.channels.declared import Secret
from logging_system.alerting.declaration import Alerts, DeclaredFindings, DeclaredInhibition
from logging_system.alerting.matching import RecordMatch
from logging_system.alerting.measures import MEASURES
from logging_system.alerting.rules import Rule
from logging_system.alerting.rules.declared import DeclaredRule
from logging_system.alerting.rules.delivery_slo import DeliverySlo
from logging_system.alerting.rules.finding import FindingRule
from logging_system.alerting.rules.performance import Performance
from logging_system.alerting.rules.pipeline_event import PipelineEvent
from logging_system.alerting.rules.rate_change import RateChange
from logging_system.config.reference import updated

_BUILT_IN_WORDS = (
    "These are on beside the rules of the file, unless it says `built_in: false` or names them in "
    "`without`. A rule of the file with the same name replaces one. Each example is run by a test."
)
_MEASURES_WORDS = (
    "What the rule `performance` compares, taken every 5 s. What cannot be measured is left out: nothing "
    "about delivery, for example, where no shipper has written its status file into the spool folder. "
    "Delivered means that the store has taken a record; it is searchable after the store's next refresh, "
    "1 s later by default."
)
_HEAD = "| name | default | meaning |\n| --- | --- | --- |\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules and channels of alerts",
        **Alerts.model_json_schema(),
    }


def schema_text() -> str:
    """Return the JSON Schema as its file has it."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


def page(before: str) -> str:
    """Return docs/reference/alerts.md made again; raises as `updated`.

    Args:
        before: The page as it is now: what stands outside the marks of the generated part is kept.
    """
    return updated(before, "\n" + "\n".join(_sections()), place_of="tables belong")


def _sections() -> Iterator[str]:
    yield f"## The file\n\n{_table(Alerts)}"
    yield f"## Built-in rules\n\n{_BUILT_IN_WORDS}\n\n{_built_in()}"
    yield f"## Measures\n\n{_MEASURES_WORDS}\n\n{_measures()}"
    yield f"## `match`: which records\n\n{_table(RecordMatch)}"
    for model in _models(Rule):
        yield f"## Rule `{_kind(model)}`\n\n{_words(model)}\n\n{_table(model)}"
    yield f"## `windows` of `delivery_slo` and `error_slo`\n\n{_words(BurnWindows)}\n\n{_table(BurnWindows)}"
    for model in _models(Channel):
        yield f"## Channel `{_kind(model)}`\n\n{_words(model)}\n\n{_table(model)}"
    yield f"## Where a secret is\n\n{_words(Secret)}\n\n{_table(Secret)}"
    yield f"## `findings`\n\n{_words(DeclaredFindings)}\n\n{_table(DeclaredFindings)}"
    yield f"## `inhibit`\n\n{_words(DeclaredInhibition)}\n\n{_table(DeclaredInhibition)}"


def _built_in() -> str:
    rows = (
        f"| `{each.rule.name}` | {_limit_of(each.rule)} | {each.rule.severity} | {each.fires.words} "
        f"| {each.is_quiet.words} |\n"
        for each in BUILT_IN
    )
    return "| rule | when | severity | fires | does not |\n| --- | --- | --- | --- | --- |\n" + "".join(rows)


def _limit_of(rule: DeclaredRule) -> str:
    if isinstance(rule, Performance):
        side = "less" if MEASURES[rule.measure].is_low_bad else "more"
        held = f" for {rule.hold_seconds:g} s" if rule.hold_seconds else ""
        return f"`{rule.measure}` {side} than {rule.limit:g}{held}"
    if isinstance(rule, PipelineEvent):
        return f"{', '.join(f'`{kind}`' for kind in rule.events)}"
    if isinstance(rule, FindingRule):
        kinds = ", ".join(f"`{kind.value}`" for kind in rule.kinds)
        return f"a finding {kinds} of confidence {rule.confidence_min:.0%} or more"
    if isinstance(rule, DeliverySlo):
        rates = " or ".join(
            f"{each.rate:g} times over {each.long_seconds / 3600:g} h and {each.short_seconds / 60:g} min"
            for each in rule.windows
        )
        return f"burn rate of {rule.objective:.1%} within {rule.within_seconds:g} s: {rates}"
    if isinstance(rule, RateChange):
        more = f"{rule.factor:g} times the usual rate and {rule.records_min} more"
        return f"records with `{rule.match.message}`: {more}"
    raise TypeError(f"{rule.name}: say here how a built-in rule of this kind is shown")


def _measures() -> str:
    rows = (f"| `{name}` | {each.what} | {each.source} |\n" for name, each in MEASURES.items())
    return "| measure | what it is | where it comes from |\n| --- | --- | --- |\n" + "".join(rows)


def _models(union: Any) -> list[type[BaseModel]]:
    inner = get_args(union)
    return list(get_args(inner[0])) or [union] if inner else [union]


def _kind(model: type[BaseModel]) -> str:
    return str(model.model_fields["kind"].default)


def _words(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _table(model: type[BaseModel]) -> str:
    rows = (_row(name, field) for name, field in model.model_fields.items() if name != "kind")
    return _HEAD + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    default = "" if field.is_required() else _default(field.default)
    needed = " (required)" if field.is_required() else ""
    return f"| `{name}`{needed} | {default} | {field.description} |\n"


def _default(value: object) -> str:
    if value == PAGES:
        return "1 h and 5 min at 14.4; 6 h and 30 min at 6"
    if value is None or value in ({}, ()) or value == "" or isinstance(value, BaseModel):
        shown = value.model_dump(exclude_defaults=True) if isinstance(value, BaseModel) else None
        return f"`{json.dumps(shown)}`" if shown else ""
    if isinstance(value, tuple) and isinstance(value[0], BaseModel):
        return "see above"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(schema_text() if path.suffix == ".json" else page(path.read_text()))
        print(path)
