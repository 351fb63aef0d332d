"""Bytes through a link vanish while its connections stay open: the half-open connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.faults.connection_reset import Direction
from harness.model.protocols import Undo
from harness.targets.capabilities import Severable


@dataclass(frozen=True)
class BlackHole:
    """Nothing is refused and nothing arrives; `direction` says which way bytes vanish.

    Args:
        direction: which bytes vanish; `upstream`: what the stack sends, `downstream`: the answers.
    """

    direction: Direction = "upstream"
    needs: ClassVar[type] = Severable

    def undo(self, target: Severable) -> Undo:
        """Name the toxic to remove."""
        return target.undo_toxic(self._name)

    def inject(self, target: Severable, rng: Random) -> AbstractContextManager[None]:
        """Add the toxic, and remove it on exit."""
        return self._injected(target)

    def evidence(self, target: Severable) -> tuple[bool, str]:
        """Ask through the link once: the connection must open and nothing come back."""
        probe = target.probe()
        return (
            probe.outcome == "silent",
            f"a test request through the link: {probe.outcome} after {probe.elapsed_ms:,.0f} ms",
        )

    @property
    def _name(self) -> str:
        return f"black_hole_{self.direction}"

    @contextmanager
    def _injected(self, target: Severable) -> Iterator[None]:
        target.add_toxic(self._name, "timeout", self.direction, {"timeout": 0}, 1.0)
        try:
            yield
        finally:
            target.remove_toxic(self._name)
