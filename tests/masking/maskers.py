"""The masker under judgement: what the processor `mask` does to a record whose message is the line."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any

from tests.masking.judge import Span, Spans, spans_of_masked

# What the processor puts in a secret's place.
MASK = re.compile(r"\[masked:([a-z0-9_]+)[^\]\s]*\]")


class NoMaskerError(Exception):
    """There is nothing to judge here."""


def between(text: str, masked: str) -> list[Span] | None:
    """The spans that masks stand for, read off the text left between them; None where it does not fit."""
    kept = MASK.split(masked)
    pattern = "(.+?)".join(re.escape(piece) for piece in kept[::2])
    found = re.fullmatch(pattern, text, re.DOTALL)
    if found is None:
        return None
    return [Span(*found.span(place), rule) for place, rule in enumerate(kept[1::2], start=1)]


def product() -> Spans:
    """The product's own masker with its default rules.

    Raises:
        NoMaskerError: The package does not hold one, or what it needs is not installed.
    """
    try:
        loading: Any = importlib.import_module("logging_system.masking.loading")
        declaration: Any = importlib.import_module("logging_system.masking.declaration")
        processor: Any = importlib.import_module("logging_system.masking.processor")
        record: Any = importlib.import_module("logging_system.records.record")
        mask = processor.Mask(loading.rule_set_of(declaration.MaskDeclaration()))
        record_of = record.Record.of_document
    except (ImportError, AttributeError, ValueError) as error:
        raise NoMaskerError(f"logging_system.masking offers no masker to judge: {error}") from error

    def masked(text: str) -> str:
        return str(mask.process(record_of({"message": text})).document["message"])

    by_difference = spans_of_masked(masked)

    def spans(text: str) -> Sequence[Span]:
        after = masked(text)
        if after == text:
            return []
        told = between(text, after)
        return by_difference(text) if told is None else told

    return spans
