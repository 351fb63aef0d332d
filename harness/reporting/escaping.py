"""Text from anywhere, made safe to show: nothing invisible, nothing that a terminal or a browser obeys."""

from __future__ import annotations

import html
import unicodedata

# Control, format (bidirectional overrides, zero width), surrogate, private, unassigned, ends of lines.
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
CHARACTERS_MAX = 600
LINE_CHARACTERS_MAX = 1_000
LINES_MAX = 40
"""How much is shown of a text in several lines, e.g. the end of a log."""
ASCII_FOR = str.maketrans(
    {
        "\N{EN DASH}": "-",
        "…": "...",
        "µ": "u",
        "·": "|",
        "✓": "+",
        "✕": "x",
        "→": "->",
        "∞": "inf",
    }
)
"""How the few characters beyond ASCII that reports use are written where there is only ASCII."""


def visible(text: str) -> str:
    r"""Return the text with every character that cannot be seen written as its escape, e.g. `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def clipped(text: str, characters_max: int = CHARACTERS_MAX) -> str:
    """Return `visible(text)`, its middle left out where it is much longer than `characters_max`.

    Both ends stay: a line begins with what it says and ends in its identity.
    """
    if len(text) <= characters_max and len(shown := visible(text)) <= characters_max:
        return shown
    head, tail = characters_max * 2 // 3, characters_max // 3
    left_out = len(text) - head - tail
    note = f" … {left_out:,} characters … "
    if left_out <= len(note):  # what says that something was left out would be longer than that
        return visible(text)
    return f"{visible(text[:head])}{note}{visible(text[-tail:])}"


def lines_of(text: str, characters_max: int = LINE_CHARACTERS_MAX) -> tuple[str, ...]:
    """Return a text's lines, each `clipped`, at least one; of too many the first and the last.

    Args:
        text: from anywhere; empty lines are left out.
        characters_max: of each line.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    left_out = len(lines) - LINES_MAX
    if left_out > 0:
        lines[1 : left_out + 2] = [f"… {left_out + 1:,} lines …"]
    return tuple(clipped(line, characters_max) for line in lines) or ("",)


def markup(text: str) -> str:
    """Return `clipped(text)` escaped for the HTML inside Markdown, without a mention of anybody."""
    return unmentioned(html.escape(clipped(text)))


def unmentioned(markdown: str) -> str:
    """Return Markdown or HTML in which no @ mentions a person: a space of no width follows each.

    Who is mentioned is looked for in what is shown, where no backslash is left.

    Args:
        markdown: which holds its own escapes already.
    """
    return markdown.replace("@", "@&#8203;")


def _escape(character: str) -> str:
    if unicodedata.category(character) not in HIDDEN_CATEGORIES:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
