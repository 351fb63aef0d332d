from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from logging_system.alerting.evaluation import OVERFLOW_RULE, Evaluation
from logging_system.alerting.facts import Began, Ended, Restated
from logging_system.alerting.matching import OTHER, RecordMatch
from logging_system.alerting.rules.declared import Clock
from logging_system.alerting.rules.error_count import ErrorCount
from logging_system.alerting.state_file import encode_state
from tests.unit.logging_system.alerting.saved import saved_and_read

START = 1_700_000_000.0


def evaluation(
    *, threshold: int = 3, series_max: int = 100, by: tuple[str, ...] = ("service.name",)
) -> Evaluation:
    rule = ErrorCount(name="errors", threshold=threshold, by=by)
    return Evaluation([rule], lateness_seconds=300, series_max=series_max)


def record(seconds: float, service: str = "checkout", level: str = "error") -> dict[str, Any]:
    moment = datetime.fromtimestamp(seconds, UTC).isoformat()
    return {"@timestamp": moment, "log": {"level": level}, "service": {"name": service}}


def at(seconds: float) -> Clock:
    return Clock(seconds, seconds)


def test_as_many_errors_as_the_threshold_begin_an_alert_once() -> None:
    rules = evaluation()
    for second in range(2):
        rules.tell(record(START + second), at(START + second))

    assert rules.changes(at(START + 2)) == []

    for second in range(5):
        rules.tell(record(START + 2 + second), at(START + 2 + second))
    (began,) = rules.changes(at(START + 7))

    assert isinstance(began, Began)
    assert began.labels == (("service.name", "checkout"),)
    assert began.since_seconds == START + 2
    assert "7 records of level error or above; the limit is 3 within 60 s" in began.summary
    assert rules.changes(at(START + 8)) == []


def test_it_ends_when_a_whole_window_has_passed() -> None:
    rules = evaluation()
    for _ in range(3):
        rules.tell(record(START), at(START))
    rules.changes(at(START))

    assert rules.changes(at(START + 120)) == []
    (ended,) = rules.changes(at(START + 126))
    assert ended == Ended("errors", (("service.name", "checkout"),), START + 60)


def test_records_below_the_level_and_of_other_services_do_not_add_up() -> None:
    rules = evaluation()
    for service in ("a", "b", "c"):
        rules.tell(record(START, service), at(START))
        rules.tell(record(START, service, level="warning"), at(START))

    assert rules.changes(at(START)) == []


def test_a_record_later_than_the_lateness_is_counted_and_told_no_rule() -> None:
    rules = evaluation(threshold=1)

    assert rules.tell(record(START - 301), at(START)) == []
    assert rules.counts.too_late == 1
    assert rules.changes(at(START)) == []


def test_while_old_records_are_still_being_read_they_are_not_late() -> None:
    rules = evaluation(threshold=1)
    rules.tell(record(START - 3_600), Clock(START, START - 3_600))

    assert [type(change) for change in rules.changes(Clock(START, START - 3_600))] == [Began]


@pytest.mark.parametrize("moment", [None, "yesterday", "2200-01-01T00:00:00Z", {"a": 1}])
def test_a_record_without_a_time_that_can_be_counts_as_of_now(moment: object) -> None:
    rules = evaluation(threshold=1)
    rules.tell({**record(START), "@timestamp": moment}, at(START))
    (began,) = rules.changes(at(START))

    assert isinstance(began, Began)
    assert began.since_seconds == START
    assert rules.counts.dated_now == 1


def test_beyond_the_cap_one_alert_says_so_and_what_finds_no_room_is_counted_together() -> None:
    rules = evaluation(series_max=2)
    for number in range(6):
        rules.tell(record(START, f"service-{number}"), at(START))
    changes = rules.changes(at(START))

    assert rules.counts.overflowed == 4
    assert {(change.rule, change.labels) for change in changes} == {
        ("errors", (("service.name", OTHER),)),
        (OVERFLOW_RULE, ()),
    }
    assert rules.changes(at(START + 1)) == []
    assert [change.rule for change in rules.changes(at(START + 601)) if isinstance(change, Ended)] == [
        "errors",
        OVERFLOW_RULE,
    ]


def test_the_overflow_says_how_many_more_there_are_also_after_a_restart() -> None:
    rules = evaluation(series_max=2, threshold=1)
    for number in range(40):
        rules.tell(record(START, f"service-{number}"), at(START))
    (began,) = (each for each in rules.changes(at(START)) if each.rule == OVERFLOW_RULE)
    assert isinstance(began, Began)
    assert "more than 2 alerts apart; about 38 more" in began.summary

    again = evaluation(series_max=2, threshold=1)
    assert again.restore(saved_and_read(rules.content())) == []
    for number in range(50):
        again.tell(record(START + 1, f"service-{number}"), at(START + 1))
    (restated,) = (each for each in again.changes(at(START + 1)) if each.rule == OVERFLOW_RULE)
    assert isinstance(restated, Restated)
    assert "about 48 more" in restated.summary


def test_what_a_restart_brings_back_neither_begins_again_nor_forgets() -> None:
    rules = evaluation()
    for _ in range(3):
        rules.tell(record(START), at(START))
    rules.changes(at(START))
    again = evaluation()

    assert again.restore(saved_and_read(rules.content())) == []
    again.tell(record(START + 1), at(START + 1))
    assert again.changes(at(START + 1)) == []
    assert [type(change) for change in again.changes(at(START + 200))] == [Ended]


def test_a_rule_that_is_declared_otherwise_begins_anew() -> None:
    rules = evaluation()
    rules.tell(record(START), at(START))
    other = evaluation(by=("log.logger",))

    assert other.restore(saved_and_read(rules.content())) == ["errors"]
    assert other.series == 0


def test_labels_are_kept_without_their_secrets() -> None:
    rule = ErrorCount(name="errors", threshold=1, by=("labels.user",))
    rules = Evaluation(
        [rule], lateness_seconds=300, series_max=10, shown=lambda text: text.replace("hunter2", "***")
    )
    rules.tell({**record(START), "labels": {"user": "hunter2"}}, at(START))
    (began,) = rules.changes(at(START))

    assert began.labels == (("labels.user", "***"),)
    assert b"hunter2" not in b"".join(encode_state(rules.content()))


def test_series_that_are_over_make_room() -> None:
    rules = evaluation(series_max=10)
    for number in range(10):
        rules.tell(record(START, f"service-{number}"), at(START))
    rules.changes(at(START))
    rules.changes(at(START + 1_000))

    assert rules.series == 0


MANY = """
from pathlib import Path
from tests.unit.logging_system.alerting.test_evaluation import START, at, evaluation, record

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

rules = evaluation(series_max=100_000, threshold=10)
before = resident_bytes()
for number in range(100_000):
    rules.tell(record(START + number % 60, f"tenant-{number}-of-many"), at(START))
rules.changes(at(START + 60))
print(rules.series, resident_bytes() - before)
"""


@pytest.mark.slow
def test_a_hundred_thousand_series_fit_into_64_mib() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MANY], capture_output=True, text=True, check=True, timeout=100
    )
    series, held_bytes = map(int, done.stdout.split())

    assert series == 100_000
    assert held_bytes < 64 * 1024 * 1024


def test_a_match_of_everything_looks_at_level_logger_fields_and_text() -> None:
    match = RecordMatch(level="warning", logger="shop", fields={"labels.tenant": "a"}, message="refused")
    document = {
        "log": {"level": "ERROR", "logger": "shop.cart"},
        "labels": {"tenant": "a"},
        "message": "payment refused",
    }

    assert match.matches(document)
    assert not match.matches({**document, "log": {"level": "info", "logger": "shop.cart"}})
    assert not match.matches({**document, "log": {"level": "ERROR", "logger": "shopping"}})
    assert not match.matches({**document, "labels": {"tenant": "b"}})
    assert not match.matches({**document, "message": "paid"})
    assert match.matches(
        {**document, "log.level": "Critical", "log": {"logger": "shop"}, "labels.tenant": "a", "labels": {}}
    )
