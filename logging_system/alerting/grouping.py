"""Which alerts are told, when, and with which others: Alertmanager's semantics; no thread, file or clock.

A group is the alerts that share the labels of `group_by`. Its first notification waits `group_wait`, so
that alerts that begin together are told together; later ones are `group_interval` apart. An alert is told as
firing at most once in `repeat_interval`, its cooldown: while it goes on it is told again after that; where
it ended and began again in between it is told then, with how often. Nothing that began is left out, except
what is silenced, inhibited or acknowledged.

All times here are of a clock that only goes forward, also across restarts; event times are passed through.

https://prometheus.io/docs/alerting/latest/configuration/#route-related-settings
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from logging_system.alerting.facts import (
    AlertNotice,
    Began,
    Ended,
    Labels,
    Notification,
    fingerprint,
)
from logging_system.alerting.matching import query_of
from logging_system.alerting.muting import Muting

NOTICES_MAX = 100
"""Alerts that one notification names; it counts the others."""


@dataclass(frozen=True, slots=True)
class GroupingTimes:
    """When a group is told.

    Attributes:
        wait_seconds: How long a new group waits for more alerts.
        interval_seconds: Least time between two notifications of a group.
        repeat_seconds: Least time between two notices that one alert fires; while it does, also the most.
    """

    wait_seconds: float = 5.0
    interval_seconds: float = 60.0
    repeat_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class AlertLabels:
    """What an alert has beside what its rule found.

    Attributes:
        severity: As the rule declares it.
        runbook: A link; empty where none is declared.
        query: What the rule looks for, in KQL, without the alert's own labels; empty where nothing can be.
    """

    severity: str = "warning"
    runbook: str = ""
    query: str = ""


@dataclass(slots=True)
class Alert:
    """One alert, from when it first begins until it has been over for its cooldown.

    Attributes:
        rule: The rule's name.
        labels: What tells it from others of the rule.
        since_seconds: Event time at which it began the last time.
        until_seconds: Event time at which it last held; None while it fires.
        summary: One sentence with the numbers.
        examples: Lines that it was found in, masked.
        untold: How often it began and nobody was told.
        is_told_firing: Whether the last notice says that it fires.
        told_seconds: When it was last told as firing, by the forward clock; None for never.
        began_seconds: When it began the last time, by the forward clock.
    """

    rule: str
    labels: Labels
    since_seconds: float
    until_seconds: float | None = None
    summary: str = ""
    examples: tuple[str, ...] = ()
    untold: int = 0
    is_told_firing: bool = False
    told_seconds: float | None = None
    began_seconds: float = 0.0

    @property
    def is_firing(self) -> bool:
        """Whether its condition holds."""
        return self.until_seconds is None


_ALERT_FIELDS = tuple(each.name for each in fields(Alert))


@dataclass(slots=True)
class _Group:
    """When a group may be told next, by the forward clock."""

    labels: Labels
    open_seconds: float
    notifications: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """Two clocks at one moment.

    Attributes:
        forward_seconds: Only goes forward, also across restarts.
        wall_seconds: The time of day, which people and silences mean.
    """

    forward_seconds: float
    wall_seconds: float


class Grouping:
    """The alerts there are, and what was told of them.

    Args:
        times: When groups are told.
        group_by: The labels that make a group.
        known: Severity and runbook of each rule.
        identity: What makes the keys of this installation's notifications its own.
    """

    def __init__(
        self,
        times: GroupingTimes,
        group_by: Sequence[str],
        known: Mapping[str, AlertLabels],
        *,
        identity: str,
    ) -> None:
        self._times = times
        self._group_by = tuple(group_by)
        self._known = known
        self._identity = identity
        self._alerts: dict[str, Alert] = {}
        self._groups: dict[Labels, _Group] = {}
        self.muted = 0
        """Alerts that ended before anybody was told, because they were silenced or inhibited."""

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """The alerts, by fingerprint: those that fire, and those that ended within their cooldown."""
        return self._alerts

    def labels_of(self, alert: Alert) -> dict[str, str]:
        """Return all labels of an alert."""
        severity = self._known.get(alert.rule, AlertLabels()).severity
        return {**dict(alert.labels), "rule": alert.rule, "severity": severity}

    def began(self, change: Began, examples: Sequence[str], moment: Moment) -> None:
        """Take note that an alert begins."""
        mark = fingerprint(change.rule, change.labels)
        alert = self._alerts.setdefault(mark, Alert(change.rule, change.labels, change.since_seconds))
        if not alert.is_firing or not alert.untold:
            alert.since_seconds = change.since_seconds
        alert.until_seconds = None
        alert.summary, alert.examples = change.summary, tuple(examples)
        alert.untold += 1
        alert.began_seconds = moment.forward_seconds
        key = self._group_key(alert)
        if key not in self._groups:
            self._groups[key] = _Group(key, moment.forward_seconds + self._times.wait_seconds)

    def ended(self, change: Ended) -> None:
        """Take note that an alert's condition does not hold any more."""
        alert = self._alerts.get(fingerprint(change.rule, change.labels))
        if alert is not None and alert.is_firing:
            alert.until_seconds = max(change.until_seconds, alert.since_seconds)

    def forget_rules(self, kept: Iterable[str]) -> None:
        """End the alerts of rules that are not there any more, or begin anew."""
        keep = set(kept)
        for alert in self._alerts.values():
            if alert.rule not in keep and alert.is_firing:
                alert.until_seconds = alert.since_seconds

    def due(self, moment: Moment, muting: Muting) -> list[Notification]:
        """Return what is to be told now, and take note that it is.

        Args:
            moment: Now.
            muting: What people and rules hold back.
        """
        now_seconds = moment.forward_seconds
        members: dict[Labels, list[str]] = {}
        for mark, alert in self._alerts.items():
            members.setdefault(self._group_key(alert), []).append(mark)
        firing = self._firing_labels() if muting.inhibitions else []
        notifications = []
        for key, marks in members.items():
            group = self._groups.setdefault(key, _Group(key, now_seconds))
            if now_seconds < group.open_seconds:
                continue
            told = [each for each in marks if self._is_due(self._alerts[each], now_seconds)]
            told = [each for each in told if not self._is_muted(each, muting, firing, moment)]
            if told:
                notifications.append(self._notification(group, told, moment))
        self._forget(now_seconds, muting, firing, moment)
        return notifications

    def _firing_labels(self) -> list[Mapping[str, str]]:
        return [self.labels_of(alert) for alert in self._alerts.values() if alert.is_firing]

    def _is_due(self, alert: Alert, now_seconds: float) -> bool:
        if not alert.is_firing and not alert.untold:
            return alert.is_told_firing
        cool = alert.told_seconds is None or now_seconds - alert.told_seconds >= self._times.repeat_seconds
        return cool and (alert.untold > 0 or alert.is_firing)

    def _is_muted(
        self, mark: str, muting: Muting, firing: Sequence[Mapping[str, str]], moment: Moment
    ) -> bool:
        alert = self._alerts[mark]
        if alert.is_told_firing and not alert.is_firing and not alert.untold:
            return False  # whoever was told that it fires is told that it ended
        if alert.is_told_firing and not alert.untold and muting.is_acknowledged(mark, alert.since_seconds):
            return True
        return muting.holds_back(self.labels_of(alert), firing, moment.wall_seconds)

    def _notification(self, group: _Group, marks: Sequence[str], moment: Moment) -> Notification:
        notices = []
        for mark in marks:
            alert = self._alerts[mark]
            # One that began and ended before it could be told is told as firing first, then as resolved.
            is_firing = alert.is_firing or alert.untold > 0
            notices.append(self._notice(mark, alert, is_firing=is_firing))
            alert.is_told_firing = is_firing
            alert.untold = 0
            if is_firing:
                alert.told_seconds = moment.forward_seconds
        group.notifications += 1
        group.open_seconds = moment.forward_seconds + self._times.interval_seconds
        text = f"{self._identity} {group.labels} {group.notifications} {moment.forward_seconds!r}"
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        left_off = max(0, len(notices) - NOTICES_MAX)
        return Notification(key, group.labels, tuple(notices[:NOTICES_MAX]), moment.wall_seconds, left_off)

    def _notice(self, mark: str, alert: Alert, *, is_firing: bool) -> AlertNotice:
        known = self._known.get(alert.rule, AlertLabels())
        return AlertNotice(
            fingerprint=mark,
            rule=alert.rule,
            labels=alert.labels,
            severity=known.severity,
            is_firing=is_firing,
            since_seconds=alert.since_seconds,
            until_seconds=alert.until_seconds,
            times=alert.untold,
            summary=alert.summary,
            examples=alert.examples,
            runbook=known.runbook,
            query=query_of(known.query, alert.labels),
        )

    def _forget(
        self, now_seconds: float, muting: Muting, firing: Sequence[Mapping[str, str]], moment: Moment
    ) -> None:
        """Forget alerts that are over and told, and groups that have none."""
        for mark, alert in list(self._alerts.items()):
            if alert.is_firing or alert.is_told_firing:
                continue
            if alert.untold and self._is_muted(mark, muting, firing, moment):
                alert.untold = 0
                self.muted += 1
            cooling = (
                alert.told_seconds is not None
                and now_seconds - alert.told_seconds < self._times.repeat_seconds
            )
            if not alert.untold and not cooling:
                del self._alerts[mark]
        kept = {self._group_key(alert) for alert in self._alerts.values()}
        for key, group in list(self._groups.items()):
            if key not in kept and now_seconds >= group.open_seconds:
                del self._groups[key]

    def _group_key(self, alert: Alert) -> Labels:
        labels = self.labels_of(alert)
        return tuple((name, labels[name]) for name in self._group_by if name in labels)

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            # In rows, because there may be a hundred thousand, and every save makes them anew.
            "alerts": [[getattr(alert, name) for name in _ALERT_FIELDS] for alert in self._alerts.values()],
            "groups": [asdict(group) for group in self._groups.values()],
            "muted": self.muted,
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on with what `content` returned."""
        self.muted = content["muted"]
        for each in content["alerts"]:
            alert = Alert(*each)
            alert.labels, alert.examples = _labels(alert.labels), tuple(alert.examples)
            self._alerts[fingerprint(alert.rule, alert.labels)] = alert
        for each in content["groups"]:
            group = _Group(**each)
            group = replace(group, labels=_labels(each["labels"]))
            self._groups[group.labels] = group


def _labels(content: Iterable[Sequence[str]]) -> Labels:
    return tuple((name, value) for name, value in content)
