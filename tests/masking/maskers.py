"""The masker under judgement: whatever `logging_system.masking` offers."""

from __future__ import annotations

import importlib
from typing import Any

from tests.masking.judge import Span, Spans


class NoMaskerError(Exception):
    """There is nothing to judge yet."""


def product() -> Spans:
    """The product's own masker with its default rules.

    Raises:
        NoMaskerError: The package does not hold one.
    """
    try:
        masking: Any = importlib.import_module("logging_system.masking")
        masker = masking.Masker.default()
    except (ImportError, AttributeError) as error:
        raise NoMaskerError(f"logging_system.masking has no Masker to judge: {error}") from error

    def spans(text: str) -> list[Span]:
        return [Span(found.start, found.end, str(found.rule)) for found in masker.spans(text)]

    return spans
