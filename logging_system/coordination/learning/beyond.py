"""What was more than the bounds allow, counted."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Beyond:
    """What was more than the bounds allow.

    Attributes:
        lines_cut: Lines of more than `CHARACTERS_MAX` characters; what follows these was not looked at.
        templates_given_up: Templates that made room for others.
        lines_of_given_up: Lines that these had counted.
    """

    lines_cut: int = 0
    templates_given_up: int = 0
    lines_of_given_up: int = 0

    def add(self, other: Beyond) -> None:
        """Count what another counted.

        Args:
            other: The other counts; they stay as they are.
        """
        for it in fields(self):
            setattr(self, it.name, getattr(self, it.name) + getattr(other, it.name))

    def added(self, other: Beyond) -> Beyond:
        """Return the sums of both, apart from either.

        Args:
            other: The other counts.
        """
        both = Beyond()
        both.add(self)
        both.add(other)
        return both
