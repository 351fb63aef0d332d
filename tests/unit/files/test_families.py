import pytest

from harness.archives import ARCHIVES
from harness.checkers import CHECKERS
from harness.counters import COUNTERS
from harness.faults import FAULTS
from harness.intakes import INTAKES
from harness.workloads import WORKLOADS

ENTRIES = [
    pytest.param(family, word, id=f"{family.noun} {word}")
    for family in (ARCHIVES, CHECKERS, COUNTERS, FAULTS, INTAKES, WORKLOADS)
    for word in family.kinds
]


@pytest.mark.parametrize(("family", "word"), ENTRIES)
def test_every_word_of_a_family_names_a_class_that_exists(family, word):
    assert isinstance(family.resolve(word), type)
