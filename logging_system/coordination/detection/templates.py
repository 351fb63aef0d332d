"""What tells messages of one kind from others: the learner of templates that detection asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from logging_system.coordination.learning.miner import TemplateMiner

TEMPLATES_MAX = 2_000


class LearntTemplate(Protocol):
    """The template of a message."""

    @property
    def template_id(self) -> str:
        """Its identity, until it turns out to be one with another."""


class LearnsTemplates(Protocol):
    """Learns templates from messages; bounded, and deterministic."""

    def learn(self, message: str) -> LearntTemplate:
        """Return the template of a message, learning from it."""

    def take_renamed(self) -> Mapping[str, str]:
        """Return which identities have become which since the last call."""

    def content(self) -> Any:
        """Return all that must survive a restart, as JSON has it."""


def new_learner(content: Any = None) -> LearnsTemplates:
    """Return what learns templates.

    Args:
        content: What `content` of an earlier one returned; None begins anew.

    Raises:
        ValueError: It is not the content of a learner.
    """
    return TemplateMiner(TEMPLATES_MAX) if content is None else TemplateMiner.restored(content)
