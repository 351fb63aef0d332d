"""What a stack may lawfully do to a line, by name: so a changed text is told from a corrupted one.

Each is a function of the whole line. None can touch the identity at its end, which holds no control character
and begins with a space only where text stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def escape_control(line: str) -> str:
    """Write each control character as `#` and three octal digits, e.g. a line feed as `#012`.

    As rsyslog does by default on reception (`$EscapeControlCharactersOnReceive`, imfile's `escapeLF`).
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


def lawful_forms(line: str, names: Sequence[str]) -> frozenset[str]:
    """Return every form in which a line may lawfully be stored: as it was sent, or after some transforms.

    A stack may apply each of its transforms to a line or not, in the order in which it declares them.

    Args:
        line: as it was sent, with its identity.
        names: words of `TRANSFORMS`; unknown ones are a defect of the caller.
    """
    forms = {line}
    for name in names:
        forms |= {TRANSFORMS[name](form) for form in forms}
    return frozenset(forms)
