"""A fault on a link that the stack never connected to has examined nothing; every other total loss is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from harness.judging.checkers.acknowledged_lost import VETO, AcknowledgedLost
from harness.judging.timeline import timeline
from harness.judging.unreached import unreached
from harness.judging.verdict import judge
from harness.model.declarations import Step
from harness.model.facts import (
    Acknowledged,
    ArchiveRead,
    Event,
    FaultChanged,
    FaultSeen,
    Found,
    Sample,
    SeenElsewhere,
)
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run, life, without

RESET = Step("connection_reset", "to_store", at_seconds=4.0, for_seconds=2.0)
CHARGE = charge(RESET)
ABSENT = 'no index "logs-1" exists: check `archive.index`'
PROBES = 5


def told(values: Mapping[str, Mapping[float, float]], link: str = "to_store") -> list[Event]:
    """Return samples of a link: of each name, values by the seconds at which they were told."""
    return [
        Sample(at(seconds), f"{name}.{link}", value)
        for name, by_seconds in values.items()
        for seconds, value in by_seconds.items()
    ]


def link(accepted: Mapping[float, float], own: float = PROBES, *, until: float = 13.5) -> list[Event]:
    """Return what a link tells: how many connections it had accepted by when, and how many were our own."""
    return told({"answers": {1: 0, until: 0}, "connections": accepted, "own_connections": {1: 0, until: own}})


OWN_PROBES_ALONE = link({4.5: PROBES})


def lost(*further: Event, absent: str = ABSENT) -> list[Event]:
    """Return a run in which all is acknowledged and nothing was found anywhere, with a fault on the link."""
    events = [
        each for each in good_run() if not isinstance(each, (Found, ArchiveRead, FaultChanged, FaultSeen))
    ]
    states = {"injecting": 4.0, "injected": 4.0, "healing": 6.0, "healed": 6.0}
    changes = [FaultChanged(at(s), 0, RESET.fault, RESET.target, state) for state, s in states.items()]
    proof = FaultSeen(at(4.5), 0, True, "5 of 5 test requests through the link were reset")
    return [*events, *changes, proof, ArchiveRead(at(14), 0, absent), *further]


def status(events: list[Event], of: Step = RESET) -> Status:
    return judge(timeline(events), charge(of), [AcknowledgedLost(charge(of))]).status


def test_a_stack_that_never_connected_to_the_link_that_was_hurt_is_not_judged_and_the_file_is_named():
    judgement = judge(timeline(lost(*OWN_PROBES_ALONE)), CHARGE, [AcknowledgedLost(CHARGE)])
    (verdict,) = judgement.verdicts
    first, address, absent = judgement.remarks[0].splitlines()

    assert (verdict.status, verdict.vetoes) == (Status.ERROR, ())
    assert verdict.summary == first
    assert "Nothing but logquake connected to to_store" in first
    assert "the 400 records that it acknowledged before the first one did not arrive either" in first
    assert "Give it the address {to_store.url}" in address
    assert "logquake run no_fault" in address
    assert absent == f"{ABSENT}."


def test_without_any_fault_the_same_is_a_loss():
    """There the question is whether records arrive, and they do not."""
    events = [each for each in lost(*OWN_PROBES_ALONE) if not isinstance(each, (FaultChanged, FaultSeen))]
    judgement = judge(timeline(events), charge(), [AcknowledgedLost(charge())])

    assert judgement.status is Status.FAIL
    assert judgement.verdicts[0].vetoes == (VETO,)


@pytest.mark.parametrize(
    ("accepted", "when"),
    [
        ({1.0: 1, 4.5: 1 + PROBES}, "before the fault: whatever it was answered, it lost what it had taken"),
        ({4.5: 1 + PROBES}, "while the fault was on: a sender may have died of it"),
        ({4.5: PROBES, 8.0: 1 + PROBES}, "after the fault"),
    ],
)
def test_a_stack_that_connected_once_has_lost_what_is_missing(accepted, when):
    assert status(lost(*link(accepted))) is Status.FAIL, when


def test_a_stack_that_loses_everything_only_after_the_fault_stays_a_fail():
    kept = [event for n in range(390) for event in life(n, n / 100) if isinstance(event, Found)]

    assert status(lost(*kept, *OWN_PROBES_ALONE)) is Status.FAIL
    assert status(lost(*kept, *link({0.5: 1, 4.5: 1 + PROBES}), absent="")) is Status.FAIL


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([], "a link without HTTP cannot be looked into"),
        (link({4.5: PROBES}, own=-1), "a proof was refused, so the stack may have been too"),
        (link({4.5: 3}, own=5), "not every proof was seen, so a connection of the stack may hide among them"),
        (link({4.5: PROBES}, until=11.0), "nobody looked at the end, and a buffer may be sent then"),
        ([*OWN_PROBES_ALONE, *told({"answers": {13.5: 1}}, "to_keys")], "a second link tells not enough"),
        (
            [
                *OWN_PROBES_ALONE,
                *told(
                    {k: {13.5: v} for k, v in [("answers", 1), ("own_connections", 0), ("connections", 1)]},
                    "other",
                ),
            ],
            "it connected to another link",
        ),
    ],
)
def test_where_it_is_not_proved_that_nothing_connected_a_loss_stays_a_fail(samples, why):
    assert status(lost(*samples)) is Status.FAIL, why


@pytest.mark.parametrize("target", ["application", "elasticsearch", "load", "clock"])
def test_a_fault_on_anything_but_a_link_can_have_hit_the_stack(target):
    assert status(lost(*OWN_PROBES_ALONE), replace(RESET, target=target)) is Status.FAIL


def test_an_archive_that_exists_or_a_record_that_is_elsewhere_is_a_loss():
    assert status(lost(*OWN_PROBES_ALONE, absent="")) is Status.FAIL
    assert status(lost(*OWN_PROBES_ALONE, SeenElsewhere(3, "logs-1-old"))) is Status.FAIL


def test_too_few_acknowledged_before_the_fault_prove_nothing():
    events = without(lost(*OWN_PROBES_ALONE), Acknowledged, *range(381))

    assert unreached(timeline(events), CHARGE) == ""
    assert unreached(timeline(without(lost(*OWN_PROBES_ALONE), Acknowledged, *range(380))), CHARGE) != ""


def test_an_archive_that_was_not_read_proves_nothing():
    events: list[Event] = [e for e in lost(*OWN_PROBES_ALONE) if not isinstance(e, ArchiveRead)]

    assert status(events) is Status.INCONCLUSIVE


def test_a_good_run_with_its_own_steps_is_not_touched():
    assert unreached(timeline(good_run()), charge(STEP)) == ""
