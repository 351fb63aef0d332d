"""How a setting is read where its Python type does not say it: the types of `Settings`'s fields."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BeforeValidator, Field

from logging_system.masking.declaration import MaskDeclaration, declaration_of
from logging_system.records.labels import LABEL_KEY_CHARACTERS_MAX, LABELS_MAX
from logging_system.records.namespaces import NAMESPACES_MAX, checked_namespace
from logging_system.records.truncation import Label

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# https://www.elastic.co/guide/en/elasticsearch/reference/8.19/indices-create-data-stream.html
_STREAM = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,200}")


def _stream(name: str) -> str:
    if not _STREAM.fullmatch(name):
        raise ValueError("a data stream's name has lower case letters, digits, '-', '_' and '.'")
    return name


def _level(given: object) -> int | str:
    """Return a level as `logging` takes it, by number or by name, with its name where it is a usual one."""
    level = given
    if isinstance(given, str):
        text = given.strip()
        names = logging.getLevelNamesMapping()
        level = int(text) if text.isdecimal() else names.get(text.upper(), names.get(text))
    if type(level) is not int or level < 0:
        raise ValueError(f"must be one of {', '.join(_LEVELS)}, or a number as logging has it")
    name = logging.getLevelName(level)
    return name if name in _LEVELS else level


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(equals and name.strip() for name, equals, _ in pairs):
        raise ValueError("labels are written as name=value,name=value")
    return {name.strip(): label.strip() for name, _, label in pairs}


def _namespace(name: str) -> str:
    return checked_namespace(name)


def _kept(value: object) -> object:
    """Return namespaces with how long each is kept, from a list, an object, or a text of either."""
    if isinstance(value, str):
        parts = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        return {name.strip(): kept.strip() for name, _, kept in parts}
    if isinstance(value, list):
        return dict.fromkeys(value, "")
    if isinstance(value, dict):
        return {name: "" if kept is None else kept for name, kept in value.items()}
    return value


def _retention(text: str) -> str:
    if text and not re.fullmatch(r"[1-9]\d{0,8}[dhms]", text):
        raise ValueError("how long a namespace is kept is written as 30d or 12h")
    return text


def _url(url: str) -> str:
    if not re.match(r"https?://[^/\s]", url):
        raise ValueError("a node is written as http://host:9200 or https://host:9200")
    return url


def _endpoint(url: str) -> str:
    if not re.match(r"https?://[^/\s]", url):
        raise ValueError(
            "a collector is written as http://host:4318/v1/traces or https://host:4318/v1/traces"
        )
    return url


def _declared(value: object) -> object:
    if isinstance(value, str):
        try:
            value = yaml.safe_load(value)
        except (yaml.YAMLError, RecursionError) as error:
            raise ValueError('must be an object, as JSON: {"rules": {"phone": "redact"}}') from error
    return None if value is None else declaration_of(value)


def absolute(path: Path) -> Path:
    """Return a path that stays the same file whatever the process's current folder becomes.

    Args:
        path: May be relative, and may begin with `~`.

    Raises:
        ValueError: There is no such home folder, or no current folder any more.
    """
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"{path.parts[0]} names no home folder; give an absolute path") from error
    except OSError as error:
        raise ValueError("the current folder does not exist any more; give an absolute path") from error


Stream = Annotated[str, AfterValidator(_stream)]
Namespace = Annotated[str, AfterValidator(_namespace)]
Namespaces = Annotated[
    dict[Namespace, Annotated[str, AfterValidator(_retention)]],
    Field(max_length=NAMESPACES_MAX),
    BeforeValidator(_kept),
]
Level = Annotated[int | str, BeforeValidator(_level)]
Urls = Annotated[list[Annotated[str, AfterValidator(_url)]], BeforeValidator(_split)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Labels = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=LABEL_KEY_CHARACTERS_MAX)], Label],
    Field(max_length=LABELS_MAX),
    BeforeValidator(_pairs),
]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_split)]
Processors = Annotated[list[Any], BeforeValidator(_split)]
Masking = Annotated[MaskDeclaration | None, BeforeValidator(_declared)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
