"""The rules that ship switched on, each with an example that fires and one that does not.

The table is documentation and test at once: docs/reference/alerts.md shows it, a test runs each example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from logging_system.alerting.matching import RecordMatch
from logging_system.alerting.measures import MeasureName, delivered_within, measured
from logging_system.alerting.rules import Rule
from logging_system.alerting.rules.delivery_slo import DeliverySlo
from logging_system.alerting.rules.finding import FindingRule
from logging_system.alerting.rules.performance import Performance
from logging_system.alerting.rules.pipeline_event import PipelineEvent
from logging_system.alerting.rules.rate_change import RateChange
from logging_system.coordination.findings import FindingKind

Told = tuple[float, Mapping[str, object]]
"""How long something goes on, in seconds, and what rules are told all that time, every 5 s."""


@dataclass(frozen=True, slots=True)
class Example:
    """Something that happens.

    Attributes:
        words: What, for people.
        told: What rules are told, one after the other.
    """

    words: str
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A rule that ships switched on.

    Attributes:
        rule: The rule.
        fires: What makes it fire.
        is_quiet: What is near it and does not.
    """

    rule: Rule
    fires: Example
    is_quiet: Example


def _measure(
    name: str,
    measure: MeasureName,
    limit: float,
    *,
    hold_seconds: float = 60.0,
    severity: str = "warning",
    bad: float,
    good: float,
) -> BuiltIn:
    """Return a rule on a measure: bad for twice its time fires, bad for half of it and then good does not."""
    rule = Performance.model_validate(
        {
            "name": name,
            "measure": measure,
            "limit": limit,
            "hold_seconds": hold_seconds,
            "severity": severity,
        }
    )
    if not hold_seconds:
        fires = Example(f"{bad:g} once", ((5, measured(measure, bad)),))
        return BuiltIn(rule, fires, Example(f"{good:g} for 60 s", ((60, measured(measure, good)),)))
    half, twice = hold_seconds / 2, hold_seconds * 2
    fires = Example(f"{bad:g} for {twice:g} s", ((twice, measured(measure, bad)),))
    told = ((half, measured(measure, bad)), (twice, measured(measure, good)))
    return BuiltIn(rule, fires, Example(f"{bad:g} for {half:g} s, then {good:g}", told))


def _event(name: str, severity: str, *events: str) -> BuiltIn:
    rule = PipelineEvent.model_validate({"name": name, "events": events, "severity": severity})
    bad = {"event": {"action": events[0]}, "log": {"level": "warning"}}
    good = {"event": {"action": "store_available"}, "log": {"level": "warning"}}
    return BuiltIn(
        rule,
        Example(f"`{events[0]}` once", ((5, bad),)),
        Example("`store_available` once", ((5, good),)),
    )


def _finding(name: str, severity: str, *kinds: FindingKind) -> BuiltIn:
    rule = FindingRule.model_validate(
        {"name": name, "kinds": kinds, "severity": severity, "confidence_min": 0.5}
    )
    told = {
        "subject": "store",
        "cause": "unknown",
        "since_seconds": 0.0,
        "until_seconds": None,
        "summary": "Something changed.",
    }
    sure, unsure = ({"finding": {**told, "kind": kinds[0], "confidence": each}} for each in (0.9, 0.4))
    return BuiltIn(
        rule,
        Example(f"a finding `{kinds[0].value}` for 60 s", ((60, sure),)),
        Example("the same at 40 % confidence", ((60, unsure),)),
    )


_OLD = Example("1 of 5 records not in time, for 10 min", ((600, delivered_within(30.0, 4, 1)),))
_IN_TIME = Example(
    "1 of 5 records not in time for 60 s, after 2 h with all in time",
    ((7_200, delivered_within(30.0, 100, 0)), (60, delivered_within(30.0, 4, 1))),
)
_MASKED = {"message": "paid by [masked:card]", "service": {"name": "checkout"}}
_SPIKE = Example(
    "a hit every 5 s for 11 min, then 300 within 5 s", ((660, _MASKED), *((0.0, _MASKED),) * 300)
)
_STEADY = Example("a hit every 5 s for 30 min", ((1_800, _MASKED),))

BUILT_IN: tuple[BuiltIn, ...] = (
    _measure("slow_log_calls", "log_call_p99_ms", 5, bad=20, good=0.1),
    _measure("queue_filling", "queue_fill", 0.8, hold_seconds=30, bad=0.95, good=0.4),
    _measure("spool_filling", "spool_fill", 0.8, bad=0.85, good=0.5),
    _measure("spool_full_soon", "spool_hours_left", 4, hold_seconds=300, bad=2, good=100),
    _measure("delivery_behind", "oldest_record_seconds", 300, bad=400, good=2),
    _measure(
        "records_dropping", "drop_share", 0.001, hold_seconds=0, severity="critical", bad=0.01, good=0.0005
    ),
    _measure("store_pushing_back", "push_back_share", 0.5, hold_seconds=300, bad=0.9, good=0.1),
    _measure("delivery_slow", "delivery_p99_seconds", 30, hold_seconds=300, bad=45, good=1),
    BuiltIn(DeliverySlo(name="delivery_slo", severity="critical"), _OLD, _IN_TIME),
    _event("records_lost", "critical", "spool_full", "dead_letters_written", "spool_unwritable"),
    _event("key_trouble", "critical", "key_unavailable", "key_trouble"),
    _finding(
        "finding_critical",
        "critical",
        FindingKind.STORE_UNREACHABLE,
        FindingKind.DISK_FILLING,
        FindingKind.KEY_TROUBLE,
    ),
    _finding(
        "finding_warning",
        "warning",
        FindingKind.NEW_ERROR,
        FindingKind.PUSH_BACK,
        FindingKind.LATENCY_SHIFT,
        FindingKind.SILENCE,
        FindingKind.DUPLICATES,
    ),
    _finding("finding_info", "info", FindingKind.SPIKE, FindingKind.DROP),
    BuiltIn(
        RateChange(
            name="masking_spike",
            match=RecordMatch(message="[masked:"),
            factor=5,
            records_min=100,
            severity="warning",
        ),
        _SPIKE,
        _STEADY,
    ),
)
"""The rules, in the order in which the page shows them."""
