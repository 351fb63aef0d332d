"""What the faults at the HTTP level share: a rule on the interceptor, and its counters for proof."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Interceptable


@dataclass(frozen=True)
class HttpRule(ABC):
    """A fault that is one rule; proved by what the interceptor did to the stack's own requests."""

    needs: ClassVar[type] = Interceptable
    kind: ClassVar[str]
    """The interceptor's word for it; also the rule's name."""

    proofs: ClassVar[tuple[str, ...]]
    """Counters of the rule; one of them above 0 is proof."""

    deliberation_seconds: ClassVar[float] = 0.0
    """See `Poisons`; of no matter where nothing is refused for good."""

    @abstractmethod
    def arguments(self) -> Arguments:
        """Return what the interceptor's kind takes."""

    def arguments_on(self, target: Interceptable) -> Arguments:
        """Return what the kind takes on the link `target`: the same on each, unless a fault knows better."""
        return self.arguments()

    @abstractmethod
    def saw(self, counters: Mapping[str, int]) -> str:
        """Say what was seen, for a person.

        Args:
            counters: what the interceptor has counted for the rule, by the words of `proofs` and others; a
                word that is missing counts as 0.
        """

    @property
    def share_of_requests(self) -> float:
        """The share of requests that are hit."""
        return 1.0

    def undo(self, target: Interceptable) -> Undo:
        """Name the rule to remove.

        Args:
            target: the link on which the rule is about to be set.

        Returns:
            How a later process takes it off, for the journal.
        """
        return target.undo_rule(self.kind)

    def inject(self, target: Interceptable, rng: Random) -> AbstractContextManager[None]:
        """Set the rule, and remove it on exit.

        Args:
            target: the link on which the rule is set.
            rng: of this fault alone; decides which requests are hit where not all are.

        Returns:
            What sets the rule as it is entered.
        """
        return self._injected(target, rng.randrange(2**32))

    def evidence(self, target: Interceptable) -> tuple[bool, str]:
        """Wait a moment for the stack's own requests to meet the rule.

        Args:
            target: the link on which the rule is set.

        Returns:
            Whether a counter of `proofs` is above 0, and what was seen.
        """
        return self._counted(target.altered(self.kind, self.proofs))

    def evidence_in_all(self, target: Interceptable) -> tuple[bool, str]:
        """Read what the rule has done by now.

        Args:
            target: the link on which the rule is set.

        Returns:
            Whether a counter of `proofs` is above 0, and what was seen; nothing is waited for.
        """
        return self._counted(target.altered(self.kind, self.proofs, timeout_seconds=0.0))

    def _counted(self, counters: Mapping[str, int]) -> tuple[bool, str]:
        return any(counters.get(proof, 0) for proof in self.proofs), self.saw(counters)

    @contextmanager
    def _injected(self, target: Interceptable, seed: int) -> Iterator[None]:
        target.add_rule(self.kind, self.kind, self.arguments_on(target), self.share_of_requests, seed)
        try:
            yield
        finally:
            target.remove_rule(self.kind)


def require_share(name: str, value: float) -> None:
    """Refuse what is no share.

    Args:
        name: of the argument, as the scenario file has it.
        value: more than 0 and at most 1.

    Raises:
        ScenarioError: the value is not above 0 and at most 1.
    """
    if not 0 < value <= 1:
        raise ScenarioError(f"{name} {value} is not in (0, 1]; write the share of requests")


def require_path(path: str) -> None:
    """Refuse what names no requests.

    Raises:
        ScenarioError: it is neither the last part of a path nor `*`.
    """
    if not path or "/" in path:
        raise ScenarioError(f"path {path!r} is not the last part of a path, such as _bulk, nor *")


def requests_named(path: str, what: str) -> str:
    """Return what requests to a path are called, such as `bulk answers`.

    Args:
        path: the last part of their path, or `*`.
        what: the noun.
    """
    return f"bulk {what}" if path == "_bulk" else what
