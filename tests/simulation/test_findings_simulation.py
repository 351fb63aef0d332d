"""A share of `make prove-findings`: detection in virtual time, by seed."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from logging_system.coordination.detection.detector import Detector
from logging_system.coordination.detection.pipeline_moment import PipelineMoment
from logging_system.coordination.findings import Finding
from tests.simulation.findings import CHANGES, run

SEEDS = int(os.environ.get("LOGQUAKE_FINDINGS_SEEDS", "60"))


@pytest.mark.slow
def test_honest_load_is_quiet_and_changes_of_declared_size_are_found_in_time() -> None:
    seeds = [run(number) for number in range(SEEDS)]

    assert [sentence for each in seeds for sentence in each.false] == []
    assert [(number, each.change, each.shape) for number, each in enumerate(seeds) if each.missed] == []
    assert {each.is_cause_right for each in seeds if each.change} == {True}
    assert {each.change for each in seeds} - {""} <= set(CHANGES)


class SeesNothing(Detector):
    """Finds nothing, whatever happens."""

    def look(self, moment: PipelineMoment, read_seconds: float) -> list[Finding]:
        return []


class CriesWolf(Detector):
    """Takes each failed request for forty."""

    def look(self, moment: PipelineMoment, read_seconds: float) -> list[Finding]:
        shipper = moment.shipper
        if shipper is not None:
            shipper = replace(shipper, unproved=40 * shipper.unproved)
        return super().look(replace(moment, shipper=shipper), read_seconds)


@pytest.mark.slow
def test_a_detector_that_sees_nothing_misses_and_one_that_cries_wolf_is_false() -> None:
    blind = [run(number, SeesNothing) for number in range(0, 12, 2)]
    wolves = [run(number, CriesWolf) for number in range(1, 12, 2)]

    assert all(each.missed for each in blind)
    assert any(each.false for each in wolves)
