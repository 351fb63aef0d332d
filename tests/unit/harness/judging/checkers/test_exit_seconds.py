from harness.judging.checkers.exit_seconds import ExitSeconds
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import EXIT_SECONDS, Sample
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run

CHARGE = charge(STEP, promises=Promises(exit_seconds=5.0))


def exits(**seconds):
    return [*good_run(), *(Sample(at(15), f"{EXIT_SECONDS}.{name}", each) for name, each in seconds.items())]


def test_exits_in_time_pass():
    verdict = ExitSeconds(CHARGE).check(timeline(exits(application=0.3, stack=4.9)))

    assert (verdict.status, verdict.value) == (Status.PASS, 4.9)


def test_one_slow_exit_fails_and_is_named():
    verdict = ExitSeconds(CHARGE).check(timeline(exits(application=15.0, stack=0.2)))

    assert verdict.status is Status.FAIL
    assert "application ended after 15.00 s (at most 5 s allowed)" in verdict.summary


def test_an_exit_nobody_measured_is_inconclusive():
    assert ExitSeconds(CHARGE).check(timeline(good_run())).status is Status.INCONCLUSIVE
