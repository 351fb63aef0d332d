"""What rules would have done on recorded data: which alerts would have fired, and how near it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.evaluation import Evaluation, EvaluationCounts
from logging_system.alerting.facts import Began, Ended, Labels, Restated
from logging_system.alerting.grouping import AlertLabels, Grouping, Moment
from logging_system.alerting.matching import Document, event_seconds
from logging_system.alerting.muting import Muting
from logging_system.alerting.rules.declared import Clock, DeclaredRule

_STEP_SECONDS = 1.0
_AFTER_SECONDS = 2 * 86_400.0
"""So long after the last record even the longest window is over."""


@dataclass(slots=True)
class Backtest:
    """What would have happened.

    Attributes:
        changes: Alerts that began and ended, in order.
        messages: How many notifications would have been made.
        counts: What became of the records.
        without_time: Records that say no time; they are left out.
    """

    changes: list[Began | Ended] = field(default_factory=list)
    messages: int = 0
    counts: EvaluationCounts = field(default_factory=EvaluationCounts)
    without_time: int = 0


def backtest(alerts: Alerts, documents: Iterable[Document]) -> Backtest:
    """Return what the rules would have done, had the records come in this order.

    Args:
        alerts: What is declared.
        documents: Records; time is the latest event time so far.
    """
    replay = _Replay(alerts)
    step_seconds = float("-inf")
    for document in documents:
        seconds = event_seconds(document)
        if seconds is None:
            replay.found.without_time += 1
            continue
        for moment in _steps(step_seconds, seconds):
            replay.step(moment)
        step_seconds = max(step_seconds, seconds)
        replay.evaluation.tell(document, Clock(step_seconds, step_seconds))
    for moment in _steps(step_seconds, step_seconds + _AFTER_SECONDS):
        replay.step(moment)
        if replay.is_over:
            break
    return replay.found


class _Replay:
    """Rules and grouping, at moments of event time."""

    def __init__(self, alerts: Alerts) -> None:
        self.evaluation = Evaluation(
            alerts.rules_in_force, lateness_seconds=alerts.lateness_seconds, series_max=alerts.series_max
        )
        self.found = Backtest(counts=self.evaluation.counts)
        known = {rule.name: AlertLabels(rule.severity, rule.runbook) for rule in alerts.rules_in_force}
        self._grouping = Grouping(alerts.times(), alerts.group_by, known, identity="backtest")

    def step(self, seconds: float) -> None:
        """Note what begins, ends and is told at a moment."""
        moment = Moment(seconds, seconds)
        for change in self.evaluation.changes(Clock(seconds, seconds)):
            if not isinstance(change, Restated):
                self.found.changes.append(change)
            self._grouping.note(change, (), moment)
        self.found.messages += len(self._grouping.due(moment, Muting()))

    @property
    def is_over(self) -> bool:
        """Whether nothing fires and nobody is to be told anything."""
        alerts = self._grouping.alerts.items()
        return not any(alert.is_firing or alert.is_told_firing or alert.untold for _, alert in alerts)


def _steps(start_seconds: float, end_seconds: float) -> Iterator[float]:
    """Yield the moments at which something may be due: each second at first, then more and more rarely."""
    if start_seconds == float("-inf"):
        return
    step_seconds, moment = _STEP_SECONDS, start_seconds
    while moment < end_seconds:
        yield moment
        moment += step_seconds
        if moment - start_seconds > 3_600:
            step_seconds = 60.0


def explain(rule: DeclaredRule, alerts: Alerts, documents: Iterable[Document]) -> list[tuple[Labels, str]]:
    """Return how near the records came to a rule's limit, for each alert that the rule tells apart.

    Args:
        rule: The rule.
        alerts: What is declared.
        documents: Records, in any order.
    """
    machine = rule.machine(lateness_seconds=float(10**9))
    known = 0
    for document in documents:
        seconds = event_seconds(document)
        labels = machine.series_of(document)
        if seconds is None or labels is None:
            continue
        if not machine.knows(labels):
            known += 1
            if known > alerts.series_max:
                continue
        machine.tell(labels, document, seconds)
    return machine.explanation()
