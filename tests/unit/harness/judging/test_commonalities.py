"""What lost records have in common is told where it is planted, and nothing is told where it is chance."""

from __future__ import annotations

from random import Random

import pytest

from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.commonalities import common_lines
from harness.judging.timeline import Timeline, timeline
from harness.model.facts import Acknowledged, Due, FaultChanged, Found, PhaseChanged, SeenElsewhere, Sent
from tests.unit.harness.literal_history import STEP, at, charge, phases

RECORDS = 1_000
PRODUCERS = 4


def _run(*extra, records=RECORDS) -> Timeline:
    """Return a run without losses: every fiftieth line is long, every seventh is not ASCII."""
    events = [
        event
        for n in range(records)
        for event in (
            Due(n, at(n / 100), n % PRODUCERS, "x", 9_000 + n if n % 50 == 0 else 100 + n % 37, n % 7 != 0),
            Sent(n, at(n / 100)),
            Acknowledged(n, at(n / 100)),
        )
    ]
    return timeline([*phases(), *events, *extra])


def _told(run: Timeline, sequences) -> list[str]:
    return common_lines(run, [run.entries[n] for n in sequences], "missing")


def test_what_was_too_long_is_told_with_its_size():
    assert _told(_run(), range(500, RECORDS, 50)) == [
        "All 10 missing records are 9,500 bytes or longer, their identity included. That is true of none of "
        "the 990 others."
    ]


def test_what_is_not_ascii_is_told_though_other_such_records_were_kept():
    (line,) = _told(_run(), range(0, 140, 7))

    assert line == (
        "All 20 missing records hold characters beyond ASCII. That is true of 123 of the 980 others."
    )


def test_one_producer_is_told():
    (line,) = _told(_run(), [n for n in range(30, 130) if n % PRODUCERS == 2])

    assert line.startswith(
        "All 25 missing records come from producer 2. That is true of 225 of the 975 others"
    )


def test_the_last_before_the_end_are_told():
    (line,) = _told(_run(PhaseChanged(at(13), "read back")), range(RECORDS - 8, RECORDS))

    assert line == (
        "All 8 missing records were among the last 8 that were acknowledged before the application was "
        "closed at the end. That is true of none of the 992 others."
    )


def test_the_last_before_a_fault_of_the_application_are_told():
    stopped = [FaultChanged(at(5), 0, "stopped", "application", "injecting")]
    run = _run(*stopped, FaultChanged(at(6), 0, "stopped", "application", "healed"))

    (line,) = _told(run, range(494, 500))

    assert "among the last 6 that were acknowledged before stopped on application began" in line


def test_a_loss_that_lasts_to_the_end_with_many_kept_between_is_no_loss_of_a_close():
    closed = PhaseChanged(at(13), "read back")
    assert _told(_run(closed), [n for n in range(700, RECORDS) if n % 3 == 0]) == []


@pytest.mark.parametrize("lost", [1, 2, 3, 10, 100, 400])
def test_records_chosen_by_chance_have_nothing_in_common(lost):
    run = _run()
    rng = Random(lost)

    told = [line for _ in range(50) for line in _told(run, rng.sample(range(RECORDS), lost))]

    assert told == []


def test_few_records_of_one_producer_are_chance():
    assert _told(_run(), [2, 6, 10, 14]) == []


def test_where_nothing_else_was_acknowledged_there_is_nothing_to_compare():
    run = _run(records=3)

    assert _told(run, range(3)) == []
    assert _told(run, []) == []


def test_the_verdict_of_a_loss_says_what_is_common():
    run = _run(*(Found(n, "x", f"i/{n}") for n in range(RECORDS) if n % 50 or n < 500))

    verdict = AcknowledgedLost(charge(STEP)).check(run)

    assert any("are 9,500 bytes or longer" in line for line in verdict.evidence)


def test_the_verdict_of_a_loss_names_the_place_where_the_records_are():
    elsewhere = [SeenElsewhere(n, 'the index "logs-2"') for n in (3, 5)]
    run = _run(*(Found(n, "x", f"i/{n}") for n in range(RECORDS) if n not in (3, 5, 9)), *elsewhere)

    verdict = AcknowledgedLost(charge(STEP)).check(run)

    assert verdict.value == 3
    assert (
        '2 of them are in the index "logs-2", where the stack file does not look: 3, 5.' in verdict.evidence
    )
