"""Text of others on a terminal."""

from __future__ import annotations


def visible(text: str) -> str:
    """Return a text on one line, without what a terminal would obey."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
