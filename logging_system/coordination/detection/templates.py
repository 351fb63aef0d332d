"""What tells messages of one kind from others: the learner of templates that detection asks.

`MaskedTemplates` knows no more than that numbers differ. A learner that generalizes words takes its place in
`new_learner` alone.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from logging_system.monitoring.error_templates import PLACEHOLDER, Templates

TEMPLATES_MAX = 2_000
_CHARACTERS_MAX = 200
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class LearntTemplate:
    """The template of a message.

    Attributes:
        template_id: Its identity.
        text: The message with placeholders.
        count: How many messages it had, this one included.
    """

    template_id: str
    text: str
    count: int


class LearnsTemplates(Protocol):
    """Learns templates from messages; bounded, and deterministic."""

    def learn(self, message: str) -> Any:
        """Return the template of a message, with `template_id`, `text` and `count`, learning from it."""

    def text(self, template_id: str) -> str | None:
        """Return the text of a template, with `<*>` for what differs; None where it is not known any more.

        Args:
            template_id: Its identity, as `learn` returned it.
        """

    def content(self) -> Any:
        """Return all that must survive a restart, as JSON has it."""


class MaskedTemplates:
    """Templates of the first line of a message, without its numbers; the latest ones are kept."""

    def __init__(self) -> None:
        self._templates = Templates()
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._texts: dict[str, str] = {}

    def learn(self, message: str) -> LearntTemplate:
        """Return the template of a message, learning from it."""
        head = message[:_CHARACTERS_MAX].partition("\n")[0]
        text = self._templates.template(head)
        count = self._counts.pop(text, 0) + 1
        self._counts[text] = count
        if len(self._counts) > TEMPLATES_MAX:
            forgotten, _ = self._counts.popitem(last=False)
            self._texts.pop(template_id(forgotten), None)
        identity = template_id(text)
        if len(head) < len(message):
            self._texts[identity] = text + PLACEHOLDER  # which the line alone fits too
        else:
            self._texts.setdefault(identity, text)
        return LearntTemplate(identity, text, count)

    def text(self, template_id: str) -> str | None:
        """Return the text of a template; None where it is not known any more."""
        return self._texts.get(template_id)

    def content(self) -> Mapping[str, int]:
        """Return nothing: a text has the same identity after a restart."""
        return {}


def new_learner(content: Any = None) -> LearnsTemplates:
    """Return what learns templates.

    Args:
        content: What `content` of an earlier one returned; None begins anew.
    """
    return MaskedTemplates()


def template_id(text: str) -> str:
    """Return the identity of a template's text: 12 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
