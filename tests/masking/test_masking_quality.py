"""The share of `make prove-masking` that every change is held to: some labelled lines of the judging half."""

from __future__ import annotations

import pytest

from tests.masking.corpus import lines
from tests.masking.judge import judge
from tests.masking.labelled import KINDS
from tests.masking.maskers import NoMaskerError, product
from tests.masking.report import missed, strayed, table

REQUIRED = 0.99


def test_precision_and_recall_of_the_default_rules_are_at_least_ninety_nine_in_a_hundred():
    try:
        masker = product()
    except NoMaskerError as error:
        pytest.skip(str(error))
    verdict = judge(lines("judging", 1, 2300), masker)

    total = verdict.total()
    told = "\n".join([*table("logging_system.masking", verdict), *missed(verdict, 3), *strayed(verdict, 3)])
    assert set(verdict.scores) >= set(KINDS)
    assert (total.recall() or 0) >= REQUIRED, told
    assert (total.precision() or 0) >= REQUIRED, told
