"""The memory of the application and the stack's processes stays bounded."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.above_idle import AboveIdle
from harness.judging.checker import Charge
from harness.judging.measure import given_limit
from harness.model.facts import MEMORY_MIB
from harness.model.registry import module_word


class MemoryMibAboveIdle(AboveIdle):
    """The application and the stack's processes take no more than `memory_mib_above_idle`, faults or not."""

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "caller protection"
    sample: ClassVar[str] = MEMORY_MIB
    unit: ClassVar[str] = "MiB"

    def __init__(self, charge: Charge, *, limit_mib: float | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_mib: MiB of memory above idle at most; by default the stack's promise.
        """
        super().__init__(charge, given_limit("limit_mib", limit_mib))
