"""Numbers and sentences as verdicts and reasons say them."""

from __future__ import annotations


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 record`, `1,150 records`.

    Args:
        number: how many.
        noun: what, in the singular.
        plural: where it is not the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def sentence(text: str) -> str:
    """Return a text that came from elsewhere so that it ends like a sentence."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
