"""No canary that the examiner plants survives in a line, whatever stands before and behind it."""

from __future__ import annotations

import pytest

from harness.evidence.lines import GeneratedLines
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.secrets.planting import IN_LINE, PATHS, PlantedLines
from logging_system.masking.declaration import MaskDeclaration
from logging_system.masking.loading import rule_set_of
from logging_system.masking.processor import Mask
from logging_system.records.document import Record

LINES = 4_000
"""Of one run: each kind some tens of times, since one line in four has a canary."""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_canary_survives_in_any_line(seed: int) -> None:
    mask = Mask(rule_set_of(MaskDeclaration()))
    paths = [path for path in PATHS if path in IN_LINE]
    planted = PlantedLines(GeneratedLines(seed), seed, f"run-{seed}", sorted(KINDS), paths)
    survived = []
    for sequence in range(0, LINES * 4, 4):
        line = planted.text(sequence)
        outcome = mask.process(Record.of_document({"message": line}))
        assert isinstance(outcome, Record)
        carried = planted.planted(sequence)
        assert carried is not None
        if any(secret.encode() in outcome.encoded for secret in carried.canary.secrets):
            survived.append((carried.canary.kind, line))

    assert survived == []
