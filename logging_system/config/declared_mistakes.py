"""What is wrong in a file that users declare something in: each mistake with its line, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from logging_system.config.declared_file import Place, where

_WORDS = {
    "missing": "is missing",
    "string_pattern_mismatch": "must begin with a lower case letter and have lower case letters, digits "
    "and `_` only",
}


def mistakes(
    error: ValidationError,
    path: Path,
    lines: Mapping[Place, int],
    model: type[BaseModel],
    kinds: Mapping[str, str],
) -> list[str]:
    """Return a line for each mistake: file, line, names, what is wrong and what would be right.

    Args:
        error: What the model said of the file's content.
        path: The file.
        lines: Where each value stands, from `parse_declared`.
        model: What the whole file is to be.
        kinds: The names of lists whose entries have a `kind`, each with an example of one.
    """
    found = error.errors()
    words = {**_WORDS, "union_tag_not_found": _kind_is_missing(kinds)}
    wrong = [
        f"{where(path, _place_in_file(each['loc'], lines, kinds), lines)}: {_what(each, words, model)}"
        for each in found
        if not _follows(each, found)
    ]
    return list(dict.fromkeys(wrong))


def _kind_is_missing(kinds: Mapping[str, str]) -> str:
    examples = " or ".join(f"`kind: {example}`" for example in kinds.values())
    return f"kind is missing; give it one, such as {examples}"


def _follows(error: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Tell whether a list is too short only because what is in it could not be taken."""
    place = error["loc"]
    within = any(len(each["loc"]) > len(place) and each["loc"][: len(place)] == place for each in found)
    return error["type"] == "too_short" and within


def _place_in_file(loc: Place, lines: Mapping[Place, int], kinds: Mapping[str, str]) -> Place:
    """Return the place without the kind of an entry, which Pydantic puts behind the entry's number."""
    place: Place = ()
    for position, key in enumerate(loc):
        behind_entry = len(place) > 1 and place[-2] in kinds and isinstance(place[-1], int)
        if behind_entry and position < len(loc) - 1 and (*place, key) not in lines:
            continue
        place = (*place, key)
    return place


def _what(error: ErrorDetails, words: Mapping[str, str], model: type[BaseModel]) -> str:
    kind = error["type"]
    if kind in words:
        return words[kind]
    if kind == "extra_forbidden":
        name = str(error["loc"][-1])
        return f"no such name{_did_you_mean(name, _names_at(error['loc'][:-1], model))}"
    if kind == "union_tag_invalid":
        tag, context = str(error["ctx"]["tag"]), error["ctx"]
        return f'kind: no kind "{tag}"{_did_you_mean(tag, _listed(context["expected_tags"]))}'
    if kind in {"enum", "literal_error"}:
        given = str(error.get("input", ""))
        return f'no "{given}"{_did_you_mean(given, _listed(error["ctx"]["expected"]))}'
    if kind == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"][:1].lower() + error["msg"][1:]


def _listed(words: Any) -> list[str]:
    """Return the words that Pydantic lists in a sentence."""
    return [word.strip("' ") for word in str(words).replace(" or ", ", ").split(",")]


def _did_you_mean(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(names)}"


def _names_at(loc: Place, model: type[BaseModel]) -> list[str]:
    """Return the names that the model at a place of an error has."""
    models = [model]
    for key in loc:
        if isinstance(key, str):
            models = list(_below(models, key))
    return [name for each in models for name in each.model_fields]


def _below(models: list[type[BaseModel]], key: str) -> Iterator[type[BaseModel]]:
    """Yield the models of a field, or the one of several that is the kind."""
    of_kind = [
        each for each in models if "kind" in each.model_fields and each.model_fields["kind"].default == key
    ]
    if of_kind:
        yield from of_kind
        return
    for model in models:
        if key in model.model_fields:
            yield from _models(model.model_fields[key].annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
