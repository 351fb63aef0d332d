"""A check has one word: in scenario files and lists, as its module's name, and as its verdict's id."""

import pytest

from harness.judging.checkers import CHECKERS
from harness.judging.score import WEIGHTS
from harness.judging.timeline import timeline
from harness.model.protocols import Promises
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


@pytest.mark.parametrize("word", CHECKERS.kinds)
def test_a_check_counts_for_a_dimension_of_the_score(word):
    assert CHECKERS.resolve(word).dimension in WEIGHTS
