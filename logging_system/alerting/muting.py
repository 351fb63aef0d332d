"""What holds alerts back: silences and acknowledgements by people, and alerts that inhibit others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Matchers = Mapping[str, str]
"""Labels and the values that they must have."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A person's wish that alerts are not told for a while.

    Attributes:
        id: Its name.
        matchers: Labels of the alerts, with their values.
        until_seconds: When it ends, seconds since 1970.
        author: Who made it.
        comment: Why.
    """

    id: str
    matchers: Matchers
    until_seconds: float
    author: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """An alert that makes others needless to tell.

    Attributes:
        source: Labels of the alert that fires.
        target: Labels of those that are held back meanwhile.
        equal: Labels that both must have alike.
    """

    source: Matchers
    target: Matchers
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Muting:
    """All that holds back at one moment.

    Attributes:
        silences: Also those that have run out.
        inhibitions: As declared.
        acknowledged: By fingerprint, when somebody took care of an alert, seconds since 1970.
    """

    silences: tuple[Silence, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    acknowledged: Mapping[str, float] = field(default_factory=dict)

    def is_acknowledged(self, fingerprint: str, since_seconds: float) -> bool:
        """Whether somebody takes care of an alert since it last began.

        Args:
            fingerprint: Which alert.
            since_seconds: When it last began, seconds since 1970; what was acknowledged before that is over.
        """
        return self.acknowledged.get(fingerprint, float("-inf")) >= since_seconds

    def holds_back(
        self, labels: Mapping[str, str], firing: Sequence[Mapping[str, str]], wall_seconds: float
    ) -> bool:
        """Whether an alert is silenced or inhibited.

        Args:
            labels: All labels of the alert.
            firing: All labels of each alert that fires and may inhibit.
            wall_seconds: The time of day, seconds since 1970.
        """
        if any(
            wall_seconds < silence.until_seconds and _have(labels, silence.matchers)
            for silence in self.silences
        ):
            return True
        return any(self._inhibits(each, labels, firing) for each in self.inhibitions)

    def may_inhibit(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels, while it fires, could hold others back."""
        return any(_have(labels, each.source) for each in self.inhibitions)

    def _inhibits(
        self, inhibition: Inhibition, labels: Mapping[str, str], firing: Sequence[Mapping[str, str]]
    ) -> bool:
        # As in Alertmanager, an alert that is source and target at once does not inhibit itself.
        return (
            _have(labels, inhibition.target)
            and not _have(labels, inhibition.source)
            and any(
                _have(source, inhibition.source)
                and all(source.get(name) == labels.get(name) for name in inhibition.equal)
                for source in firing
            )
        )


def _have(labels: Mapping[str, str], matchers: Matchers) -> bool:
    return all(labels.get(name) == value for name, value in matchers.items())
