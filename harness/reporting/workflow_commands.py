r"""Commands to a GitHub Actions runner, which it takes from what a step prints; and text made free of them.

The runner obeys a line that begins with `::` after blanks, and `##[` anywhere in a line
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions). In a command's message
`%`, CR and LF are escaped, in its properties `:` and `,` too, as the toolkit of GitHub's own actions does.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(?:\A|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])\s*:(?=:)|##(?=\[)")
_MISTAKE = re.compile(r"([^:\n]{1,1000}\.ya?ml):([0-9]{1,7})\b:?(.{1,1000})")
_ANNOTATIONS_MAX = 10
_CHARACTERS_MAX = 2_000
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


def error_commands(text: str) -> tuple[str, ...]:
    """Return the annotations of an error: one for each of its lines that names a line of a YAML file.

    Args:
        text: what the error says; where it names no file, it is one annotation of the build.
    """
    mistakes = [found for line in text.splitlines()[:_ANNOTATIONS_MAX] if (found := _MISTAKE.match(line))]
    if not mistakes:
        return (command("error", text[:_CHARACTERS_MAX], title="logquake"),)
    return tuple(
        command("error", found[3].strip(), file=found[1], line=found[2], title="logquake")
        for found in mistakes
    )


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
