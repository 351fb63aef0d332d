r"""Commands to a GitHub Actions runner, which it takes from what a step prints; and text made free of them.

The runner obeys a line that begins with `::` after blanks, and `##[` anywhere in a line
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions). In a command's message
`%`, CR and LF are escaped, in its properties `:` and `,` too, as the toolkit of GitHub's own actions does.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(?:\A|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])\s*:(?=:)|##(?=\[)")
_LINE_ENDS = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def command(level: str, message: str, **properties: str) -> str:
    """Return one command, without the end of its line.

    Args:
        level: `error`, `warning` or `notice`.
        message: what it says; may have several lines.
        properties: e.g. `file`, `line`, `title`; empty ones are left out.
    """
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{level}{' ' if told else ''}{told}::{_data(message)}"


def disarmed(text: str) -> str:
    r"""Return the text with a backslash within each stretch that a runner would obey, e.g. `:\:error`."""
    return Disarming().text(text)


class Disarming:
    """Disarms a text that comes in pieces: a command may begin in one and go on in the next."""

    def __init__(self) -> None:
        """Nothing has come yet: a line begins."""
        self._before = ""

    def text(self, piece: str) -> str:
        """Return the next piece, disarmed."""
        whole = self._before + piece
        safe = _COMMAND.sub(r"\g<0>\\", whole)[len(self._before) :]
        self._before = _rest(whole)
        return safe


def _rest(whole: str) -> str:
    """Return as much of the last line as decides whether what comes next completes a command."""
    line = _LINE_ENDS.split(whole)[-1]
    if not line.strip():
        return ""
    return ":" if line.lstrip() == ":" else f"x{line[-2:]}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
