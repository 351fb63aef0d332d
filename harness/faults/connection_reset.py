"""Connections through a link are reset as soon as data flows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal, TypeAlias

from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Severable

Direction: TypeAlias = Literal["upstream", "downstream"]
_PROBES = 5


@dataclass(frozen=True)
class ConnectionReset:
    """The other side gets a TCP RST in place of data.

    `direction: upstream` hits the request before the store sees it; `downstream` hits the answer, after the
    store may have committed.

    Args:
        direction: which data meet the reset; `upstream`: requests, `downstream`: answers.
        toxicity: the share of connections that are reset, above 0 and at most 1.
    """

    direction: Direction = "upstream"
    toxicity: float = 1.0
    needs: ClassVar[type] = Severable

    def __post_init__(self) -> None:
        """Refuse what no proxy understands.

        Raises:
            ScenarioError: the toxicity is out of range.
        """
        if not 0 < self.toxicity <= 1:
            raise ScenarioError(f"toxicity {self.toxicity} is not in (0, 1]; write the share of connections")

    def undo(self, target: Severable) -> Undo:
        """Name the toxic to remove."""
        return target.undo_toxic(self._name)

    def inject(self, target: Severable, rng: Random) -> AbstractContextManager[None]:
        """Add the toxic, and remove it on exit."""
        return self._injected(target)

    def evidence(self, target: Severable) -> tuple[bool, str]:
        """Ask through the link a few times and count the resets seen."""
        outcomes = [target.probe().outcome for _ in range(_PROBES)]
        resets = outcomes.count("reset")
        return resets > 0, f"{resets} of {_PROBES} test requests through the link were reset"

    @property
    def _name(self) -> str:
        return f"connection_reset_{self.direction}"

    @contextmanager
    def _injected(self, target: Severable) -> Iterator[None]:
        target.add_toxic(self._name, "reset_peer", self.direction, {"timeout": 0}, self.toxicity)
        try:
            yield
        finally:
            target.remove_toxic(self._name)
