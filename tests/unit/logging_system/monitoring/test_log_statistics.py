"""What the monitoring handler counts, under virtual time, against a model that keeps every record."""

from __future__ import annotations

import logging
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.monitoring.findings import Burst, Cooldown, Finding
from logging_system.monitoring.log_statistics import NO_CALL, SECOND_NS, Limits, LogStatistics
from logging_system.monitoring.monitoring_snapshot import snapshot_of

START_NS = 1_000 * SECOND_NS + 30_000_000
WALL_SECONDS = 1_700_000_000.0
TEXT = ("failed %s", True, "")
"""What an error says that says nothing else."""


def limits(**changed):
    usual = {
        "slow_call_ms": 50.0,
        "slow_operation_ms": 1_000.0,
        "burst_factor": 5.0,
        "burst_records_min": 100,
        "burst_errors_min": 10,
        "finding_interval_seconds": 10.0,
        "series_max": 512,
        "error_templates_max": 64,
    }
    return Limits(**{**usual, **changed})


def statistics(**changed):
    return LogStatistics(limits(**changed), START_NS)


def entry(at_seconds, *, logger="shop", level=logging.INFO, call=5e-6, duration=None, error=None, set_by=0.0):
    """Return what is kept of a record; the time of day is off by `set_by` seconds from then on."""
    if error is None and level >= logging.ERROR:
        error = TEXT
    moment_ns = START_NS + round(at_seconds * SECOND_NS)
    return (
        moment_ns,
        WALL_SECONDS + at_seconds + set_by,
        call,
        (logger, level),
        duration,
        error and (logger, *error),
    )


def taken(counted, at_seconds):
    return snapshot_of(
        counted,
        START_NS + round(at_seconds * SECOND_NS),
        missed_records=0,
        broken_records=0,
        untold_findings=0,
    )


def counts(snapshot, length_seconds):
    window = snapshot.window(length_seconds)
    return {each.logger: (each.records, each.errors) for each in window.loggers}


records = st.tuples(
    st.integers(0, 3_000),  # milliseconds since the one before
    st.sampled_from(["shop", "shop.cart", "mail"]),
    st.sampled_from([logging.DEBUG, logging.INFO, logging.ERROR, logging.CRITICAL]),
    st.sampled_from([None, 1.5, 20.0]),
)


@settings(deadline=None)
@given(st.lists(st.lists(records, max_size=12), max_size=8), st.integers(0, 20_000))
def test_windows_and_totals_are_those_of_a_model_that_keeps_every_record(batches, last_step_ms):
    counted, kept, now_ms = statistics(), [], 0
    for batch in batches:
        entries = []
        for step_ms, logger, level, duration in batch:
            now_ms += step_ms
            kept.append((now_ms, logger, level, duration))
            entries.append(entry(now_ms / 1e3, logger=logger, level=level, duration=duration))
        counted.tell(entries[::-1])
    now_ms += last_step_ms

    snapshot = taken(counted, now_ms / 1e3)

    assert snapshot.records == len(kept)
    totals = Counter((logger, logging.getLevelName(level)) for _, logger, level, _ in kept)
    assert {(each.logger, each.level): each.records for each in snapshot.series} == totals
    for window in snapshot.windows:
        slot_ms = window.length_seconds * 100
        # Slots begin at multiples of their width on the clock, which showed START_NS at 0.
        start_ms = START_NS // 1_000_000
        begins_ms = ((start_ms + now_ms) // slot_ms - 9) * slot_ms - start_ms
        within = [record for record in kept if record[0] >= begins_ms]
        errors = [record for record in within if record[2] >= logging.ERROR]
        assert (window.records, window.errors) == (len(within), len(errors))
        assert {each.level: each.records for each in window.levels} == Counter(
            logging.getLevelName(record[2]) for record in within
        )
        assert counts(snapshot, window.length_seconds) == {
            logger: (
                sum(record[1] == logger for record in within),
                sum(record[1] == logger for record in errors),
            )
            for logger in {record[1] for record in within}
        }
        assert window.operations.count == sum(record[3] is not None for record in within)
        assert window.covered_seconds == pytest.approx(
            max(min(now_ms - begins_ms, now_ms), 100) / 1e3, abs=1e-6
        )
    last_minute = sum(window.errors for window in snapshot.windows if window.length_seconds == 60)
    assert sum(each.count for each in snapshot.top_errors) == last_minute


def test_a_snapshot_changes_nothing():
    asked, not_asked = statistics(), statistics()
    for step in range(50):
        for counted in (asked, not_asked):
            counted.tell([entry(step * 0.07, level=logging.ERROR, duration=step)])
        taken(asked, step * 0.07 + 0.01)

    assert taken(asked, 4.0) == taken(not_asked, 4.0)


def test_rates_and_ratios_are_those_of_the_time_covered():
    counted = statistics()
    counted.tell([entry(n / 10, level=logging.ERROR if n % 4 == 0 else logging.INFO) for n in range(100)])

    window = taken(counted, 9.93).window(10)

    assert window.covered_seconds == pytest.approx(9.93)
    assert (window.records, window.errors) == (100, 25)
    assert window.per_second == pytest.approx(100 / 9.93)
    assert window.error_ratio == 0.25


def test_names_beyond_the_limit_are_counted_as_others_and_add_up():
    counted = statistics(series_max=3)
    counted.tell([entry(0.01, logger=f"tenant-{n}") for n in range(1_000)])
    counted.tell([entry(0.02, logger="late", level=logging.ERROR)])

    snapshot = taken(counted, 0.05)

    assert counts(snapshot, 60) == {
        "(other)": (998, 1),
        "tenant-0": (1, 0),
        "tenant-1": (1, 0),
        "tenant-2": (1, 0),
    }
    assert sum(each.records for each in snapshot.series) == snapshot.records == 1_001


def test_a_name_that_was_silent_for_a_window_gives_its_room_to_another():
    counted = statistics(series_max=2)
    counted.tell([entry(0.0, logger="once"), entry(0.0, logger="always"), entry(0.0, logger="new")])
    for second in range(1, 70):
        counted.tell([entry(second, logger="always"), entry(second, logger="new")])

    assert counts(taken(counted, 69.1), 1) == {"always": (1, 0), "new": (1, 0)}


def test_levels_beyond_the_limit_are_counted_as_others_and_known_ones_stay():
    counted = statistics()
    counted.tell([entry(0.0, level=level, error=TEXT) for level in range(100, 400)])
    counted.tell([entry(0.0, level=logging.WARNING)])

    levels = {each.level: each.records for each in taken(counted, 0.05).window(1).levels}

    assert levels["WARNING"] == 1
    assert levels["(other)"] == 300 - 11
    assert len(levels) == 1 + 11 + 1


@pytest.mark.parametrize("duration", ["12", True, -1.0, float("nan"), float("inf"), 10**400, object(), [1.0]])
def test_what_is_no_duration_is_counted_as_none(duration):
    counted = statistics()
    counted.tell([entry(0.0, duration=duration), entry(0.0, duration=7)])

    snapshot = taken(counted, 0.05)

    assert snapshot.invalid_durations == 1
    assert snapshot.operations.count == 1
    assert snapshot.operations.sum_ms == 7.0


def test_a_slow_call_is_found_with_its_logger_and_time():
    counted = statistics()

    found = counted.tell([entry(0.0), entry(1.0, call=0.0731, logger="shop.payment"), entry(1.0)])

    (finding,) = found
    assert (finding.kind, finding.logger, finding.limit) == ("slow_call", "shop.payment", 50.0)
    assert finding.value == pytest.approx(73.1)
    assert finding.sentence == "A log call of shop.payment took 73.1 ms; the limit is 50 ms"
    assert taken(counted, 1.0).calls.count == 3


@pytest.mark.parametrize("set_by", [3600.0, 0.2, -3600.0])
def test_a_time_of_day_that_was_set_makes_no_slow_call(set_by):
    counted = statistics()
    counted.tell([entry(0.0)])

    found = counted.tell([entry(1.0, call=5e-6 + set_by, set_by=set_by), entry(1.1, set_by=set_by)])

    snapshot = taken(counted, 1.2)
    assert found == []
    assert snapshot.clock_jumps == 1
    assert snapshot.calls.count == 2
    assert snapshot.calls.sum_ms == pytest.approx(0.01)


def test_a_slow_call_after_the_time_of_day_was_set_is_found():
    counted = statistics()
    counted.tell([entry(0.0)])
    counted.tell([entry(1.0, set_by=3600.0)])

    assert [finding.kind for finding in counted.tell([entry(2.0, call=0.5, set_by=3600.0)])] == ["slow_call"]


def test_a_time_that_is_none_does_no_harm():
    counted = statistics()
    counted.tell([entry(0.0, call=float("nan")), entry(0.0, call=NO_CALL), entry(0.0)])

    snapshot = taken(counted, 0.1)
    assert snapshot.records == 3
    assert snapshot.calls.count == 1
    assert snapshot.calls.sum_ms == pytest.approx(0.005)


def test_a_slow_operation_is_found():
    counted = statistics()

    (finding,) = counted.tell([entry(0.0, duration=1_000.0), entry(0.0, duration=1_000.5)])

    assert finding == Finding("slow_operation", "shop", 1_000.5, 1_000.0, 1, START_NS)


def test_findings_of_a_kind_and_logger_are_told_once_within_the_interval_and_counted():
    counted = statistics()
    found = [
        (second, finding.logger, finding.count)
        for second in range(25)
        for finding in counted.tell(
            [entry(second, duration=2_000.0), entry(second, duration=2_000.0, logger="mail")]
        )
    ]

    assert found == [
        (0, "shop", 1),
        (0, "mail", 1),
        (10, "shop", 10),
        (10, "mail", 10),
        (20, "shop", 10),
        (20, "mail", 10),
    ]
    assert taken(counted, 25.0).findings_by_kind["slow_operation"] == 50


def at_rate(counted, per_second, from_seconds, to_seconds, **fields):
    found = []
    for tenth in range(round(from_seconds * 10), round(to_seconds * 10)):
        batch = [entry(tenth / 10 + n * 1e-4, **fields) for n in range(per_second // 10)]
        found += [(tenth / 10, finding.kind) for finding in counted.tell(batch)]
    return found


def test_a_burst_of_records_is_found_when_it_begins_and_once():
    counted = statistics()

    assert at_rate(counted, 50, 0, 30) == []
    # 250 a second are in order; 1,000 a second exceed that within 0.3 s.
    assert at_rate(counted, 1_000, 30, 33) == [(30.2, "record_burst")]
    assert at_rate(counted, 50, 33, 120) == []
    assert at_rate(counted, 1_000, 120, 122) == [(120.2, "record_burst")]


def test_a_rate_that_is_usual_is_no_burst():
    counted = statistics()

    assert at_rate(counted, 2_000, 0, 60) == []


def test_a_start_is_no_burst_of_records_but_errors_at_a_start_are_one():
    counted = statistics()

    assert at_rate(counted, 1_000, 0, 2) == []
    assert at_rate(counted, 20, 2, 3, level=logging.ERROR) == [(2.4, "error_burst")]


def test_errors_that_are_usual_are_no_burst():
    burst = Burst(factor=5.0, count_min=10, history_ns=0)

    assert burst.limit(100, 59 * 20, 59 * SECOND_NS) is None
    assert burst.limit(101, 59 * 20, 59 * SECOND_NS) == 100.0
    assert burst.limit(102, 59 * 20, 59 * SECOND_NS) is None


def test_the_cooldown_remembers_a_bounded_number_of_loggers():
    cooldown = Cooldown(10 * SECOND_NS)
    told = [
        cooldown.passed(Finding("slow_call", f"tenant-{n}", 60.0, 50.0, 1, n)) is not None
        for n in range(1_000)
    ]

    assert sum(told) == 257  # those beyond share one
    assert cooldown.passed(Finding("slow_call", "fresh", 60.0, 50.0, 1, 20 * SECOND_NS)) is not None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"slow_call_ms": 0}, "slow_call_ms is 0; it must be above 0"),
        ({"slow_operation_ms": float("nan")}, "slow_operation_ms is nan; it must be above 0"),
        ({"burst_factor": 0.5}, "burst_factor is 0.5; it must be 1 or more"),
        ({"finding_interval_seconds": -1}, "finding_interval_seconds is -1; it must be 0 or more"),
        ({"series_max": 0}, "series_max is 0; it must be 1 or more"),
    ],
)
def test_a_number_out_of_its_range_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        limits(**changed)


@pytest.mark.slow
def test_memory_does_not_follow_the_number_of_names_messages_and_levels():
    letters = str.maketrans("0123456789", "ghijklmnop")

    def feed(counted, first, last):
        for begin in range(first, last, 64):
            counted.tell(
                [
                    entry(
                        n / 100,
                        logger=f"logger {n} {'x' * (n % 400)}",
                        level=40 + n % 1_000,
                        duration=n % 5_000,
                        error=(f"{n}".translate(letters) + "x" * 190, n % 2 == 0, f"Error{n}"),
                    )
                    for n in range(begin, begin + 64)
                ]
            )

    tracemalloc.start()
    try:
        counted = statistics()
        feed(counted, 0, 8_000)  # 80 s: every window is full
        half_bytes = tracemalloc.get_traced_memory()[0]
        feed(counted, 8_000, 16_000)
        all_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert taken(counted, 160.0).records == 16_000
    assert half_bytes < 8 << 20
    assert all_bytes < half_bytes + (256 << 10)
