"""What in a line is certainly a value: numbers and what hangs on them, by one expression in linear time."""

from __future__ import annotations

import re

CHARACTERS_MAX = 2_000
"""More of a line is not looked at."""
MASK = "\0"
"""Stands for a value in a masked line: a character that no word holds, so that it needs no escaping."""

# A word that holds a digit, from its first character on: 17, 0x1f, 10.0.3.4:92, blk_-160,
# /v2/54fa/detail?a=b, 12:00:01, a UUID. Six pairs of hexadecimal digits are a hardware address, even where
# they begin with letters. Possessive throughout, and no word begins inside another, so no character is read
# more than a few times. A dot ends a word where another dot follows ("enable.......0"), a colon where no
# hexadecimal number follows.
_VALUE = re.compile(
    r"(?<![\w/-])(?<![\w/-]\.)"
    r"(?:(?:[0-9a-fA-F]{2}:){5,7}+[0-9a-fA-F]{2}\b"
    r"|[A-Za-z_/-]*+(?:\.[A-Za-z_/-]++)*+\.?\d\w*+(?:[-./@+~%]\w++|:[0-9a-fA-F]++\b)*+(?:\?[^\s\"'<>]*+)?)"
)
_with_masks = _VALUE.sub
_values_of = _VALUE.findall


def masked(line: str) -> str:
    """Return a line with one character in place of each value; linear in the length of the line.

    Args:
        line: At most `CHARACTERS_MAX` characters.
    """
    return _with_masks(MASK, line)


def values(line: str) -> list[str]:
    """Return what `masked` took out of a line, from left to right.

    A NUL that the line holds itself stands for itself.
    """
    if MASK not in line:
        return _values_of(line)
    return re.findall(f"{_VALUE.pattern}|{MASK}", line)
