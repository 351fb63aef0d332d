"""The memory of the application and the stack's processes stays bounded."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.above_idle import AboveIdle
from harness.model.facts import MEMORY_MIB
from harness.model.registry import module_word


class MemoryMibAboveIdle(AboveIdle):
    """The application and the stack's processes take no more than `memory_mib_above_idle`, faults or not."""

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "caller protection"
    sample: ClassVar[str] = MEMORY_MIB
    unit: ClassVar[str] = "MiB"
