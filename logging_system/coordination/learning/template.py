"""A template: what all lines of one kind have in common."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from logging_system.coordination.learning.shapes import WILDCARD, Shape

_ID_CHARACTERS = 16


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """A shape that belongs to a template, and shows why what varies there varies.

    Attributes:
        shape: The shape.
        spaces: Before which of its parts white space stands, as bits.
    """

    shape: Shape
    spaces: int


def shape_id(shape: Shape) -> str:
    """Return the identity of a shape: the same on each machine and after each restart."""
    return hashlib.sha256("\x1f".join(shape).encode("utf-8", "surrogatepass")).hexdigest()[:_ID_CHARACTERS]


class Template:
    """What lines of one kind have in common; the miner counts on in it.

    Attributes:
        template_id: Its identity: the same on each machine and after each restart. When two turn out to
            be one, it is the smaller of theirs; `TemplateMiner.current` finds it by either.
        count: Lines seen.
        tokens: Its words and signs, with the wildcard where a value stands.
        is_open: Whether the last wildcard stands for all that follows, which is free text.
    """

    __slots__ = (
        "count",
        "count_when_passed",
        "into",
        "is_open",
        "members",
        "spaces",
        "template_id",
        "tokens",
    )

    def __init__(self, template_id: str, member: Member) -> None:
        self.template_id = template_id
        self.count = 0
        self.tokens = member.shape
        self.spaces = member.spaces
        self.members = [member]
        self.is_open = False
        self.into: Template | None = None
        """The template that this became a part of."""
        self.count_when_passed = 1
        """What `count` was when the search for a template to give up last passed it."""

    def __repr__(self) -> str:
        return f"Template({self.template_id}, {self.text!r}, count={self.count})"

    @property
    def text(self) -> str:
        """The template on one line, with `<*>` for each value."""
        parts: list[str] = []
        for place, token in enumerate(self.tokens):
            if place and self.spaces >> place & 1:
                parts.append(" ")
            parts.append(token)
        return "".join(parts)

    @property
    def values(self) -> int:
        """How many values each of its lines has."""
        return self.tokens.count(WILDCARD)

    def open_after(self, length: int) -> None:
        """Take all that follows the first tokens for free text.

        Args:
            length: How many tokens stay; one that is open already is never open later than before.
        """
        if not self.is_open or length < len(self.tokens) - 1:
            self.tokens = (*self.tokens[:length], WILDCARD)
            self.is_open = True

    def take_in(self, other: Template) -> None:
        """Become what both have in common; `other` leads here from now on."""
        self.template_id = min(self.template_id, other.template_id)
        self.count += other.count
        shorter = min((it for it in (self, other) if it.is_open), key=lambda it: len(it.tokens), default=None)
        self.tokens = tuple(
            mine if mine == theirs else WILDCARD
            for mine, theirs in zip(self.tokens, other.tokens, strict=shorter is None)
        )
        if shorter is not None:
            self.tokens = (*self.tokens[: len(shorter.tokens) - 1], WILDCARD)
            self.is_open = True
        self.spaces |= other.spaces
        self.members += other.members
        self.count_when_passed += other.count_when_passed
        other.members = []
        other.into = self


def current(template: Template) -> Template:
    """Return the template that this one has become."""
    while template.into is not None:
        if template.into.into is not None:
            template.into = template.into.into  # the way is halved each time, so it stays short
        template = template.into
    return template
