from __future__ import annotations

import random

import pytest

from logging_system.coordination.outcomes.memory import NOTHING, Outcomes


def learned(*, helps: float = 30.0, hurts: float = 900.0, seed: int = 1) -> Outcomes:
    outcomes = Outcomes(random.Random(seed))
    for number in range(8):
        outcomes.note(f"n{number}", "shop", "disk", NOTHING, 300.0 + number)
        outcomes.note(f"a{number}", "shop", "disk", "helps", helps + number)
        outcomes.note(f"b{number}", "shop", "disk", "hurts", hurts + number)
    return outcomes


def test_doing_nothing_is_measured_before_anything_is_risked() -> None:
    outcomes = Outcomes(random.Random(1))

    assert outcomes.choose("shop", "disk", ["a", "b"]) is None
    assert outcomes.propose("shop", "disk", ["a", "b"]) in {"a", "b"}


def test_what_helps_is_chosen_and_what_hurts_is_not() -> None:
    outcomes = learned()

    assert {outcomes.choose("shop", "disk", ["helps", "hurts"]) for _ in range(50)} == {"helps"}
    assert outcomes.is_harmful("shop", "disk", "hurts")
    assert not outcomes.is_harmful("shop", "disk", "helps")


def test_nothing_is_done_where_everything_hurts() -> None:
    assert learned().choose("shop", "disk", ["hurts"]) is None
    assert learned().propose("shop", "disk", ["hurts"]) is None


def test_namespaces_and_causes_learn_apart() -> None:
    outcomes = learned()

    assert outcomes.choose("other", "disk", ["helps"]) is None
    assert outcomes.choose("shop", "keys", ["helps"]) is None


def test_a_finding_counts_once() -> None:
    outcomes = learned()
    outcomes.note("a0", "shop", "disk", "helps", 10_000.0)

    helps = outcomes.standings("shop", "disk", ["helps"])[1]
    assert helps.episodes == 8
    assert helps.mean_seconds < 60


def test_what_a_person_says_counts() -> None:
    outcomes = Outcomes(random.Random(1))
    for number in range(5):
        outcomes.note(f"n{number}", "shop", "disk", NOTHING, 300.0)
    for _ in range(6):
        outcomes.say("shop", "disk", "liked", helped=True)
        outcomes.say("shop", "disk", "disliked", helped=False)

    _, liked, disliked = outcomes.standings("shop", "disk", ["liked", "disliked"])
    assert liked.mean_seconds < 300 < disliked.mean_seconds
    assert (liked.opinions.yes, disliked.opinions.no) == (6, 6)


def test_not_it_takes_back_exactly_what_was_measured() -> None:
    outcomes = Outcomes(random.Random(1))
    outcomes.note("one", "shop", "disk", "a", 100.0)
    before = outcomes.standings("shop", "disk", ["a"])[1]
    outcomes.note("two", "shop", "disk", "a", 9_000.0)
    outcomes.not_it("two", "shop", "disk", "a", "load")

    after = outcomes.standings("shop", "disk", ["a"])[1]
    assert after.episodes == 1
    assert after.mean_seconds == pytest.approx(before.mean_seconds, rel=0.05)
    assert outcomes.standings("shop", "load", ["a"])[1].episodes == 1


def test_what_was_learned_comes_back_from_its_json_and_can_be_forgotten() -> None:
    outcomes = learned()
    other = Outcomes(random.Random(2))
    other.restore(outcomes.content())

    assert other.content() == outcomes.content()
    assert other.standings("shop", "disk", ["helps"]) == outcomes.standings("shop", "disk", ["helps"])
    assert other.reset("shop", "keys") == 0
    assert other.reset("shop") == 1
    assert list(other.contexts()) == []


def test_why_something_is_chosen_is_shown_with_numbers() -> None:
    nothing, helps, hurts = learned().standings("shop", "disk", ["helps", "hurts"])

    assert nothing.workflow == NOTHING
    assert helps.low_seconds < helps.mean_seconds < helps.high_seconds
    assert helps.chosen_share > 0.9
    assert hurts.chosen_share == 0
    assert "likely to take longer than doing nothing" in hurts.why_not
