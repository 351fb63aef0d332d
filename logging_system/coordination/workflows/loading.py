"""Reads the file of workflows: each mistake with its line, what is wrong, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from logging_system.coordination.workflows.declaration import Workflows

_FILE_BYTES_MAX = 1024 * 1024
_Place = tuple[str | int, ...]
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
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise WorkflowsFileError(f"{path}: {error.strerror}; name a file this user may read") from error
    if len(data) > _FILE_BYTES_MAX:
        raise WorkflowsFileError(
            f"{path}: larger than {_FILE_BYTES_MAX} bytes; is this the file of workflows?"
        )
    return parsed_workflows(path, data)


def parsed_workflows(path: Path, data: bytes) -> Workflows:
    """Return what the bytes of a file declare; raises as `load_workflows`."""
    content, lines = _parsed(path, data)
    try:
        return Workflows.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        wrong = [_worded(path, each, lines) for each in found if not _follows(each, found)]
        raise WorkflowsFileError("\n".join(dict.fromkeys(wrong))) from error


def _parsed(path: Path, data: bytes) -> tuple[dict[str, Any], Mapping[_Place, int]]:
    loader = yaml.SafeLoader(data)
    try:
        root = loader.get_single_node()
        if root is None:
            return {}, {}
        lines = dict(_lines(root, (), path))
        content = loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, WorkflowsFileError):
            raise
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise WorkflowsFileError(f"{path}{place}: no YAML: {problem}") from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise WorkflowsFileError(f"{path}:1: expected lines of the form `name: value`, such as `workflows:`")
    return content, lines


def _lines(node: yaml.Node, place: _Place, path: Path) -> Iterator[tuple[_Place, int]]:
    """Yield where each value of the file stands; two of one name would hide each other."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            yield from _lines(inner, (*place, number), path)
    elif isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, inner in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in names:
                raise WorkflowsFileError(f"{path}:{line} {name}: is there twice; keep one")
            names.add(name)
            yield (*place, name), line
            yield from (
                (at, where) for at, where in _lines(inner, (*place, name), path) if at != (*place, name)
            )


def _follows(error: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Tell whether a list is too short only because what is in it could not be taken."""
    place = error["loc"]
    within = any(len(each["loc"]) > len(place) and each["loc"][: len(place)] == place for each in found)
    return error["type"] == "too_short" and within


def _worded(path: Path, error: ErrorDetails, lines: Mapping[_Place, int]) -> str:
    place = _place_in_file(error["loc"], lines)
    line = next((lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in lines), 1)
    shown = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".")
    return f"{path}:{line} {shown or 'file'}: {_what(error)}"


def _place_in_file(loc: _Place, lines: Mapping[_Place, int]) -> _Place:
    """Return the place without the kind of a step, which Pydantic puts behind the step's number."""
    place: _Place = ()
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


def _names_at(loc: _Place) -> list[str]:
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
