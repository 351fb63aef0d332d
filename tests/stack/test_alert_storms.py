"""A few short storms on real receivers, and a judge that is shown each kind of wrong: `make prove-storms`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.storms.__main__ import run_storms
from tests.storms.judging import Evidence, Judgement, Logged, judge
from tests.storms.plan import SHORT_SECONDS, plan_of
from tests.storms.receivers import Outage, Took

SEEDS = (5, 7, 9)


@pytest.mark.alone
@pytest.mark.slow
def test_in_a_storm_no_alert_is_missed_repeated_late_or_false() -> None:
    totals = run_storms(SEEDS, len(SEEDS), SHORT_SECONDS)

    assert totals.failed == []
    assert all(judgement.alerts > 0 for judgement in totals.by_channel.values())


def test_the_few_storms_kill_watch_and_hurt_both_receivers() -> None:
    plans = [plan_of(seed, SHORT_SECONDS) for seed in SEEDS]

    assert any(death.is_kill for plan in plans for death in plan.deaths)
    assert all(any(plan.unwell[channel] for plan in plans) for channel in ("hook", "mail"))


START = 1_700_000_000.0
OFFSET_SECONDS = 50.0 - START
BURST = Logged("pay", tuple(START + number / 100 for number in range(6)), OFFSET_SECONDS)


def body(state: str = "firing", made: float = 1.0, **changes: Any) -> dict[str, Any]:
    notice = {
        "labels": {"service.name": "pay"},
        "state": state,
        "times": 1,
        "since_seconds": START,
        **changes,
    }
    return {"made_seconds": START + made, "alerts": [notice]}


def took(key: str, at: float = 51.0, *, is_answered: bool = True) -> Took:
    return Took(at, key, None, is_answered)


GOOD = Evidence(
    logged=[BURST],
    took=[took("k1"), took("k2", 60.0)],
    bodies={"k1": body(), "k2": body("resolved", 9.0, times=0)},
)


def wrong(evidence: Evidence) -> dict[str, int]:
    found = judge(evidence)
    names = ("missed", "repeated", "false", "late", "unended")
    return {name: count for name in names if (count := getattr(found, name))}


def test_an_alert_told_once_in_time_with_its_end_is_right() -> None:
    found = judge(GOOD)

    assert (found.is_clean, found.alerts) == (True, 1)
    assert found.seconds == pytest.approx([0.96])


def test_the_judge_sees_an_alert_that_nobody_was_told() -> None:
    assert wrong(replace(GOOD, took=[], bodies={})) == {"missed": 1}


def test_the_judge_sees_two_keys_for_one_firing() -> None:
    twice = replace(GOOD, took=[*GOOD.took, took("k3", 61.0)], bodies={**GOOD.bodies, "k3": body(made=8.0)})

    assert wrong(twice) == {"repeated": 1}


def test_the_judge_sees_a_repeat_within_the_cooldown() -> None:
    again = {**GOOD.bodies, "k3": body(made=4.0, times=0)}

    assert wrong(replace(GOOD, took=[*GOOD.took, took("k3", 54.0)], bodies=again)) == {"repeated": 1}


def test_the_same_key_again_is_right_only_after_a_crash_or_an_unknown_answer() -> None:
    copies = replace(GOOD, took=[took("k1"), *GOOD.took])

    assert wrong(copies) == {"repeated": 1}
    assert wrong(replace(copies, crashes=1)) == {}
    assert wrong(replace(GOOD, took=[took("k1", is_answered=False), *GOOD.took])) == {}


def test_the_judge_sees_an_alert_without_a_burst() -> None:
    few = replace(BURST, moments=BURST.moments[:4])
    elsewhere = {**GOOD.bodies, "k1": body(since_seconds=START - 60)}

    assert wrong(replace(GOOD, logged=[few])) == {"repeated": 1}
    assert wrong(replace(GOOD, bodies=elsewhere)) == {"false": 1, "missed": 1}
    assert wrong(replace(GOOD, took=[*GOOD.took, took("unknown")])) == {"false": 1}


def test_the_judge_sees_a_late_message_unless_something_was_in_its_way() -> None:
    late = replace(GOOD, took=[took("k1", 56.0), took("k2", 60.0)])

    assert wrong(late) == {"late": 1}
    assert wrong(replace(late, outages=[Outage(49.0, 52.0, "down")])) == {}
    assert wrong(replace(late, unwatched=[(50.5, 53.0)])) == {}


def test_the_judge_sees_an_end_that_nobody_was_told() -> None:
    assert wrong(replace(GOOD, took=[took("k1")])) == {"unended": 1}


def test_what_a_receiver_refused_for_good_is_parked_and_not_missed() -> None:
    parked = replace(GOOD, took=[took("k2", 60.0)], parked=frozenset({"k1"}))

    assert (wrong(parked), judge(parked).parked) == ({}, 1)


def test_judgements_of_storms_add_up() -> None:
    total = Judgement()
    total.add(judge(GOOD))
    total.add(judge(replace(GOOD, took=[], bodies={})))

    assert (total.alerts, total.missed, len(total.seconds)) == (2, 1, 1)
