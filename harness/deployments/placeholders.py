"""Placeholders in a stack file: `{to_store.url}` becomes a value, `{{` and `}}` are plain braces."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from harness.model.errors import ScenarioError
from harness.model.registry import unknown

RUN_FOLDER = "{run.folder}/"
"""How a path begins that can only lie below the stack's own folder of the run."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace every placeholder by its value.

    Args:
        text: the text as the file has it.
        values: what each placeholder stands for, e.g. `{"run.id": "a1b2"}`. Values are not expanded again.

    Returns:
        The text with all placeholders replaced, `{{` as `{` and `}}` as `}`.

    Raises:
        ScenarioError: a placeholder is unknown or a brace stands alone.
    """
    if problems := placeholder_problems(text, values):
        raise ScenarioError(f'"{text}": {problems[0]}')

    def replacement(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else values[match[1]]

    return _TOKEN.sub(replacement, text)


def placeholder_problems(text: str, known: Collection[str]) -> list[str]:
    """Return one sentence for each unknown placeholder and each brace that stands alone.

    Args:
        text: a value of a stack file.
        known: the placeholders that may stand there, without braces.
    """
    words = dict.fromkeys(known)
    return [
        'a "{" or "}" stands alone. Write "{{" or "}}" for the character itself.'
        if name is None
        else unknown("placeholder", name, words)
        for name in _names(text)
        if name is None or name not in words
    ]


def placeholder_names(text: str) -> set[str]:
    """Return the names of the placeholders in a text."""
    return {name for name in _names(text) if name is not None}


def _names(text: str) -> Iterator[str | None]:
    """Yield each placeholder's name, and None for a brace that stands alone."""
    for match in _TOKEN.finditer(text):
        if match[0] not in {"{{", "}}"}:
            yield match[1]
