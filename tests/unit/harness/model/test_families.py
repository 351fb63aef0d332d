import pytest

from harness.evidence.archives import ARCHIVES
from harness.evidence.counters import COUNTERS
from harness.faults import FAULTS
from harness.judging.checkers import CHECKERS
from harness.load import LOADS
from harness.load.intakes import INTAKES
from harness.load.schedules import SCHEDULES

ENTRIES = [
    pytest.param(family, word, id=f"{family.noun} {word}")
    for family in (ARCHIVES, CHECKERS, COUNTERS, FAULTS, INTAKES, LOADS, SCHEDULES)
    for word in family.kinds
]


@pytest.mark.parametrize(("family", "word"), ENTRIES)
def test_every_word_of_a_family_names_a_class_that_exists(family, word):
    assert isinstance(family.resolve(word), type)
