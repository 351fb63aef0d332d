"""What all our files have in common as pydantic models, and pydantic's findings as sentences for a person."""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from harness.config.yaml_source import KeyPath, Mistake, Source
from harness.model.registry import nearest, unknown

VERSION = 1
SECONDS_MAX = 3_600.0
NAME_CHARACTERS_MAX = 64
_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")


class FileModel(BaseModel):
    """A mapping in a file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class OpenModel(FileModel):
    """A mapping that names a kind of a family; the keys beyond its fields are the kind's arguments."""

    model_config = ConfigDict(extra="allow")


def _a_name(text: str) -> str:
    if len(text) > NAME_CHARACTERS_MAX or not _NAME.match(text):
        raise PydanticCustomError("not_a_name", "not a name")
    return text


def _the_version(version: int) -> int:
    if version != VERSION:
        raise PydanticCustomError("not_the_version", "not the version")
    return version


Name = Annotated[
    str,
    AfterValidator(_a_name),
    WithJsonSchema({"type": "string", "pattern": f"^[a-z][a-z0-9_-]{{0,{NAME_CHARACTERS_MAX - 1}}}$"}),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
Seconds = Annotated[float, Field(gt=0, le=SECONDS_MAX)]
Version = Annotated[
    int,
    AfterValidator(_the_version),
    Field(description='Add "version: 1".'),
    WithJsonSchema({"const": VERSION}),
]

ModelT = TypeVar("ModelT", bound=FileModel)


def default_of(noun: type, name: str) -> Any:
    """Return the default of a dataclass's field, which a file's model takes over: it is stated there alone.

    Args:
        noun: the dataclass, such as `Scenario`.
        name: one of its fields.

    Raises:
        TypeError: the field has none.
    """
    (field,) = (each for each in dataclasses.fields(noun) if each.name == name)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    if field.default is dataclasses.MISSING:
        raise TypeError(f"{noun.__name__}.{name} has no default")
    return field.default


def parse(model: type[ModelT], source: Source, more: Iterable[Mistake] = ()) -> ModelT:
    """Return the file's data as a model.

    Args:
        model: the shape of the file.
        source: the file as read.
        more: mistakes found by rules that no shape expresses, judged on the same data.

    Raises:
        ScenarioError: the file has mistakes; the message lists all of them, one a line.
    """
    mistakes = [*source.mistakes, *more]
    try:
        parsed = model.model_validate(source.data)
    except ValidationError as error:
        mistakes += [model_mistake(detail, model) for detail in error.errors()]
        raise source.error(mistakes) from error
    if mistakes:
        raise source.error(mistakes)
    return parsed


def file_name_mistakes(source: Source) -> list[Mistake]:
    """Return a mistake where the file's name is not the name inside: files are found by their names."""
    name, stem = source.data.get("name"), PurePath(source.path).stem
    if not isinstance(name, str) or name == stem:
        return []
    return [
        Mistake(("name",), f'must be "{stem}" as the file is called, not {shown(name)}. Change one of them.')
    ]


def model_mistake(detail: ErrorDetails, model: type[FileModel]) -> Mistake:
    """Return one finding of pydantic as a mistake of the file.

    Args:
        detail: one entry of `ValidationError.errors()`.
        model: the file's outermost model, from which the keys around the place are looked up.
    """
    where: KeyPath = detail["loc"]
    if where and where[-1] == "[key]":
        where = where[:-1]
    if detail["type"] == "extra_forbidden":
        return Mistake(where, _unknown_key(str(where[-1]), _model_at(model, where[:-1])))
    if detail["type"] == "missing":
        around = _model_at(model, where[:-1])
        # A model that forbids other keys tells a misspelt one by itself.
        fields = around.model_fields if around is not None and issubclass(around, OpenModel) else {}
        if (key := misspelt(str(where[-1]), detail["input"], fields)) is not None:
            return Mistake((*where[:-1], key), _unknown_key(key, around))
        description = around.model_fields[str(where[-1])].description if around else None
        return Mistake(where, f"is missing. {description or 'Add it.'}")
    return Mistake(where, sentence(detail))


def misspelt(missing: str, given: Mapping[str, object], known: Iterable[str]) -> str | None:
    """Return the key under which a missing one stands misspelt; None where there is no such key.

    Args:
        missing: a known key that is not there.
        given: the mapping as the file has it.
        known: all keys that mean something in it.
    """
    known = dict.fromkeys(known)
    return next((key for key in given if key not in known and nearest(key, known) == [missing]), None)


def sentence(detail: ErrorDetails) -> str:
    """Say what is wrong with a value: what it must be, and what it is.

    Args:
        detail: one entry of `ValidationError.errors()`; a type that we have no words for keeps pydantic's.
    """
    context = detail.get("ctx", {})
    value = detail["input"]
    if detail["type"] == "literal_error":
        return _literal_sentence(str(context["expected"]), value)
    template = _SENTENCES.get(detail["type"], "{message}.")
    return template.format(got=shown(value), message=detail["msg"], **context)


def shown(value: object) -> str:
    """Return a value as a message quotes it, cut to a readable length."""
    if value is None:
        return "empty"
    if isinstance(value, list | Mapping):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, float):
        return f"{value:g}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


_SENTENCES: Mapping[str, str] = {
    "string_type": "must be text, not {got}. Put it in quotes.",
    "int_type": "must be a whole number, not {got}.",
    "float_type": "must be a number, not {got}.",
    "bool_type": "must be true or false, not {got}.",
    "list_type": 'must be a list ("- …" on each line, or […]), not {got}.',
    "dict_type": "must be a mapping of keys to values, not {got}.",
    "model_type": "must be a mapping of keys to values, not {got}.",
    "finite_number": "must be a finite number, not {got}.",
    "greater_than": "must be more than {gt:g}, not {got}.",
    "greater_than_equal": "must be at least {ge:g}, not {got}.",
    "less_than": "must be less than {lt:g}, not {got}.",
    "less_than_equal": "must be at most {le:g}, not {got}.",
    "too_short": "must hold at least {min_length}, not {actual_length}.",
    "too_long": "must hold at most {max_length}, not {actual_length}.",
    "string_too_short": "must not be empty.",
    "string_too_long": "must be at most {max_length} characters long.",
    "not_the_version": f"must be {VERSION}, the only version there is, not {{got}}.",
    "not_a_check": 'must be a word, or a mapping with "check" and its arguments, not {got}.',
    "not_a_name": 'must begin with a letter and hold at most 64 of a-z, 0-9, "_" and "-", not {got}.',
}


def _unknown_key(key: str, around: type[FileModel] | None) -> str:
    if around is None:
        return f'no key "{key}" is known here. Remove it.'
    return unknown("key", key, around.model_fields)


def _literal_sentence(expected: str, value: object) -> str:
    words = re.findall(r"'([^']*)'", expected)
    if isinstance(value, str) and words:
        return unknown("value", value, dict.fromkeys(words))
    return f"must be {expected.replace(chr(39), chr(34))}, not {shown(value)}."


def _model_at(model: type[FileModel], where: KeyPath) -> type[FileModel] | None:
    """Return the model that describes the mapping at a key path, if one does."""
    annotation: Any = model
    for part in where:
        annotation = _inside(annotation, part)
    return annotation if isinstance(annotation, type) and issubclass(annotation, FileModel) else None


def _inside(annotation: Any, part: str | int) -> Any:
    """Return the annotation one step further down a key path."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if isinstance(annotation, types.UnionType):
            annotation = next(iter(get_args(annotation)))
        return annotation
    return get_args(annotation)[-1] if get_origin(annotation) in {list, dict} else None
