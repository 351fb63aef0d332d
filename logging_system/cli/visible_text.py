"""Text of others on a terminal."""

from __future__ import annotations

import json
from typing import Any


def visible(text: str) -> str:
    """Return a text on one line, without what a terminal would obey."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def visible_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON in which what a terminal would obey is escaped; it means the same.

    What is nested deeper than can be written is told as that, and hides nothing that comes after it.

    Args:
        value: What JSON can hold.
        indent: Spaces for each level, on many lines; None, one line.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        text = json.dumps(value, ensure_ascii=False, separators=separators, indent=indent)
    except RecursionError:
        return '{"unshown":"it is nested too deep"}'
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"
