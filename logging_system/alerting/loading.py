"""Reads `alerts.yaml`: each mistake with its line, what is wrong, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from logging_system.alerting.declaration import DEFAULT_RULE, THRESHOLD_VARIABLE, Alerts
from logging_system.alerting.rules.error_count import ErrorCount
from logging_system.config.declared_file import Place, parse_declared, read_declared, where

_WORDS = {
    "missing": "is missing",
    "string_pattern_mismatch": "must begin with a lower case letter and have lower case letters, digits "
    "and `_` only",
    "union_tag_not_found": "kind is missing; give it one, such as `kind: error_count` or `kind: webhook`",
}


class AlertsFileError(ValueError):
    """The file, or the environment variable, cannot be used; the message has a line for each mistake."""


def load_alerts(path: Path | None, environment: Mapping[str, str]) -> Alerts:
    """Return what is declared.

    Args:
        path: The file; None takes the defaults.
        environment: Environment variables; `ALERT_THRESHOLD_ERRORS` is the threshold of the rule that counts
            errors where no file is given.

    Raises:
        AlertsFileError: What is wrong, where, and what would be right.
    """
    if path is None:
        return Alerts(rules=(ErrorCount(name=DEFAULT_RULE, threshold=_threshold(environment)),))
    data = read_declared(path, "alerts", AlertsFileError)
    content, lines = parse_declared(path, data, "rules", AlertsFileError)
    threshold = environment.get(THRESHOLD_VARIABLE)
    if "rules" not in content and threshold:
        content["rules"] = [
            {"kind": "error_count", "name": DEFAULT_RULE, "threshold": _threshold(environment)}
        ]
    try:
        return Alerts.model_validate(content)
    except ValidationError as error:
        wrong = [_worded(path, each, lines) for each in error.errors()]
        raise AlertsFileError("\n".join(dict.fromkeys(wrong))) from error


def _threshold(environment: Mapping[str, str]) -> int:
    given = environment.get(THRESHOLD_VARIABLE, "").strip()
    default: int = ErrorCount.model_fields["threshold"].default
    if not given:
        return default
    if not given.isdecimal() or not 1 <= int(given) <= 1_000_000:
        raise AlertsFileError(
            f"{THRESHOLD_VARIABLE}: must be a whole number of errors, from 1 to 1000000, such as {default}"
        )
    return int(given)


def _worded(path: Path, error: ErrorDetails, lines: Mapping[Place, int]) -> str:
    # Pydantic puts the kind of a rule or channel into the place.
    place = _place_in_file(error["loc"], lines)
    return f"{where(path, place, lines)}: {_what(error)}"


def _place_in_file(loc: tuple[str | int, ...], lines: Mapping[Place, int]) -> Place:
    place: Place = ()
    for position, key in enumerate(loc):
        is_kind = (
            len(place) == 2
            and place[0] in {"rules", "channels"}
            and position == 2
            and position < len(loc) - 1
        )
        if is_kind and (*place, key) not in lines:
            continue
        place = (*place, key)
    return place


def _what(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "extra_forbidden":
        name = str(error["loc"][-1])
        return f"no such name{_did_you_mean(name, _names_at(error['loc']))}"
    if kind == "union_tag_invalid":
        context = error["ctx"]
        words = [word.strip("' ") for word in str(context["expected_tags"]).split(",")]
        tag = str(context["tag"])
        return f'kind: no kind "{tag}"{_did_you_mean(tag, words)}'
    if kind == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"][:1].lower() + error["msg"][1:]


def _did_you_mean(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(names)}"


def _names_at(loc: tuple[str | int, ...]) -> list[str]:
    model: Any = Alerts
    for key in loc[:-1]:
        model = _inner(model, key)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _inner(model: Any, key: str | int) -> Any:
    """Return the model that a place of an error names: a field's, or that of a kind."""
    if isinstance(key, int):
        return model
    if isinstance(model, type) and issubclass(model, BaseModel) and key in model.model_fields:
        model = model.model_fields[key].annotation
    models = list(_models(model))
    for each in models:
        kind = each.model_fields.get("kind")
        if kind is not None and kind.default == key:
            return each
    return models[0] if len(models) == 1 else tuple(models)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    from typing import get_args

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif isinstance(annotation, tuple):
        yield from annotation
    for inner in get_args(annotation):
        yield from _models(inner)
