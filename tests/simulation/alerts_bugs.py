"""Deliberate bugs, each of which the simulation of alerts must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from logging_system.alerting.evaluation import Evaluation
from logging_system.alerting.facts import Began, Change, Ended
from logging_system.alerting.forward_clock import ForwardClock, ForwardState
from logging_system.alerting.grouping import Alert, Grouping, GroupingTimes, Moment
from logging_system.alerting.outbox import Message, NotNow, Outbox, Outcome, Taken
from logging_system.alerting.rules.declared import Clock
from logging_system.alerting.rules.windowed import WindowedMachine
from tests.simulation.alerts import THRESHOLD, TIMES, Parts


class ForgetsCounts(Evaluation):
    """Counts begin at nothing after a restart, while the reading position does not."""

    def restore(self, _content: Mapping[str, Any]) -> list[str]:
        return []


class ForgetsWhatEnded(Evaluation):
    """An ended alert is forgotten at once, so that late records begin it again."""

    def changes(self, clock: Clock) -> list[Change]:
        changes = super().changes(clock)
        for change in changes:
            if isinstance(change, Ended):
                machine = self._machines[change.rule]
                assert isinstance(machine, WindowedMachine)
                series = machine._series.get(change.labels)
                assert series is not None
                series.told = None
        return changes


class KnowsNoLateness(Evaluation):
    """A record counts by when it comes, not by when it was logged."""

    def tell(self, document: Mapping[str, Any], clock: Clock) -> list[Any]:
        return super().tell({**document, "@timestamp": clock.now_seconds * 1000}, clock)


class ForgetsFlapping(Grouping):
    """An alert that ends before it was told is told to nobody."""

    def ended(self, change: Ended) -> None:
        super().ended(change)
        self._alerts.sweep(self._forget)

    def _forget(self, _mark: str, alert: Alert) -> bool:
        if not alert.is_firing:
            alert.untold = 0
        return True


class ForgetsCooldown(Grouping):
    """After a restart nobody knows when an alert was told."""

    def restore(self, content: Mapping[str, Any]) -> None:
        super().restore(content)
        self._alerts.sweep(self._forget)

    def _forget(self, _mark: str, alert: Alert) -> bool:
        alert.told_seconds = None
        return True


class ForgetsAlerts(Grouping):
    """After a restart there are no alerts."""

    def restore(self, _content: Mapping[str, Any]) -> None:
        pass


class TellsEachTimeItBegins(Grouping):
    """An alert that begins again is told at once, whenever it was told last."""

    def began(self, change: Began, examples: Sequence[str], moment: Moment) -> None:
        super().began(change, examples, moment)
        self._alerts.sweep(self._forget)

    def _forget(self, _mark: str, alert: Alert) -> bool:
        if alert.untold:
            alert.told_seconds = None
        return True


class NeverTellsTheEnd(Grouping):
    """An end is told to nobody."""

    def _is_due(self, alert: Alert, now_seconds: float) -> bool:
        return (alert.is_firing or alert.untold > 0) and super()._is_due(alert, now_seconds)


class ForgetsMessages(Outbox):
    """Messages on their way are gone after a restart."""

    def restore(self, _content: Mapping[str, Any]) -> list[str]:
        return []


class GivesUp(Outbox):
    """One failure is the end of a message."""

    def settled(self, message: Message, outcome: Outcome, now_seconds: float) -> Outcome:
        return super().settled(message, Taken() if isinstance(outcome, NotNow) else outcome, now_seconds)


class FollowsTheTimeOfDay(ForwardClock):
    """A jump of the time of day is a jump of the cooldown."""

    def __init__(
        self,
        saved: ForwardState | None,
        *,
        boot: Callable[[], float],
        wall: Callable[[], float],
        this_boot: str,
    ) -> None:
        super().__init__(saved, boot=boot, wall=wall, this_boot=this_boot)
        self._wall = wall

    def __call__(self) -> float:
        return self._wall()


BUGS: Mapping[str, Parts] = {
    "counts are forgotten at a restart": Parts(evaluation=ForgetsCounts),
    "ended alerts begin again by late records": Parts(evaluation=ForgetsWhatEnded),
    "records count by when they come": Parts(evaluation=KnowsNoLateness),
    "fires below the threshold": Parts(threshold=THRESHOLD - 1),
    "fires above the threshold": Parts(threshold=THRESHOLD + 1),
    "short alerts are told to nobody": Parts(grouping=ForgetsFlapping),
    "cooldown is forgotten at a restart": Parts(grouping=ForgetsCooldown),
    "alerts are forgotten at a restart": Parts(grouping=ForgetsAlerts),
    "no cooldown": Parts(times=GroupingTimes(TIMES.wait_seconds, TIMES.interval_seconds, 60)),
    "what flaps is told each time": Parts(grouping=TellsEachTimeItBegins),
    "ends are told to nobody": Parts(grouping=NeverTellsTheEnd),
    "messages are forgotten at a restart": Parts(outbox=ForgetsMessages),
    "a message is sent once": Parts(outbox=GivesUp),
    "cooldown follows the time of day": Parts(clock=FollowsTheTimeOfDay),
}

FOUND_BY: Mapping[str, int] = {
    "counts are forgotten at a restart": 2,
    "ended alerts begin again by late records": 5,
    "records count by when they come": 30,
    "fires below the threshold": 1,
    "fires above the threshold": 2,
    "short alerts are told to nobody": 53,
    "cooldown is forgotten at a restart": 3,
    "alerts are forgotten at a restart": 2,
    "no cooldown": 1,
    "what flaps is told each time": 2,
    "ends are told to nobody": 1,
    "messages are forgotten at a restart": 3,
    "a message is sent once": 2,
    "cooldown follows the time of day": 59,
}
"""The first seed that finds each."""
