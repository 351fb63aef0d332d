"""Text of others as the console shows it: without secrets, and no longer than a page can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from logging_system.masking.declaration import MaskDeclaration

if TYPE_CHECKING:
    from logging_system.masking.rule_set import RuleSet

LINE_CHARACTERS_MAX = 2_000
DOCUMENT_CHARACTERS_MAX = 16_000
_DROPPED = "[hidden by masking]"
_TOO_DEEP = "[not shown: it is nested too deeply to be looked through]"


class ShownText:
    """Takes secrets out of what is shown, where masking is installed.

    Lines are masked already where the programs that log do so; this is for those that do not.

    Args:
        declared: What the setting `mask` says; None for the built-in rules.

    Raises:
        ValueError: `mask` is given and cannot be used, or masking is not installed.
    """

    def __init__(self, declared: MaskDeclaration | None) -> None:
        from logging_system.masking.loading import rule_set_of

        given = declared or MaskDeclaration()
        # A token needs its key, and is of no use to somebody who reads.
        actions = {name: action for name, action in given.actions.items() if action != "token"}
        self._rules: RuleSet | None = None
        try:
            self._rules = rule_set_of(_replaced(given, actions))
        except ValueError:
            if declared is not None:
                raise

    @property
    def is_masked(self) -> bool:
        """Whether secrets are taken out."""
        return self._rules is not None

    def text(self, value: object, characters_max: int = LINE_CHARACTERS_MAX) -> str:
        """Return a text as it is shown.

        Args:
            value: From anywhere; what is no text is shown as `str` has it.
            characters_max: How much of it is shown.
        """
        if self._rules is None:
            return cut(str(value), characters_max)
        from logging_system.masking.rule_set import RecordDroppedError

        try:
            # What is cut off first could leave half a secret that no rule knows.
            return cut(self._rules.masked_text(cut(str(value), 8 * characters_max), _ignore), characters_max)
        except RecordDroppedError:
            return _DROPPED

    def texts(self, values: object, most: int = 10) -> list[str]:
        """Return some texts as they are shown; none of what is no list.

        Args:
            values: A list or tuple, of others' making.
            most: How many are shown, from the first.
        """
        return [self.text(each) for each in values[:most]] if isinstance(values, list | tuple) else []

    def document(self, document: Mapping[str, Any]) -> str:
        """Return a document as indented JSON; what cannot be looked through for secrets is not shown."""
        try:
            return cut(self._json(document), DOCUMENT_CHARACTERS_MAX)
        except (RecursionError, orjson.JSONEncodeError):
            return _TOO_DEEP

    def _json(self, document: Mapping[str, Any]) -> str:
        shown: object = document
        if self._rules is not None:
            from logging_system.masking.processor import Mask
            from logging_system.records.document import Record
            from logging_system.records.processors import Drop

            masked = Mask(self._rules).process(Record.of_document(dict(document)))
            shown = _DROPPED if isinstance(masked, Drop) else masked.document
        return orjson.dumps(shown, default=str, option=orjson.OPT_INDENT_2).decode()


def cut(text: str, characters_max: int) -> str:
    """Return a text, or its beginning and how much was cut off.

    Args:
        text: From anywhere.
        characters_max: How much of it stays; what says how much was cut off comes on top.
    """
    if len(text) <= characters_max:
        return text
    return f"{text[:characters_max]}… ({len(text) - characters_max:,} more characters)"


def _replaced(declared: MaskDeclaration, actions: Mapping[str, Any]) -> MaskDeclaration:
    from dataclasses import replace

    return replace(declared, actions=dict(actions))


def _ignore(_rule: str) -> None:
    """Count nothing."""
