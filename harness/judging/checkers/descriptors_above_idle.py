"""The open descriptors of the application and the stack's processes stay bounded."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.above_idle import AboveIdle
from harness.model.facts import DESCRIPTORS
from harness.model.registry import module_word


class DescriptorsAboveIdle(AboveIdle):
    """The application and the stack's processes open no more than `descriptors_above_idle`, faults or not."""

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "degradation"
    sample: ClassVar[str] = DESCRIPTORS
    unit: ClassVar[str] = "descriptors"
