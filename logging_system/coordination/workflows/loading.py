"""Reads the file of workflows: each mistake with its line, what is wrong, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from logging_system.config.declared_file import Place, parse_declared, read_declared, where
from logging_system.coordination.workflows.declaration import Workflows

_WORDS = {
    "missing": "is missing",
    "string_pattern_mismatch": "must begin with a lower case letter and have lower case letters, digits "
    "and `_` only",
    "union_tag_not_found": "kind is missing; give it one, such as `kind: set_level`",
}


class WorkflowsFileError(ValueError):
    """The file cannot be used; the message has a line for each mistake."""


def load_workflows(path: Path) -> Workflows:
    """Return what a file declares.

    Args:
        path: The file.

    Raises:
        WorkflowsFileError: What is wrong, where, and what would be right.
    """
    return parsed_workflows(path, read_declared(path, "workflows", WorkflowsFileError))


def parsed_workflows(path: Path, data: bytes) -> Workflows:
    """Return what the bytes of a file declare; raises as `load_workflows`."""
    content, lines = parse_declared(path, data, "workflows", WorkflowsFileError)
    try:
        return Workflows.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        wrong = [_worded(path, each, lines) for each in found if not _follows(each, found)]
        raise WorkflowsFileError("\n".join(dict.fromkeys(wrong))) from error


def _follows(error: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Tell whether a list is too short only because what is in it could not be taken."""
    place = error["loc"]
    within = any(len(each["loc"]) > len(place) and each["loc"][: len(place)] == place for each in found)
    return error["type"] == "too_short" and within


def _worded(path: Path, error: ErrorDetails, lines: Mapping[Place, int]) -> str:
    place = _place_in_file(error["loc"], lines)
    return f"{where(path, place, lines)}: {_what(error)}"


def _place_in_file(loc: Place, lines: Mapping[Place, int]) -> Place:
    """Return the place without the kind of a step, which Pydantic puts behind the step's number."""
    place: Place = ()
    for position, key in enumerate(loc):
        behind_step = len(place) > 1 and place[-2] == "steps" and isinstance(place[-1], int)
        if behind_step and position < len(loc) - 1 and (*place, key) not in lines:
            continue
        place = (*place, key)
    return place


def _what(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "extra_forbidden":
        name = str(error["loc"][-1])
        return f"no such name{_did_you_mean(name, _names_at(error['loc'][:-1]))}"
    if kind == "union_tag_invalid":
        context = error["ctx"]
        words = [word.strip("' ") for word in str(context["expected_tags"]).split(",")]
        tag = str(context["tag"])
        return f'kind: no kind "{tag}"{_did_you_mean(tag, words)}'
    if kind in {"enum", "literal_error"}:
        words = [word.strip("' ") for word in str(error["ctx"]["expected"]).replace(" or ", ", ").split(",")]
        given = str(error.get("input", ""))
        return f'no "{given}"{_did_you_mean(given, words)}'
    if kind == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"][:1].lower() + error["msg"][1:]


def _did_you_mean(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(names)}"


def _names_at(loc: Place) -> list[str]:
    """Return the names that the model at a place of an error has."""
    models: list[type[BaseModel]] = [Workflows]
    for key in loc:
        if isinstance(key, str):
            models = list(_below(models, key))
    return [name for model in models for name in model.model_fields]


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
