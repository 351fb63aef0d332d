"""The open descriptors of the application and the stack's processes stay bounded."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.above_idle import AboveIdle
from harness.judging.checker import Charge
from harness.judging.measure import given_limit
from harness.model.facts import DESCRIPTORS
from harness.model.registry import module_word


class DescriptorsAboveIdle(AboveIdle):
    """The application and the stack's processes open no more than `descriptors_above_idle`, faults or not."""

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "degradation"
    sample: ClassVar[str] = DESCRIPTORS
    unit: ClassVar[str] = "descriptors"

    def __init__(self, charge: Charge, *, limit_descriptors: int | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_descriptors: open descriptors above idle at most; by default the stack's promise.
        """
        super().__init__(charge, given_limit("limit_descriptors", limit_descriptors))
