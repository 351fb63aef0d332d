from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from logging_system.alerting.evaluation import Evaluation
from logging_system.alerting.facts import Began, Change, Ended
from logging_system.alerting.rules.absence import Absence
from logging_system.alerting.rules.declared import Clock, DeclaredRule
from logging_system.alerting.rules.error_share import ErrorShare
from logging_system.alerting.rules.error_slo import ErrorSlo
from logging_system.alerting.rules.latency import Latency
from logging_system.alerting.rules.rate_change import RateChange
from tests.unit.logging_system.alerting.saved import saved_and_read

START = 1_700_000_040.0


class Story:
    """A rule that is told records of one service and looks each second."""

    def __init__(self, rule: DeclaredRule) -> None:
        self.rules = Evaluation([rule], lateness_seconds=60, series_max=10)
        self.now = 0.0
        self.changes: list[tuple[float, Change]] = []

    def passes(self, seconds: int, records_a_second: int = 0, **fields: Any) -> None:
        for _ in range(seconds):
            for _ in range(records_a_second):
                moment = datetime.fromtimestamp(START + self.now, UTC).isoformat()
                document = {"@timestamp": moment, "service": {"name": "a"}, **fields}
                self.rules.tell(document, self.clock())
            self.changes += [(self.now, change) for change in self.rules.changes(self.clock())]
            self.now += 1

    def restarts(self, rule: DeclaredRule) -> None:
        content = saved_and_read(self.rules.content())
        self.rules = Evaluation([rule], lateness_seconds=60, series_max=10)
        assert self.rules.restore(content) == []

    def clock(self) -> Clock:
        return Clock(START + self.now, START + self.now)

    @property
    def kinds(self) -> list[type[Change]]:
        return [type(change) for _, change in self.changes]


OK = {"log": {"level": "info"}}
ERROR = {"log": {"level": "error"}}


def test_errors_within_their_share_are_no_alert_and_beyond_it_one() -> None:
    story = Story(ErrorShare(name="burn", share=0.05, excess=5))
    for _ in range(10):
        story.passes(1, 1, **ERROR)
        story.passes(9, 10, **OK)
    assert story.kinds == []

    story.passes(10, 4, **ERROR)
    assert story.kinds == [Began]
    (_, began) = story.changes[0]
    assert isinstance(began, Began)
    assert "more than 0.05 of all; the limit is 5 within 60 s" in began.summary
    story.passes(300, 10, **OK)
    assert story.kinds == [Began, Ended]


def test_when_traffic_ends_the_errors_of_before_begin_no_alert() -> None:
    """Once good records have left the window, bad ones of the same time have left it too, or nearly."""
    story = Story(ErrorShare(name="burn", share=0.1, excess=5))
    for _ in range(12):
        story.passes(9, 10, **OK)
        story.passes(1, 5, **ERROR)
    story.passes(200)

    assert story.kinds == []


def burn(**given: Any) -> ErrorSlo:
    windows = [{"long_seconds": 1_800, "short_seconds": 120, "rate": 10}]
    return ErrorSlo.model_validate({"name": "burn", "objective": 0.99, "windows": windows, **given})


def test_a_budget_that_burns_in_both_windows_is_one_alert_until_the_short_one_is_good_again() -> None:
    story = Story(burn())
    story.passes(1_800, 2, **OK)
    story.passes(60, 2, **ERROR)
    assert story.kinds == []

    story.passes(180, 6, **ERROR)
    assert story.kinds == [Began]
    (_, began) = story.changes[0]
    assert isinstance(began, Began)
    assert "times what an objective of 99.0000% allows; the limit is 10 times" in began.summary
    story.passes(600, 20, **OK)
    assert story.kinds == [Began, Ended]


def test_a_short_spike_that_the_long_window_does_not_mind_burns_nothing() -> None:
    story = Story(burn())
    story.passes(1_800, 4, **OK)
    story.passes(20, 4, **ERROR)
    story.passes(600, 4, **OK)

    assert story.kinds == []


def test_a_budget_burns_by_records_that_come_late_and_only_once() -> None:
    """They are of minutes that were read over; those that come later yet belong to the same alert."""
    story = Story(burn(records_min=10))
    story.passes(600, 1, **OK)
    for ago in (50, 45, 40):
        moment = datetime.fromtimestamp(START + story.now - ago, UTC).isoformat()
        for _ in range(200):
            story.rules.tell({"@timestamp": moment, "service": {"name": "a"}, **ERROR}, story.clock())
        story.passes(1)

    assert story.kinds == [Began]


def test_a_burning_budget_is_told_once_over_a_restart() -> None:
    story = Story(burn(records_min=10))
    story.passes(300, 1, **ERROR)
    story.restarts(burn(records_min=10))
    story.passes(300, 1, **ERROR)
    story.passes(3_000, 5, **OK)

    assert story.kinds == [Began, Ended]


def test_without_traffic_a_burnt_budget_ends() -> None:
    story = Story(burn(records_min=10))
    story.passes(300, 1, **ERROR)
    story.passes(3_000)

    assert story.kinds == [Began, Ended]
    assert story.rules.series == 0


def test_few_records_prove_nothing() -> None:
    story = Story(ErrorShare(name="burn", share=0.01, excess=5))
    story.passes(4, 1, **ERROR)
    story.passes(200)

    assert story.kinds == []


def test_a_percentile_above_its_limit_is_an_alert_and_one_slow_record_is_none() -> None:
    story = Story(Latency(name="slow", limit_ms=500, percentile=95))
    story.passes(60, 10, labels={"duration_ms": 20})
    story.passes(1, 1, labels={"duration_ms": 9_000})
    story.passes(60, 10, labels={"duration_ms": "30.5"})
    assert story.kinds == []

    story.passes(20, 5, labels={"duration_ms": 700})
    assert story.kinds == [Began]
    story.passes(200, 10, labels={"duration_ms": 20})
    assert story.kinds == [Began, Ended]


def test_records_without_a_duration_are_left_out() -> None:
    story = Story(Latency(name="slow", limit_ms=500))
    story.passes(10, 10, **ERROR)
    story.passes(10, 10, labels={"duration_ms": True})
    story.passes(10, 10, labels={"duration_ms": "slow"})

    assert story.rules.series == 0


def test_a_rate_that_jumps_is_an_alert_and_a_steady_one_none() -> None:
    story = Story(RateChange(name="jump", factor=3, baseline_windows=5, records_min=50))
    story.passes(600, 2, **OK)
    assert story.kinds == []

    story.passes(60, 12, **OK)
    assert story.kinds == [Began]
    (at, began) = story.changes[0]
    assert at == 628  # 29 s of 12 and 31 s of 2 are 410: 3 times 120, and 50 more
    assert isinstance(began, Began)
    assert "the limit is 3 times what is usual, and 50 more" in began.summary
    story.passes(400, 2, **OK)
    assert story.kinds == [Began, Ended]


def test_what_was_not_seen_before_has_no_baseline_to_jump_from() -> None:
    story = Story(RateChange(name="jump", factor=3, baseline_windows=5, records_min=50))
    story.passes(250, 20, **OK)

    assert story.kinds == []


def test_a_rate_that_falls_is_no_jump() -> None:
    story = Story(RateChange(name="jump", factor=3, baseline_windows=5, records_min=10))
    story.passes(400, 20, **OK)
    story.passes(400)

    assert story.kinds == []


def test_silence_is_an_alert_and_a_record_ends_it() -> None:
    story = Story(Absence(name="silent", window_seconds=60))
    story.passes(100, 1, **OK)
    story.passes(59)
    assert story.kinds == []

    story.passes(30)
    assert story.kinds == [Began]
    story.passes(1, 1, **OK)
    assert story.kinds == [Began, Ended]


def test_silence_from_the_first_moment_is_one_too() -> None:
    story = Story(Absence(name="silent", window_seconds=60))
    story.passes(70)

    assert story.kinds == [Began]


def test_with_by_each_that_was_seen_is_missed_by_itself() -> None:
    story = Story(Absence(name="silent", window_seconds=60, by=("log.logger",)))
    story.passes(70)
    assert story.kinds == []

    story.passes(1, 1, log={"logger": "a"})
    story.passes(100, 1, log={"logger": "b"})
    assert [(type(change), change.labels) for _, change in story.changes] == [(Began, (("log.logger", "a"),))]


def test_neither_a_jump_of_the_time_of_day_nor_a_restart_is_a_silence() -> None:
    rule = Absence(name="silent", window_seconds=60)
    story = Story(rule)
    story.passes(50, 1, **OK)
    story.now += 3_600
    story.passes(30)
    story.restarts(rule)
    story.now += 3_600
    story.passes(10)
    assert story.kinds == []

    story.passes(20)
    assert story.kinds == [Began]


def test_an_alert_of_silence_goes_on_over_a_restart() -> None:
    rule = Absence(name="silent", window_seconds=60)
    story = Story(rule)
    story.passes(70)
    story.restarts(rule)
    story.passes(100)
    story.passes(1, 1, **OK)

    assert story.kinds == [Began, Ended]
