"""Learns templates from a stream of lines, in bounded memory and bounded time a line.

line ─ masks ─▶ masked line ─ known? ─▶ template
                    └─ shape ─ known? ─▶ template
                         └─ differs from a known one in nothing but a value? ─▶ template
                              └─ a new template; in which words it differs from others is counted
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from logging_system.coordination.learning import shapes, snapshot
from logging_system.coordination.learning.beyond import Beyond
from logging_system.coordination.learning.known_shapes import KnownShapes
from logging_system.coordination.learning.masked_lines import MaskedLines
from logging_system.coordination.learning.masks import CHARACTERS_MAX, MASK, masked, values
from logging_system.coordination.learning.template import Member, Template, current
from logging_system.coordination.learning.value_places import ValuePlaces, filled


class TemplateMiner:
    """Learns templates from lines.

    Args:
        templates_max: Shapes, and so templates, that are kept. For a new one, one that came least of late is
            given up.
    """

    def __init__(self, templates_max: int = 5_000) -> None:
        if templates_max < 1:
            raise ValueError(f"templates_max: {templates_max} templates are none; at least 1 is needed")
        self.templates_max = templates_max
        self.beyond = Beyond()
        self._lines = MaskedLines()
        self._known = KnownShapes(templates_max, self._lines, self.beyond)
        self._template_of = self._lines.template_of
        self._places = ValuePlaces()

    def learn(self, message: str) -> Template:
        """Return a message's template, which counts it.

        Args:
            message: What was logged, without its date, level and logger.
        """
        masked_line = masked(message) if len(message) <= CHARACTERS_MAX else self._cut(message)
        template = self._template_of.get(masked_line)
        if template is None:
            template = self._learn(masked_line)
        template.count += 1
        return template

    def match(self, message: str) -> Template | None:
        """Return a message's template without learning from it; None when it has none yet.

        Args:
            message: As for `learn`.
        """
        masked_line = _masked(message)
        known = self._template_of.get(masked_line)
        return known or self._known.find(shapes.shape(shapes.tokens(masked_line)))

    def parameters(self, template: Template, message: str) -> tuple[str, ...]:
        """Return what stands in a message for each `<*>` of its template, from left to right.

        Args:
            template: The template that `learn` or `match` gave for the message.
            message: The message.

        Raises:
            ValueError: The message has another template.
        """
        wanted = current(template)
        places = self._places.of(_masked(message), wanted)
        if places is None:
            raise ValueError(
                f"the template {wanted.text!r} is not that of {message[:200]!r}; `match` finds it"
            )
        return filled(places, values(message[:CHARACTERS_MAX]))

    def templates(self) -> list[Template]:
        """Return all templates, the most frequent first."""
        return self._known.templates()

    def current(self, template_id: str) -> Template | None:
        """Return a template by its identity, or by one that it had; None when it is not known.

        Args:
            template_id: The identity.
        """
        return self._known.of(template_id)

    def take_renamed(self) -> dict[str, str]:
        """Return which identities have become which since the last call.

        Templates turn out to be one; whoever keeps something by identity moves it then.
        """
        return self._known.take_renamed()

    def content(self) -> dict[str, Any]:
        """Return what is known, as JSON can hold it; two miners that know the same give the same."""
        return snapshot.as_json(self.templates(), self.templates_max, self.beyond)

    @classmethod
    def restored(cls, content: Mapping[str, Any]) -> TemplateMiner:
        """Return a miner that knows what another knew.

        Args:
            content: What `content` returned.

        Raises:
            ValueError: It is not the content of a miner.
        """
        kept = snapshot.read(content)
        return cls._of(kept.templates_max, kept.beyond, kept.groups)

    def merged(self, other: TemplateMiner) -> TemplateMiner:
        """Return a miner that knows what both know; neither changes.

        The order does not matter, nor which of several are merged first. The exception: where they know more
        than one miner may keep, what came least is given up, and a third miner's lines do not bring it back.

        Args:
            other: The other miner.
        """
        both = snapshot.groups([*self.templates(), *other.templates()])
        return self._of(max(self.templates_max, other.templates_max), self.beyond.added(other.beyond), both)

    @classmethod
    def _of(
        cls, templates_max: int, beyond: Beyond, groups: Iterable[tuple[int, list[Member]]]
    ) -> TemplateMiner:
        miner = cls(templates_max)
        miner.beyond.add(beyond)
        miner._known.put_together(groups)
        return miner

    def _learn(self, masked_line: str) -> Template:
        parts = shapes.tokens(masked_line)
        shape = shapes.shape(parts)
        template = self._known.find(shape)
        if template is None:
            template = self._known.add(Member(shape, shapes.spaces(parts)))
        self._lines.remember(masked_line, template)
        return template

    def _cut(self, message: str) -> str:
        self.beyond.lines_cut += 1
        return _masked(message)


def _masked(message: str) -> str:
    """Return a masked line; where it was cut, the last word is a value, as the rest of it is not known."""
    if len(message) <= CHARACTERS_MAX:
        return masked(message)
    return masked(message[:CHARACTERS_MAX]) + MASK
