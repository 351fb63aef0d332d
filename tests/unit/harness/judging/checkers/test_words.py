"""A check has one word: in scenario files and lists, as its module's name, and as its verdict's id."""

from datetime import date

import pytest
from click.testing import CliRunner

from harness.cli.listing import listing
from harness.config.checks import all_checks
from harness.judging.checkers import CHECKERS
from harness.judging.gate import decide
from harness.judging.gate_rules import GateRules, ObjectiveRule
from harness.judging.score import WEIGHTS, score
from harness.judging.timeline import timeline
from harness.model.declarations import Part, Promises
from tests.unit.harness.literal_history import STEP, charge, good_run

CHARGE = charge(STEP, promises=Promises(order_by=("event.sequence",)))


@pytest.mark.parametrize("word", CHECKERS.kinds)
def test_the_word_of_a_check_is_the_name_of_its_module_and_the_id_of_its_verdict(word):
    checker = CHECKERS.resolve(word)

    assert checker.__module__ == f"harness.judging.checkers.{word}"
    assert checker(CHARGE).check(timeline(good_run())).objective == word


@pytest.mark.parametrize("word", CHECKERS.kinds)
def test_the_class_of_a_check_is_called_like_its_word(word):
    assert CHECKERS.resolve(word).__name__ == "".join(part.capitalize() for part in word.split("_"))


def test_a_scenario_file_and_the_list_of_checks_speak_these_words():
    shown = CliRunner().invoke(listing, []).output

    assert [check.part() for check in all_checks()] == [Part(word) for word in CHECKERS.kinds]
    assert [word for word in CHECKERS.kinds if f"  {word} " not in shown] == []


@pytest.mark.parametrize("word", CHECKERS.kinds)
def test_a_gates_rule_by_the_word_finds_what_the_check_judged(word):
    verdict = CHECKERS.resolve(word)(CHARGE).check(timeline(good_run()))
    made = score({word: verdict.dimension}, [verdict])

    decision = decide(made, [verdict], GateRules(objectives={word: ObjectiveRule()}), date(2026, 1, 1))

    assert not any("nobody judged" in reason for reason in decision.reasons)


@pytest.mark.parametrize("word", CHECKERS.kinds)
def test_a_check_counts_for_a_dimension_of_the_score(word):
    assert CHECKERS.resolve(word).dimension in WEIGHTS
