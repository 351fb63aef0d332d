from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.alerting.facts import Began, Ended, Labels, Notification, fingerprint
from logging_system.alerting.grouping import (
    GROUPS_MAX,
    NOTICES_MAX,
    AlertLabels,
    Grouping,
    GroupingTimes,
    Moment,
)
from logging_system.alerting.matching import OTHER
from logging_system.alerting.messages import letter_of
from logging_system.alerting.muting import Inhibition, Muting, Silence
from logging_system.alerting.paged_rows import FULL_MAX
from tests.unit.logging_system.alerting.saved import saved_and_read

WALL = 1_700_000_000.0
TIMES = GroupingTimes(wait_seconds=5, interval_seconds=60, repeat_seconds=900)
RULES = {"errors": AlertLabels("critical", "https://runbook"), "slow": AlertLabels()}


class Story:
    """A grouping told what happens at seconds of one clock."""

    def __init__(
        self, times: GroupingTimes = TIMES, group_by: tuple[str, ...] = ("rule",), full_max: int = FULL_MAX
    ) -> None:
        self.times, self.group_by, self.full_max = times, group_by, full_max
        self.grouping = self.started()
        self.muting = Muting()

    def started(self) -> Grouping:
        grouping = Grouping(self.times, self.group_by, RULES, identity="test")
        grouping.alerts.full_max = self.full_max
        return grouping

    def begins(self, second: float, service: str = "a", rule: str = "errors") -> str:
        labels: Labels = (("service.name", service),)
        self.grouping.began(Began(rule, labels, WALL + second, "12 errors"), ["a line"], self.at(second))
        return fingerprint(rule, labels)

    def ends(self, second: float, service: str = "a", rule: str = "errors") -> None:
        self.grouping.ended(Ended(rule, (("service.name", service),), WALL + second))

    def told(self, second: float) -> list[list[tuple[str, bool, int]]]:
        return [
            [(dict(notice.labels)["service.name"], notice.is_firing, notice.times) for notice in each.notices]
            for each in self.due(second)
        ]

    def due(self, second: float) -> list[Notification]:
        return self.grouping.due(self.at(second), self.muting)

    def restarts(self) -> None:
        content = saved_and_read(self.grouping.content())
        self.grouping = self.started()
        self.grouping.restore(content)

    @staticmethod
    def at(second: float) -> Moment:
        return Moment(second, WALL + second)


def test_alerts_that_begin_together_are_told_together_after_the_wait() -> None:
    story = Story()
    story.begins(0, "a")
    story.begins(3, "b")

    assert story.told(4.9) == []
    assert story.told(5) == [[("a", True, 1), ("b", True, 1)]]
    assert story.told(6) == []


def test_groups_are_told_apart() -> None:
    story = Story(group_by=("rule", "service.name"))
    story.begins(0, "a")
    story.begins(0, "b")

    assert story.told(5) == [[("a", True, 1)], [("b", True, 1)]]


def test_an_alert_that_joins_a_group_is_told_after_the_interval() -> None:
    story = Story()
    story.begins(0, "a")
    story.told(5)
    story.begins(10, "b")

    assert story.told(64) == []
    assert story.told(65) == [[("b", True, 1)]]


def test_one_that_goes_on_is_told_again_after_its_cooldown_and_not_before() -> None:
    story = Story()
    story.begins(0)
    story.told(5)

    assert story.told(904) == []
    assert story.told(905) == [[("a", True, 0)]]


def test_its_end_is_told_once() -> None:
    story = Story()
    story.begins(0)
    story.told(5)
    story.ends(100)

    assert story.told(100) == [[("a", False, 0)]]
    assert story.told(2_000) == []
    assert len(story.grouping.alerts) == 0


def test_one_that_flaps_is_told_at_the_end_of_its_cooldown_with_how_often() -> None:
    story = Story()
    story.begins(0)
    story.told(5)
    for second in (100, 300, 500):
        story.ends(second)
        story.told(second)
        story.begins(second + 100)

    assert story.told(904) == []
    assert story.told(905) == [[("a", True, 3)]]


def test_one_that_began_and_ended_within_the_wait_is_told_as_firing_and_then_as_resolved() -> None:
    story = Story()
    story.begins(0)
    story.ends(2)

    assert story.told(5) == [[("a", True, 1)]]
    assert story.told(65) == [[("a", False, 0)]]


def test_a_silenced_alert_is_told_when_the_silence_ends_and_it_still_fires() -> None:
    story = Story()
    story.muting = Muting(silences=(Silence("s", {"service.name": "a"}, WALL + 500),))
    story.begins(0, "a")
    story.begins(0, "b")

    assert story.told(5) == [[("b", True, 1)]]
    assert story.told(499) == []
    assert story.told(500) == [[("a", True, 1)]]


def test_a_silenced_alert_that_ends_is_told_to_nobody_and_counted() -> None:
    story = Story()
    story.muting = Muting(silences=(Silence("s", {"rule": "errors"}, WALL + 500),))
    story.begins(0)
    story.ends(100)

    assert story.told(100) == []
    assert story.told(600) == []
    assert story.grouping.muted == 1


def test_an_alert_is_inhibited_while_another_fires_with_equal_labels() -> None:
    story = Story()
    inhibition = Inhibition({"rule": "errors"}, {"rule": "slow"}, ("service.name",))
    story.muting = Muting(inhibitions=(inhibition,))
    story.begins(0, "a", "errors")
    story.begins(0, "a", "slow")
    story.begins(0, "b", "slow")

    assert story.told(5) == [[("a", True, 1)], [("b", True, 1)]]
    story.ends(100, "a", "errors")
    assert story.told(100) == [[("a", False, 0)], [("a", True, 1)]]


def test_an_alert_does_not_inhibit_itself() -> None:
    story = Story()
    story.muting = Muting(inhibitions=(Inhibition({"severity": "critical"}, {"service.name": "a"}),))
    story.begins(0, "a")

    assert story.told(5) == [[("a", True, 1)]]


def test_an_acknowledged_alert_is_not_repeated_and_its_end_is_told() -> None:
    story = Story()
    mark = story.begins(0)
    story.told(5)
    story.muting = Muting(acknowledged={mark: WALL + 50})

    assert story.told(905) == []
    story.ends(1_000)
    assert story.told(1_000) == [[("a", False, 0)]]


def test_an_acknowledgement_does_not_hold_back_what_begins_later() -> None:
    story = Story()
    mark = story.begins(0)
    story.told(5)
    story.muting = Muting(acknowledged={mark: WALL + 50})
    story.ends(100)
    story.told(100)
    story.begins(2_000)

    assert story.told(2_005) == [[("a", True, 1)]]


def test_a_restart_at_any_moment_changes_nothing() -> None:
    def tell(restarting: bool) -> list[object]:
        story = Story()
        found: list[object] = []
        for second in range(0, 3_000, 5):
            if second % 700 == 0:
                story.begins(second)
            if second % 700 == 350:
                story.ends(second)
            if restarting:
                story.restarts()
            found += [(second, each.key, each.notices) for each in story.due(second)]
        return found

    assert tell(restarting=True) == tell(restarting=False)
    assert len(tell(restarting=False)) == 8


def test_each_notification_has_a_key_of_its_own() -> None:
    story = Story(GroupingTimes(0, 0, 1))
    story.begins(0)
    keys = [each.key for second in range(5) for each in story.due(second)]

    assert len(set(keys)) == 5


def test_more_alerts_than_a_message_names_are_counted_in_it_and_not_told_again() -> None:
    story = Story()
    for number in range(NOTICES_MAX + 20):
        story.begins(0, f"service-{number}")
    (notification,) = story.due(5)

    assert len(notification.notices) == NOTICES_MAX
    assert notification.left_off == 20
    assert story.due(100) == []


@pytest.mark.parametrize("restarting", [False, True])
def test_of_very_many_alerts_each_is_told_once_and_each_end_also_where_most_are_packed(
    restarting: bool,
) -> None:
    story = Story(full_max=20)
    total = 3 * NOTICES_MAX

    def step() -> None:
        if restarting:
            story.restarts()

    for number in range(total):
        story.begins(0, f"service-{number}")
    step()
    (firing,) = story.due(5)
    assert (len(firing.notices), firing.left_off, firing.left_off_resolved) == (NOTICES_MAX, 200, 0)
    step()
    for number in range(total - 1):
        story.ends(10, f"service-{number}")
    assert story.grouping.firing == 1
    step()
    (resolved,) = story.due(70)
    assert not any(notice.is_firing for notice in resolved.notices)
    assert (resolved.left_off, resolved.left_off_resolved, resolved.is_firing) == (199, 199, False)
    assert letter_of(resolved, Path("spool")).title.startswith("[RESOLVED] 299 resolved")
    step()
    assert story.told(905) == [[(f"service-{total - 1}", True, 0)]]
    step()
    story.ends(906, f"service-{total - 1}")
    assert story.told(2_000) == [[(f"service-{total - 1}", False, 0)]]
    assert len(story.grouping.alerts) == 0


def test_firing_alerts_come_before_resolved_ones_in_a_message_that_has_no_room_for_all() -> None:
    story = Story(GroupingTimes(0, 60, 900))
    for number in range(NOTICES_MAX):
        story.begins(0, f"old-{number}")
    story.due(0)
    for number in range(NOTICES_MAX):
        story.ends(1, f"old-{number}")
    for number in range(10):
        story.begins(2, f"new-{number}")
    (told,) = story.due(60)

    assert [notice.is_firing for notice in told.notices] == [True] * 10 + [False] * (NOTICES_MAX - 10)
    assert (told.left_off, told.left_off_resolved) == (10, 10)
    assert letter_of(told, Path("spool")).title == "[FIRING] 10 firing and 100 resolved: errors"


@pytest.mark.parametrize("restarting", [False, True])
def test_alerts_of_more_groups_than_are_told_apart_are_told_together(restarting: bool) -> None:
    story = Story(group_by=("service.name",), full_max=50)
    for number in range(GROUPS_MAX + 30):
        story.begins(0, f"service-{number}")
    if restarting:
        story.restarts()
    told = story.due(5)

    assert len(told) == GROUPS_MAX + 1
    assert sum(len(each.notices) for each in told) == GROUPS_MAX + 30
    (crowd,) = [each for each in told if len(each.notices) > 1]
    assert crowd.group == (("group", OTHER),)
    assert story.due(100) == []


def test_a_group_that_is_gone_makes_room_for_another() -> None:
    story = Story(GroupingTimes(0, 0, 10), group_by=("service.name",))
    for number in range(GROUPS_MAX):
        story.begins(0, f"service-{number}")
    story.due(0)
    story.ends(1, "service-3")
    story.due(2)
    story.due(11)
    story.begins(12, "another")

    assert [each.group for each in story.due(12) if each.notices[0].times] == [(("service.name", "another"),)]


def test_alerts_of_a_rule_that_is_gone_are_resolved() -> None:
    story = Story()
    story.begins(0)
    story.told(5)
    story.grouping.forget_rules(["slow"])

    assert story.told(65) == [[("a", False, 0)]]
