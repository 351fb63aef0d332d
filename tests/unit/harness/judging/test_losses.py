"""Lost records told by when they were acknowledged, so that a buffer and a retry budget can be read off."""

from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.losses import loss_lines
from harness.judging.timeline import timeline
from harness.model.facts import Acknowledged, Found
from tests.unit.harness.literal_history import STEP, at, charge, fault, good_run, life, phases, without


def _lines(events, visible_seconds=1.0):
    run = timeline(events)
    lost = [entry for entry in run.acknowledged() if not run.kept(entry.sequence)]
    return loss_lines(run, lost, visible_seconds)


def test_losses_are_split_into_before_in_and_after_the_fault():
    events = without(good_run(), Found, 7, *range(360, 400), *range(400, 520), 600, 601)

    assert _lines(events) == [
        "Missing, acknowledged 3.9 s before killed on elasticsearch began, 1 record: 7.",
        "Missing from the stack's buffer when killed on elasticsearch began, acknowledged 0.4 s to 0.0 s "
        "before that (visible_seconds: 1), 40 records: 360 to 399.",
        "Missing, acknowledged 0.0 s to 1.2 s after killed on elasticsearch began, while it was on, "
        "120 records: 400 to 519.",
        "Missing, acknowledged 0.0 s after killed on elasticsearch was healed, 2 records: 600, 601.",
    ]


def test_between_two_faults_a_loss_belongs_to_the_buffer_of_the_second_or_to_the_time_after_the_first():
    events = [*good_run(), *fault(1, 8.0, 9.0)]

    assert _lines(without(events, Found, 610, *range(790, 800))) == [
        "Missing, acknowledged 0.1 s after killed on elasticsearch was healed, 1 record: 610.",
        "Missing from the stack's buffer when killed on elasticsearch began, acknowledged 0.1 s to 0.0 s "
        "before that (visible_seconds: 1), 10 records: 790 to 799.",
    ]


def test_a_stack_that_lost_as_much_before_lost_nothing_from_its_buffer():
    events = without(good_run(), Found, *range(400))

    assert _lines(events) == [
        "Missing, acknowledged 4.0 s to 0.0 s before killed on elasticsearch began, 400 records: 0 to 399."
    ]


def test_without_a_fault_the_missing_are_named_alone():
    events = [*phases(), *life(1, 1.0), *without(life(2, 2.0), Found, 2)]

    assert _lines(events) == ["Missing: 2."]


def test_the_verdict_names_what_stood_in_the_buffer_and_its_counterexample_the_moment():
    verdict = AcknowledgedLost(charge(STEP)).check(timeline(without(good_run(), Found, *range(350, 420))))

    assert verdict.summary == (
        "70 of 1,002 acknowledged records cannot be read back; 50 of them stood in the stack's buffer when "
        "killed on elasticsearch began."
    )
    assert verdict.counterexample[2].endswith("3.500 s, 0.5 s before killed on elasticsearch began.")


def test_a_record_acknowledged_within_the_fault_is_no_buffered_one():
    late = [*without(without(good_run(), Found, 390), Acknowledged, 390), Acknowledged(390, at(5))]

    assert _lines(late) == [
        "Missing, acknowledged 1.0 s after killed on elasticsearch began, while it was on, 1 record: 390."
    ]
