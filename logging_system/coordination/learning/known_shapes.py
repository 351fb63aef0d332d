"""The shapes that are known, and which of them are one template.

Which are one follows from the set alone: two that share a variation whose word is a value. To know one more
shape never takes two apart, so sets can be put together in any order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

from logging_system.coordination.learning.beyond import Beyond
from logging_system.coordination.learning.masked_lines import MaskedLines
from logging_system.coordination.learning.shapes import TOKENS_MAX, Shape
from logging_system.coordination.learning.template import Member, Template, current, shape_id
from logging_system.coordination.learning.variation import HEAD_SHAPES_MIN, head, number, shown_by, variations

_TOKENS_PER_SHAPE = 30
"""Shapes may have so many tokens on average: memory depends on these."""
_PASSED_MAX = 64
"""Templates that are looked at when one must be given up."""


class KnownShapes:
    """Shapes and their templates.

    Args:
        shapes_max: Shapes that are kept; fewer, if they are long. For a new one, a template that came least
            of late is given up.
        lines: What is told when a template became another, or was given up.
        beyond: Where that is counted.
    """

    def __init__(self, shapes_max: int, lines: MaskedLines, beyond: Beyond) -> None:
        self._shapes_max = shapes_max
        self._tokens_max = max(_TOKENS_PER_SHAPE * shapes_max, TOKENS_MAX)
        self._tokens = 0
        self._lines = lines
        self._beyond = beyond
        self._by_shape: dict[int, Template] = {}
        """By a shape's number, the template it belongs to."""
        self._values: dict[int, Template] = {}
        """By the number of a variation whose word is a value, its template."""
        self._waiting: dict[int, Template | list[Template]] = {}
        """By the number of any other variation, the templates of the shapes that have it."""
        self._by_id: OrderedDict[str, Template] = OrderedDict()
        """By the identity of each shape, in the order in which templates are looked at to give one up."""
        self._renamed: dict[str, Template] = {}

    def find(self, shape: Shape) -> Template | None:
        """Return the template that a shape belongs to, or differs from in nothing but values."""
        template = self._by_shape.get(number(shape))
        if template is not None:
            return current(template)
        for variant, _ in variations(shape):
            if (template := self._values.get(variant)) is not None:
                return current(template)
        begin = head(shape) if self._values else None
        template = self._values.get(begin[0]) if begin else None
        return None if template is None else current(template)

    def add(self, member: Member) -> Template:
        """Return the template of a shape, after one was given up where there was no room."""
        while self._is_beyond(1, len(member.shape)):
            self._give_up_one()
        return self._add(member)

    def put_together(self, groups: Iterable[tuple[int, Iterable[Member]]]) -> None:
        """Take in shapes that belong together, each group with its count of lines, and unite what follows.

        Args:
            groups: Groups, in any order; the result does not depend on it.
        """
        for count, members in groups:
            added = [self._add(member) for member in members]  # all first: what they show opens heads
            for template in added[1:]:
                self._united(added[0], template)
            if added:
                current(added[0]).count += count
        for rarest in reversed(self.templates()):
            if not self._is_beyond(0, 0):
                break
            self._give_up(rarest)
        self._renamed.clear()

    def templates(self) -> list[Template]:
        """Return all templates, the most frequent first."""
        alive = {id(it): it for it in map(current, self._by_id.values())}
        return sorted(alive.values(), key=lambda template: (-template.count, template.template_id))

    def of(self, identity: str) -> Template | None:
        """Return the template that has, or had, an identity."""
        template = self._by_id.get(identity)
        return None if template is None else current(template)

    def take_renamed(self) -> dict[str, str]:
        """Return which identities have become which since the last call."""
        renamed = {old: current(template).template_id for old, template in self._renamed.items()}
        self._renamed.clear()
        return renamed

    def _is_beyond(self, shapes: int, tokens: int) -> bool:
        """Tell whether there is no room for so much more."""
        if not self._by_shape:
            return False
        return len(self._by_shape) + shapes > self._shapes_max or self._tokens + tokens > self._tokens_max

    def _add(self, member: Member) -> Template:
        own = number(member.shape)
        if (known := self._by_shape.get(own)) is not None:
            known = current(known)
            known.spaces |= member.spaces
            return known
        self._tokens += len(member.shape)
        identity = shape_id(member.shape)
        template = self._by_shape[own] = self._by_id[identity] = Template(identity, member)
        for variant, words_min in variations(member.shape):
            template = self._varied(variant, words_min, template)
        for variant in shown_by(member.shape):
            template = self._is_value(variant, template)
        if (begin := head(member.shape)) is not None:
            template = self._headed(*begin, template)
        return template

    def _headed(self, variant: int, length: int, template: Template) -> Template:
        """Return the template of a shape, after its head was counted."""
        waiting = self._waiting.get(variant)
        known = self._values.get(variant)
        others = waiting if isinstance(waiting, list) else []
        if known is not None or len(others) + 1 >= HEAD_SHAPES_MIN:
            for it in (*others, template):
                current(it).open_after(
                    length
                )  # before they are united: what follows the head differs in length
        return self._varied(variant, HEAD_SHAPES_MIN, template)

    def _varied(self, variant: int, words_min: int, template: Template) -> Template:
        """Return the template of a shape, after one of its variations was counted."""
        if (known := self._values.get(variant)) is not None:
            return self._united(known, template)
        waiting = self._waiting.get(variant)
        if waiting is None:
            self._waiting[variant] = template  # most have one shape for ever: these need no list
            return template
        if not isinstance(waiting, list):
            waiting = self._waiting[variant] = [waiting]
        waiting.append(template)
        return self._is_value(variant, template) if len(waiting) >= words_min else template

    def _is_value(self, variant: int, template: Template) -> Template:
        """Return the template of a variation whose word is a value from now on."""
        if (known := self._values.get(variant)) is not None:
            template = self._united(known, template)
        waiting = self._waiting.pop(variant, [])
        for other in waiting if isinstance(waiting, list) else [waiting]:
            template = self._united(other, template)
        self._values[variant] = template
        return template

    def _united(self, one: Template, other: Template) -> Template:
        one, other = current(one), current(other)
        if one is other:
            return one
        before = {one.template_id, other.template_id}
        one.take_in(other)
        for old in before - {one.template_id}:
            self._renamed[old] = one
        self._lines.move(other, one)
        return one

    def _give_up_one(self) -> None:
        """Give up the first template that came no more since it was last passed; of a few, the rarest."""
        passed: list[Template] = []
        for identity in list(islice(self._by_id, _PASSED_MAX)):
            template = current(self._by_id[identity])
            if template.template_id == identity:
                if template.count <= template.count_when_passed:
                    break
                template.count_when_passed = template.count
                passed.append(template)
            self._by_id.move_to_end(identity)
        else:
            template = min(passed or [template], key=lambda it: (it.count, it.template_id))
        self._give_up(template)

    def _give_up(self, template: Template) -> None:
        self._beyond.templates_given_up += 1
        self._beyond.lines_of_given_up += template.count
        for member in template.members:
            own, identity = number(member.shape), shape_id(member.shape)
            del self._by_shape[own], self._by_id[identity]
            self._tokens -= len(member.shape)
            self._renamed.pop(identity, None)
            for variant, _ in variations(member.shape):
                self._forget(variant, template)
            for variant in shown_by(member.shape):
                self._values.pop(variant, None)
            if (begin := head(member.shape)) is not None:
                self._forget(begin[0], template)
        self._lines.forget(template)

    def _forget(self, variant: int, template: Template) -> None:
        self._values.pop(variant, None)  # all that have it are one template, this one
        waiting = self._waiting.get(variant)
        if isinstance(waiting, list):
            waiting.remove(next(it for it in waiting if current(it) is template))
            if waiting:
                return
        self._waiting.pop(variant, None)
