"""A share of `make prove-findings`: detection in virtual time, by seed."""

from __future__ import annotations

import os

import pytest

from tests.simulation.findings import CHANGES, run

SEEDS = int(os.environ.get("LOGQUAKE_FINDINGS_SEEDS", "60"))


@pytest.mark.slow
def test_honest_load_is_quiet_and_changes_of_declared_size_are_found_in_time() -> None:
    seeds = [run(number) for number in range(SEEDS)]

    assert [sentence for each in seeds for sentence in each.false] == []
    assert [(number, each.change, each.shape) for number, each in enumerate(seeds) if each.missed] == []
    assert {each.is_cause_right for each in seeds if each.change} == {True}
    assert {each.change for each in seeds} - {""} <= set(CHANGES)
