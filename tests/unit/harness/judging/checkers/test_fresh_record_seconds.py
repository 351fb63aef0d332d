from harness.judging.checkers.fresh_record_seconds import FreshRecordSeconds
from harness.judging.timeline import timeline
from harness.model.facts import PROBES_FOUND, Due, Sample
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run

CHECKER = FreshRecordSeconds(charge(STEP))


def _with_samples(*samples: Sample):
    return [event for event in good_run() if not isinstance(event, Sample)] + list(samples)


def test_probes_found_in_time_pass_with_the_time_it_took():
    verdict = CHECKER.check(timeline(good_run()))

    assert verdict.status is Status.PASS
    assert verdict.value == 0.5


def test_the_first_complete_reading_counts():
    events = _with_samples(Sample(at(13), PROBES_FOUND, 1), Sample(at(15), PROBES_FOUND, 2))

    assert CHECKER.check(timeline(events)).value == 3.0


def test_probes_that_never_all_arrive_fail():
    verdict = CHECKER.check(
        timeline(_with_samples(Sample(at(13), PROBES_FOUND, 0), Sample(at(42), PROBES_FOUND, 1)))
    )

    assert verdict.status is Status.FAIL
    assert verdict.summary == "1 of 2 fresh records arrived within 30 s."


def test_probes_that_arrive_after_the_limit_fail():
    assert CHECKER.check(timeline(_with_samples(Sample(at(43), PROBES_FOUND, 2)))).status is Status.FAIL


def test_without_a_reading_there_is_no_verdict():
    assert CHECKER.check(timeline(_with_samples())).status is Status.INCONCLUSIVE


def test_without_a_probe_there_is_no_verdict():
    events = [event for event in good_run() if not (isinstance(event, Due) and event.at_ns >= at(12))]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE
