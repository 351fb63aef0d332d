"""The whole result as `result.json`, and back.

The form is the nouns of `result.py`, name for name, beside a `schema_version`. Three rules make the way there
and back exact: an enum is its value; a float that JSON cannot write is "Infinity", "-Infinity" or "NaN"; the
file is ASCII, so that any text a stack produced survives, lone surrogates (which orjson refuses) included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

from harness.model.errors import InternalError, ScenarioError
from harness.model.result import Result
from harness.reporting.escaping import clipped

FILE_NAME = "result.json"
SCHEMA_VERSION = 8
RESULT_BYTES_MAX = 256 * 2**20
NounT = TypeVar("NounT")
NOT_FINITE = {"Infinity": float("inf"), "-Infinity": float("-inf"), "NaN": float("nan")}


class ResultJson:
    """Everything of a run for machines."""

    file_name: ClassVar[str] = FILE_NAME

    def text(self, result: Result) -> str:
        """Return the JSON document.

        Raises:
            InternalError: the result holds something that is not one of its nouns.
        """
        document = {"schema_version": SCHEMA_VERSION, **_encoded(result, "result")}
        return json.dumps(document, indent=1, allow_nan=False) + "\n"


def read_result(path: Path) -> Result:
    """Read a `result.json`; every key and every value is checked.

    Returns:
        The result as the run had it.

    Raises:
        ScenarioError: the file is missing, damaged, foreign, or from another version of the schema.
    """
    document = _document(path)
    version = document.pop("schema_version")
    if version != SCHEMA_VERSION:
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        remedy = "Upgrade logquake" if newer else "Run the suite again with this logquake"
        raise ScenarioError(
            f"{path}: schema_version is {version!r}, and this logquake reads {SCHEMA_VERSION}. "
            f"{remedy}, or read the file with the logquake that wrote it."
        )
    try:
        result = _decoded(Result, document, "")
    except _MismatchError as error:
        raise ScenarioError(
            f"{path}: {error}. The file was changed or damaged after logquake wrote it; "
            "restore it, or run the suite again."
        ) from error
    assert isinstance(result, Result)  # noqa: S101 - tells the type checker what decoding a Result returns
    return result


class _MismatchError(Exception):
    """A value is not what its place asks for."""


def _document(path: Path) -> dict[str, Any]:
    """Return the file's JSON object, known to be a result of some schema version."""
    try:
        size = path.stat().st_size
        if size > RESULT_BYTES_MAX:
            raise ScenarioError(
                f"{path}: {size:,} bytes, more than a result can have ({RESULT_BYTES_MAX:,}). "
                f"Name a {FILE_NAME}."
            )
        document = json.loads(path.read_bytes().decode("utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise ScenarioError(
            f"{path}: cannot be read: {error.strerror}. Name the {FILE_NAME} in the folder of a finished run."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError(
            f"{path}: not whole JSON: {error}. The file is damaged or cut short; "
            "restore it, or run the suite again."
        ) from error
    if not isinstance(document, dict) or "schema_version" not in document:
        raise ScenarioError(
            f'{path}: no "schema_version", so this is no result of logquake. '
            f"Name the {FILE_NAME} in the folder of a finished run."
        )
    return document


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def as_document(noun: object) -> Any:
    """Return a noun of this project as what JSON holds, name for name.

    Raises:
        InternalError: it holds something that has no form.
    """
    return _encoded(noun, type(noun).__name__)


def from_document(kind: type[NounT], document: object, path: Path, remedy: str) -> NounT:
    """Return what a file's JSON holds as a noun; every key and every value is checked.

    Args:
        kind: the noun's class.
        document: what was read.
        path: the file, for the message.
        remedy: what to do about a file that is none, as the message's last sentence.

    Raises:
        ScenarioError: the document is not the noun's form.
    """
    try:
        noun = _decoded(kind, document, "")
    except _MismatchError as error:
        raise ScenarioError(f"{path}: {error}. {remedy}") from error
    assert isinstance(noun, kind)  # noqa: S101 - tells the type checker what decoding returns
    return noun


# --- nouns → JSON ----------------------------------------------------------------------------------------


def _encoded(value: object, where: str) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if isfinite(value) else _not_finite(value)
    if value is None or isinstance(value, str | int):
        return value
    return _encoded_whole(value, where)


def _encoded_whole(value: object, where: str) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {
            part.name: _encoded(getattr(value, part.name), f"{where}.{part.name}") for part in fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): _encoded(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_encoded(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise InternalError(
        f"{where} is a {type(value).__name__}, which {FILE_NAME} has no form for. "
        "This is a defect of logquake; please report it."
    )


def _not_finite(value: float) -> str:
    return next((word for word, number in NOT_FINITE.items() if number == value), "NaN")


# --- JSON → nouns ----------------------------------------------------------------------------------------


def _decoded(kind: Any, value: Any, where: str) -> Any:
    """Return the value as that kind.

    Args:
        kind: a class or an annotation that `result.py` uses.
        value: what the file has there.
        where: the path of keys that led there, for the message.

    Raises:
        _MismatchError: the value is not of that kind.
    """
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _decoded_union(get_args(kind), value, where)
    if origin is tuple:
        return _decoded_tuple(get_args(kind), value, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        item_kind = get_args(kind)[1]
        table = _expected(dict, value, where, "an object")
        return {key: _decoded(item_kind, item, f"{where}.{key}") for key, item in table.items()}
    if is_dataclass(kind):
        return _decoded_dataclass(kind, value, where)
    if issubclass(kind, Enum):
        return _decoded_enum(kind, value, where)
    return _decoded_scalar(kind, value, where)


def _decoded_dataclass(kind: Any, value: Any, where: str) -> Any:
    table = _expected(dict, value, where, "an object")
    hints = get_type_hints(kind)
    names = [part.name for part in fields(kind)]
    for part in fields(kind):
        if part.name not in table and not part.metadata.get("added"):
            raise _MismatchError(f'{where or "result"}: "{part.name}" is missing')
    for key in table:
        if key not in names:
            raise _MismatchError(f'{where or "result"}: unknown key "{clipped(key, 60)}"')
    return kind(
        **{
            name: _decoded(hints[name], table[name], f"{where}.{name}".lstrip("."))
            for name in names
            if name in table
        }
    )


def _decoded_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    items = _expected(list, value, where, "a list")
    return tuple(_decoded(kinds[0], item, f"{where}[{index}]") for index, item in enumerate(items))


def _decoded_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return the value as the member whose JSON form it has exactly, else as the first that takes it."""
    exact = [kind for kind in kinds if type(value) is kind]
    for kind in exact or kinds:
        try:
            return _decoded(kind, value, where)
        except _MismatchError:
            continue
    raise _mismatch(where, " or ".join(_word(kind) for kind in kinds), value)


def _decoded_enum(kind: type[Enum], value: Any, where: str) -> Enum:
    for member in kind:
        if member.value == value and type(member.value) is type(value):
            return member
    raise _mismatch(where, f"one of {', '.join(str(member.value) for member in kind)}", value)


def _decoded_scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and type(value) is int and abs(value) < 2**1023:
        return float(value)
    if kind is float and isinstance(value, str) and value in NOT_FINITE:
        return NOT_FINITE[value]
    if type(value) is not kind:
        raise _mismatch(where, _word(kind), value)
    return value


def _expected(kind: type, value: Any, where: str, word: str) -> Any:
    if not isinstance(value, kind):
        raise _mismatch(where or "result", word, value)
    return value


def _mismatch(where: str, expected: str, value: Any) -> _MismatchError:
    shown = json.dumps(value)
    return _MismatchError(f"{where}: expected {expected}, found {shown[:60]}{'…' if len(shown) > 60 else ''}")


def _word(kind: Any) -> str:
    words: Mapping[Any, str] = {
        str: "a text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        type(None): "null",
    }
    return words.get(kind, getattr(kind, "__name__", str(kind)))
