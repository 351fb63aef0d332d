"""What a stack may lawfully do to a line, by name: so a changed text is told from a corrupted one.

Each is a function of the whole line, but for `mask`: it lets whatever stands at the spans of a line that hold
secrets become anything short, and nothing else change. None can touch the identity at its end, which holds no
control character and begins with a space only where text stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def escape_control(line: str) -> str:
    """Write each control character as `#` and three octal digits, e.g. a line feed as `#012`.

    As rsyslog does by default on reception (`$EscapeControlCharactersOnReceive`, imfile's `escapeLF`).

    Returns:
        The line, which is the same where it holds none.
    """
    return _CONTROL.sub(lambda match: f"#{ord(match[0]):03o}", line)


def trim_leading_space(line: str) -> str:
    """Drop white space (blank, tab, carriage return, line feed) before the text.

    As the OpenTelemetry Collector's filelog receiver does by default (`preserve_leading_whitespaces: false`).
    White space behind the text is nothing to trim: the identity stands there.
    """
    return line.lstrip(" \t\r\n")


TRANSFORMS: Mapping[str, Callable[[str], str]] = {
    "escape_control": escape_control,
    "trim_leading_space": trim_leading_space,
}


MASK = "mask"

WORDS = (*TRANSFORMS, MASK)
"""What a stack file may name."""

Spans: TypeAlias = Sequence[tuple[int, int]]
"""Parts of a line (from, to), in characters from 0, in order and apart from each other."""

REPLACED_CHARACTERS_MAX = 128
"""How much longer than the secret what stands in its place may be."""

_ANCHOR_CHARACTERS = (12, 8, 4, 2)
_MARKS = range(0xE000, 0xF8FF)


def lawful_forms(line: str, names: Sequence[str]) -> frozenset[str]:
    """Return every form in which a line may lawfully be stored: as it was sent, or after some transforms.

    A stack may apply each of its transforms to a line or not, in the order in which it declares them.

    Args:
        line: as it was sent, with its identity.
        names: words of `WORDS`, of which `mask` makes no form by itself; unknown ones are a defect of the
            caller.
    """
    forms = {line}
    for name in names:
        if name != MASK:
            forms |= {TRANSFORMS[name](form) for form in forms}
    return frozenset(forms)


def is_lawful(stored: str, line: str, names: Sequence[str], spans: Spans = ()) -> bool:
    """Return whether a stored line is what was sent, or what the stack may have made of it.

    Args:
        stored: as it was read back.
        line: as it was sent, with its identity.
        names: words of `WORDS`.
        spans: what of the line `mask` may change.
    """
    if stored == line or stored in lawful_forms(line, names):
        return True
    return any(
        _follows(stored, parts, _replaced_characters_max(spans))
        for parts in innocent_parts(line, names, spans)
    )


def innocent_parts(line: str, names: Sequence[str], spans: Spans) -> list[list[str]]:
    """Return, for each form that a line may have, what of it must be left around its spans.

    Nothing where the stack does not mask, or the line holds nothing that it may take out.

    Args:
        line: as it was sent.
        names: the transforms that the stack declares, in their order.
        spans: what a mask may change, from and to in characters from 0, ascending.
    """
    if MASK not in names or not spans:
        return []
    mark = next(chr(sign) for sign in _MARKS if chr(sign) not in line)
    marked, at = "", 0
    for begin, end in spans:
        marked, at = f"{marked}{line[at:begin]}{mark}", end
    return [form.split(mark) for form in lawful_forms(f"{marked}{line[at:]}", names)]


def likeliest_form(stored: str, parts: Sequence[str]) -> str:
    """Return what a masked line should be, with what stands in the stored one where it may be anything.

    Args:
        stored: the line as it was read back.
        parts: what of one form must be left, before, between and after the masked spans; at least one.
    """
    form, at = parts[0], len(parts[0])
    for part in parts[1:]:
        # Where more was masked, less of what follows the secret is there to be found.
        places = (stored.find(part[:size], at) for size in _ANCHOR_CHARACTERS)
        found = next((place for place in places if place >= 0), -1)
        form += (stored[at:found] if found >= 0 else "") + part
        at = max(found, at) + len(part)
    return form


def _follows(stored: str, parts: Sequence[str], replaced_characters_max: int) -> bool:
    """Return whether the parts stand in a stored line in their order, from its beginning to its end."""
    innocent = sum(map(len, parts))
    if not innocent <= len(stored) <= innocent + replaced_characters_max:
        return False
    if not (stored.startswith(parts[0]) and stored.endswith(parts[-1])):
        return False
    at, end = len(parts[0]), len(stored) - len(parts[-1])
    for part in parts[1:-1]:
        found = stored.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _replaced_characters_max(spans: Spans) -> int:
    # An escape of a control character takes four.
    return sum(4 * (end - begin) + REPLACED_CHARACTERS_MAX for begin, end in spans)
