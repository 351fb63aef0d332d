import pytest

from harness.judging.checkers.descriptors_above_idle import DescriptorsAboveIdle
from harness.judging.checkers.disk_mib_above_idle import DiskMibAboveIdle
from harness.judging.checkers.exit_seconds import ExitSeconds
from harness.judging.checkers.memory_mib_above_idle import MemoryMibAboveIdle
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import DESCRIPTORS, DISK_MIB, MEMORY_MIB, Sample
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run

PROMISES = Promises(
    exit_seconds=5.0, memory_mib_above_idle=64.0, descriptors_above_idle=10, disk_mib_above_idle=32.0
)
CHARGE = charge(STEP, promises=PROMISES)
CHECKERS = (MemoryMibAboveIdle, DescriptorsAboveIdle, DiskMibAboveIdle, ExitSeconds)
MEMORY = MemoryMibAboveIdle(CHARGE)


def samples(name, idle, *later):
    """Return an idle sample and one a second from the start of sending on."""
    return [
        Sample(at(-0.4), name, idle),
        *(Sample(at(n + 0.5), name, value) for n, value in enumerate(later)),
    ]


def test_memory_that_stays_within_the_promise_passes():
    verdict = MEMORY.check(timeline([*good_run(), *samples(f"{MEMORY_MIB}.shipper", 30, 40, 80, 50)]))

    assert (verdict.status, verdict.value) == (Status.PASS, 50)


def test_memory_that_grows_while_the_store_is_down_fails_and_says_when():
    verdict = MEMORY.check(
        timeline([*good_run(), *samples(f"{MEMORY_MIB}.application", 30, 31, 32, 32, 40, 100, 120, 90)])
    )

    assert (verdict.status, verdict.value) == (Status.FAIL, 90)
    assert "while killed on elasticsearch was on" in verdict.counterexample[1]


def test_processes_are_summed_up():
    events = [
        *good_run(),
        *samples(f"{MEMORY_MIB}.application", 30, 70, 70, 70),
        *samples(f"{MEMORY_MIB}.shipper", 30, 70, 70, 70),
    ]

    assert MEMORY.check(timeline(events)).status is Status.FAIL


def test_what_the_control_grew_by_is_the_harnesss_own():
    events = [
        *good_run(),
        *samples(f"{MEMORY_MIB}.application", 30, 100, 100, 100),
        *samples(f"{MEMORY_MIB}.control", 30, 50, 50, 50),
    ]

    assert MEMORY.check(timeline(events)).value == 50


def test_the_controls_own_growth_is_nobodys_fault():
    events = [
        *good_run(),
        *samples(f"{MEMORY_MIB}.application", 30, 31, 31, 31),
        *samples(f"{MEMORY_MIB}.control", 30, 500, 500, 500),
    ]

    assert MEMORY.check(timeline(events)).status is Status.PASS


def test_a_process_not_seen_when_idle_leaves_the_verdict_open():
    events = [
        *good_run(),
        *samples(f"{MEMORY_MIB}.application", 30, 31, 31, 31),
        *samples(f"{MEMORY_MIB}.shipper", 30, 31, 31, 31)[1:],
    ]

    assert MEMORY.check(timeline(events)).status is Status.INCONCLUSIVE


def test_memory_nobody_measured_is_inconclusive():
    assert MEMORY.check(timeline(good_run())).status is Status.INCONCLUSIVE
    assert MEMORY.check(timeline([])).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("checker", "name", "fine", "bad"),
    [
        (DescriptorsAboveIdle, f"{DESCRIPTORS}.shipper", 30, 31),
        (DiskMibAboveIdle, f"{DISK_MIB}.stack", 52, 53),
    ],
)
def test_descriptors_and_disk_are_bounded_alike(checker, name, fine, bad):
    within = checker(CHARGE).check(timeline([*good_run(), *samples(name, 20, 21, fine, 22)]))
    beyond = checker(CHARGE).check(timeline([*good_run(), *samples(name, 20, 21, bad, 22)]))

    assert (within.status, beyond.status) == (Status.PASS, Status.FAIL)
    assert within.dimension == "degradation"


def test_what_is_not_promised_is_not_planned_and_says_so():
    bare = charge(STEP)

    assert [each(bare).lacks() for each in CHECKERS] == [
        "the stack promises no memory_mib_above_idle",
        "the stack promises no descriptors_above_idle",
        "the stack promises no disk_mib_above_idle",
        "the stack promises no exit_seconds",
    ]
    assert [each(CHARGE).lacks() for each in CHECKERS] == [""] * 4
