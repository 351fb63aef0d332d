"""The latest lines that rules counted, masked whatever the stack does, for whoever reads an alert."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from logging_system.alerting.facts import Labels
from logging_system.alerting.matching import Document, field_of
from logging_system.masking.declaration import MaskDeclaration
from logging_system.masking.loading import rule_set_of

if TYPE_CHECKING:
    from logging_system.masking.rule_set import RuleSet

EXAMPLES_MAX = 3
SERIES_MAX = 1_000
LINE_CHARACTERS_MAX = 300
_KEPT_CHARACTERS = 4_000
"""A secret is masked as a whole before a line is cut: so much of it is looked at."""

Masked = Callable[[str], str]


def _masking_of(rules: RuleSet) -> Masked:
    """Return what takes the secrets out of a text; a text that may not be kept at all becomes a remark."""
    from logging_system.masking.rule_set import RecordDroppedError  # needs the extra `masking`

    def masked(text: str) -> str:
        try:
            return rules.masked_text(text, lambda _rule: None)
        except RecordDroppedError as dropped:
            return f"[not shown: {dropped.rule}]"

    return masked


def default_masking(declared: MaskDeclaration | None = None) -> Masked:
    """Return masking by the built-in rules and those that are declared.

    Raises:
        ValueError: google-re2 is not installed, or what is declared cannot be used.
    """
    from dataclasses import replace

    # A token needs a key, and serves to find equal values in the store: an alert has no use for it.
    given = declared or MaskDeclaration()
    actions = {name: action for name, action in given.actions.items() if action != "token"}
    return _masking_of(rule_set_of(replace(given, actions=actions)))


class Examples:
    """The latest records of each alert, for as many alerts as fit.

    Args:
        masked: Takes the secrets out of a text; None shows no line at all.
    """

    def __init__(self, masked: Masked | None) -> None:
        self._masked = masked
        self._kept: OrderedDict[tuple[str, Labels], deque[str]] = OrderedDict()

    def note(self, rule: str, labels: Labels, document: Document) -> None:
        """Keep a record's line, in place of the oldest of its alert where there are `EXAMPLES_MAX`.

        Of more than `SERIES_MAX` alerts, the one that was noted least recently is given up.

        Args:
            rule: Name of the rule that counts the record.
            labels: What tells the alert from others of the rule.
            document: The record. Its time, level, logger and message are kept in memory, at most 4,000
                characters; they are masked when somebody asks for them.
        """
        if self._masked is None:
            return
        kept = self._kept.get((rule, labels))
        if kept is None:
            kept = self._kept[(rule, labels)] = deque(maxlen=EXAMPLES_MAX)
            if len(self._kept) > SERIES_MAX:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end((rule, labels))
        kept.append(_line(document))

    def of(self, rule: str, labels: Labels) -> tuple[str, ...]:
        """Return at most three lines, oldest first, masked, each on one line and bounded.

        Args:
            rule: Name of the rule.
            labels: What tells the alert from others of the rule; one that was never noted has no lines.
        """
        if self._masked is None:
            return ()
        return tuple(cut_line(self._masked(line)) for line in self._kept.get((rule, labels), ()))


def _line(document: Document) -> str:
    words = (field_of(document, name) for name in ("@timestamp", "log.level", "log.logger", "message"))
    return " ".join(str(word) for word in words if word is not None)[:_KEPT_CHARACTERS]


def cut_line(line: str) -> str:
    """Return a masked line as it is shown: on one line, bounded."""
    shown = one_line(line)
    return shown if len(shown) <= LINE_CHARACTERS_MAX else f"{shown[: LINE_CHARACTERS_MAX - 1]}…"


def one_line(text: str) -> str:
    """Return a text on one line, without what a terminal or a mail header would obey."""
    return "".join(each if each.isprintable() else " " for each in text)
