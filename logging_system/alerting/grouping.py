"""Which alerts are told, when, and with which others: Alertmanager's semantics; no thread, file or clock.

A group is the alerts that share the labels of `group_by`. Its first notification waits `group_wait`, so
that alerts that begin together are told together; later ones are `group_interval` apart. An alert is told as
firing at most once in `repeat_interval`, its cooldown: while it goes on it is told again after that; where
it ended and began again in between it is told then, with how often. Nothing that began is left out, except
what is silenced, inhibited or acknowledged.

However many alerts there are, memory holds those in use and a bounded number of groups; the others are
packed, and alerts of further groups are told together in one more, whose label says so.

All times here are of a clock that only goes forward, also across restarts; event times are passed through.

https://prometheus.io/docs/alerting/latest/configuration/#route-related-settings
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from logging_system.alerting.facts import (
    AlertNotice,
    Began,
    Change,
    Ended,
    Labels,
    Notification,
    fingerprint,
)
from logging_system.alerting.matching import OTHER, query_of
from logging_system.alerting.muting import Muting
from logging_system.alerting.paged_rows import PagedRows

NOTICES_MAX = 100
"""Alerts that one notification names; it counts the others."""
GROUPS_MAX = 1_000
"""Groups that are told apart; the alerts of further ones are told together."""
_CROWD: Labels = (("group", OTHER),)


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
        is_crowded: Whether it found no room for its own group.
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
    is_crowded: bool = False

    @property
    def is_firing(self) -> bool:
        """Whether its condition holds."""
        return self.until_seconds is None


_ALERT_FIELDS = tuple(each.name for each in fields(Alert))


@dataclass(slots=True)
class _Group:
    """When a group may be told next, by the forward clock, and how many alerts it has."""

    labels: Labels
    open_seconds: float
    notifications: int = 0
    members: int = 0


@dataclass(slots=True)
class _Draft:
    """What a notification will say: the first of those that fire and of those that are over, and how many."""

    firing: list[AlertNotice] = field(default_factory=list)
    resolved: list[AlertNotice] = field(default_factory=list)
    firing_total: int = 0
    resolved_total: int = 0

    @property
    def shown(self) -> list[AlertNotice]:
        """As many as one notification names, those that fire first."""
        return [*self.firing, *self.resolved][:NOTICES_MAX]

    def has_room(self, *, is_firing: bool) -> bool:
        """Count one more; returns whether it is named."""
        if is_firing:
            self.firing_total += 1
            return len(self.firing) < NOTICES_MAX
        self.resolved_total += 1
        return len(self.resolved) < NOTICES_MAX


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
        self._alerts: PagedRows[str, Alert] = PagedRows(_AlertForm(self))
        self._groups: dict[Labels, _Group] = {}
        self.firing = 0
        """Alerts that fire."""
        self.muted = 0
        """Alerts that ended before anybody was told, because they were silenced or inhibited."""

    @property
    def alerts(self) -> PagedRows[str, Alert]:
        """The alerts, by fingerprint: those that fire, and those that ended within their cooldown."""
        return self._alerts

    def labels_of(self, alert: Alert) -> dict[str, str]:
        """Return all labels of an alert."""
        severity = self._known.get(alert.rule, AlertLabels()).severity
        return {**dict(alert.labels), "rule": alert.rule, "severity": severity}

    def note(self, change: Change, examples: Sequence[str], moment: Moment) -> None:
        """Take note of what a rule found; the examples are of what begins."""
        if isinstance(change, Began):
            self.began(change, examples, moment)
        elif isinstance(change, Ended):
            self.ended(change)
        else:
            self._alerts.settle()
            alert = self._alerts.get(fingerprint(change.rule, change.labels))
            if alert is not None and alert.is_firing:
                alert.summary = change.summary

    def began(self, change: Began, examples: Sequence[str], moment: Moment) -> None:
        """Take note that an alert begins.

        Args:
            change: Which, since when, and what people are told. One that fires already, or is within its
                cooldown, goes on as the same alert.
            examples: Lines that it was found in, masked.
            moment: Now.
        """
        self._alerts.settle()
        mark = fingerprint(change.rule, change.labels)
        alert = self._alerts.get(mark)
        if alert is None:
            alert = Alert(change.rule, change.labels, change.since_seconds)
            self._enter_group(alert, moment.forward_seconds + self._times.wait_seconds)
            self._alerts.add(mark, alert)
            self.firing += 1
        elif not alert.is_firing:
            self.firing += 1
        if not alert.is_firing or not alert.untold:
            alert.since_seconds = change.since_seconds
        alert.until_seconds = None
        alert.summary, alert.examples = change.summary, tuple(examples)
        alert.untold += 1
        alert.began_seconds = moment.forward_seconds

    def ended(self, change: Ended) -> None:
        """Take note that an alert's condition does not hold any more.

        Args:
            change: Which, and until when; one that does not fire stays as it is.
        """
        self._alerts.settle()
        alert = self._alerts.get(fingerprint(change.rule, change.labels))
        if alert is not None and alert.is_firing:
            alert.until_seconds = max(change.until_seconds, alert.since_seconds)
            self.firing -= 1

    def forget_rules(self, kept: Iterable[str]) -> None:
        """End the alerts of rules that are not there any more, or begin anew; called once, after `restore`.

        Args:
            kept: Names of the rules whose alerts go on. What fires of others ends when it began.
        """
        keep = set(kept)

        def end(_mark: str, alert: Alert) -> bool:
            if alert.rule not in keep and alert.is_firing:
                alert.until_seconds = alert.since_seconds
                self.firing -= 1
            return True

        self._alerts.sweep(end)

    def due(self, moment: Moment, muting: Muting) -> list[Notification]:
        """Return what is to be told now, and take note that it is.

        Args:
            moment: Now.
            muting: What people and rules hold back.
        """
        now_seconds = moment.forward_seconds
        firing = self._inhibiting(muting)
        drafts: dict[Labels, _Draft] = {}
        for mark, alert in self._alerts.due(now_seconds):
            group = self._group_of(alert)
            is_told = (
                now_seconds >= group.open_seconds
                and self._is_due(alert, now_seconds)
                and not self._is_muted(mark, alert, muting, firing, moment)
            )
            if is_told:
                self._tell(mark, alert, drafts.setdefault(group.labels, _Draft()), now_seconds)
            if self._is_over(mark, alert, muting, firing, moment):
                self._alerts.remove(mark)
                group.members -= 1
        notifications = [
            self._notification(self._groups[key], draft, moment) for key, draft in drafts.items()
        ]
        self._forget_groups(now_seconds)
        return notifications

    def _inhibiting(self, muting: Muting) -> list[Mapping[str, str]]:
        """Return the labels of the alerts that may hold others back."""
        if not muting.inhibitions:
            return []
        firing = (self.labels_of(alert) for _, alert in self._alerts.items() if alert.is_firing)
        return [labels for labels in firing if muting.may_inhibit(labels)]

    def _is_due(self, alert: Alert, now_seconds: float) -> bool:
        if not alert.is_firing and not alert.untold:
            return alert.is_told_firing
        cool = alert.told_seconds is None or now_seconds - alert.told_seconds >= self._times.repeat_seconds
        return cool and (alert.untold > 0 or alert.is_firing)

    def wakes_at(self, alert: Alert) -> float:
        """Return when `due` has something to do with an alert, by the forward clock."""
        group = self._groups.get(self._group_key(alert))
        open_seconds = group.open_seconds if group is not None else 0.0
        cool_seconds = 0.0 if alert.told_seconds is None else alert.told_seconds + self._times.repeat_seconds
        if alert.is_firing:
            return max(cool_seconds, open_seconds)
        if alert.untold:
            # One that nobody was told may be muted, and is counted as such when that is looked at.
            return max(cool_seconds, open_seconds) if alert.is_told_firing else 0.0
        return open_seconds if alert.is_told_firing else cool_seconds

    def _is_muted(
        self,
        mark: str,
        alert: Alert,
        muting: Muting,
        firing: Sequence[Mapping[str, str]],
        moment: Moment,
    ) -> bool:
        if alert.is_told_firing and not alert.is_firing and not alert.untold:
            return False  # whoever was told that it fires is told that it ended
        if alert.is_told_firing and not alert.untold and muting.is_acknowledged(mark, alert.since_seconds):
            return True
        return muting.holds_back(self.labels_of(alert), firing, moment.wall_seconds)

    def _tell(self, mark: str, alert: Alert, draft: _Draft, now_seconds: float) -> None:
        """Take note that an alert is told, and write it down if there is room."""
        # One that began and ended before it could be told is told as firing first, then as resolved.
        is_firing = alert.is_firing or alert.untold > 0
        if draft.has_room(is_firing=is_firing):
            notices = draft.firing if is_firing else draft.resolved
            notices.append(self._notice(mark, alert, is_firing=is_firing))
        alert.is_told_firing = is_firing
        alert.untold = 0
        if is_firing:
            alert.told_seconds = now_seconds

    def _notification(self, group: _Group, draft: _Draft, moment: Moment) -> Notification:
        group.notifications += 1
        group.open_seconds = moment.forward_seconds + self._times.interval_seconds
        text = f"{self._identity} {group.labels} {group.notifications} {moment.forward_seconds!r}"
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        shown = draft.shown
        shown_resolved = sum(not notice.is_firing for notice in shown)
        return Notification(
            key,
            group.labels,
            tuple(shown),
            moment.wall_seconds,
            left_off=draft.firing_total + draft.resolved_total - len(shown),
            left_off_resolved=draft.resolved_total - shown_resolved,
        )

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

    def _is_over(
        self,
        mark: str,
        alert: Alert,
        muting: Muting,
        firing: Sequence[Mapping[str, str]],
        moment: Moment,
    ) -> bool:
        """Whether an alert is over and told, and its cooldown too; takes note where it was muted."""
        if alert.is_firing or alert.is_told_firing:
            return False
        if alert.untold and self._is_muted(mark, alert, muting, firing, moment):
            alert.untold = 0
            self.muted += 1
        cooling = (
            alert.told_seconds is not None
            and moment.forward_seconds - alert.told_seconds < self._times.repeat_seconds
        )
        return not alert.untold and not cooling

    def _forget_groups(self, now_seconds: float) -> None:
        """Forget groups that have no alert."""
        for key, group in list(self._groups.items()):
            if not group.members and now_seconds >= group.open_seconds:
                del self._groups[key]

    def _enter_group(self, alert: Alert, open_seconds: float) -> None:
        """Count a new alert in its group, or in the one of all that find no room."""
        key = self._own_group(alert)
        others = len(self._groups) - (_CROWD in self._groups)
        alert.is_crowded = key not in self._groups and others >= GROUPS_MAX
        key = self._group_key(alert)
        self._groups.setdefault(key, _Group(key, open_seconds)).members += 1

    def _group_of(self, alert: Alert) -> _Group:
        return self._groups[self._group_key(alert)]

    def _group_key(self, alert: Alert) -> Labels:
        return _CROWD if alert.is_crowded else self._own_group(alert)

    def _own_group(self, alert: Alert) -> Labels:
        labels = self.labels_of(alert)
        return tuple((name, labels[name]) for name in self._group_by if name in labels)

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it, and pages of alerts."""
        return {
            "alerts": self._alerts.content(),
            "groups": [asdict(group) for group in self._groups.values()],
            "firing": self.firing,
            "muted": self.muted,
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on with what `content` returned."""
        self.muted, self.firing = content["muted"], content["firing"]
        self._alerts.restore(content["alerts"])
        for each in content["groups"]:
            group = _Group(**each)
            group = replace(group, labels=_labels(each["labels"]), members=0)
            self._groups[group.labels] = group
        # Counted anew, because groups may be declared otherwise since.
        self._alerts.sweep(self._entered_again)

    def _entered_again(self, _mark: str, alert: Alert) -> bool:
        self._enter_group(alert, 0.0)
        return True


class _AlertForm:
    """Alerts by fingerprint, written down.

    Args:
        grouping: Says when it has something to do with an alert.
    """

    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping

    def key_bytes(self, key: str) -> bytes:
        """Return a fingerprint."""
        return key.encode()

    def key_of(self, text: bytes) -> str:
        """Return a fingerprint."""
        return text.decode()

    def content_of(self, row: Alert) -> Any:
        """Return an alert as JSON has it."""
        return [getattr(row, name) for name in _ALERT_FIELDS]

    def row_of(self, content: Any) -> Alert:
        """Return an alert."""
        alert = Alert(*content)
        alert.labels, alert.examples = _labels(alert.labels), tuple(alert.examples)
        return alert

    def wakes_at(self, row: Alert) -> float:
        """Return when `due` has something to do with it, by the forward clock."""
        return self._grouping.wakes_at(row)


def _labels(content: Iterable[Sequence[str]]) -> Labels:
    return tuple((name, value) for name, value in content)
