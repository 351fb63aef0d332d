"""The family of rules: a kind is one file here, one test and one line in `KINDS`."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import get_type_hints

from harness.programs.http_interceptor.errors import ApiError
from harness.programs.http_interceptor.rules.kind import Kind

KINDS = {
    "requests_refused": "requests_refused:RequestsRefused",
    "items_refused": "items_refused:ItemsRefused",
    "poison_document": "poison_document:PoisonDocument",
    "answer_cut": "answer_cut:AnswerCut",
    "lying_answers": "lying_answers:LyingAnswers",
    "body_limited": "body_limited:BodyLimited",
    "garbage_answers": "garbage_answers:GarbageAnswers",
    "slow_answers": "slow_answers:SlowAnswers",
}


def kind_of(word: str, arguments: Mapping[str, object]) -> Kind:
    """Return the kind that a word names, with these arguments.

    Raises:
        ApiError: no such kind, an argument it does not have, or a value of the wrong type or range (400).
    """
    if word not in KINDS:
        raise ApiError(400, f"no kind of rule {word!r}; there are {sorted(KINDS)}")
    module_name, class_name = KINDS[word].split(":")
    kind_class = getattr(importlib.import_module(f"{__name__}.{module_name}"), class_name)
    names = [field.name for field in dataclasses.fields(kind_class)]
    if unknown := sorted(set(arguments) - set(names)):
        raise ApiError(400, f"{word} has no arguments {unknown}; it has {names}")
    types = get_type_hints(kind_class)
    kind: Kind = kind_class(**{name: _typed(name, types[name], value) for name, value in arguments.items()})
    return kind


def _typed(name: str, wanted: type, value: object) -> object:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise ApiError(400, f"{name} must be of type {wanted.__name__}, got {value!r}")
    return value
