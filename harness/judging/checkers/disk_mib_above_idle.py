"""What the stack keeps on disk stays bounded."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.above_idle import AboveIdle
from harness.judging.checker import Charge
from harness.judging.measure import given_limit
from harness.model.facts import DISK_MIB
from harness.model.registry import module_word


class DiskMibAboveIdle(AboveIdle):
    """What the stack keeps below its folder stays within `disk_mib_above_idle`, faults or not."""

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "degradation"
    sample: ClassVar[str] = DISK_MIB
    unit: ClassVar[str] = "MiB"

    def __init__(self, charge: Charge, *, limit_mib: float | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_mib: MiB on disk above idle at most; by default the stack's promise.
        """
        super().__init__(charge, given_limit("limit_mib", limit_mib))
