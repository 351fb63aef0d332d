"""Writes what is generated of docs/reference/alerts.md, and the JSON Schema of the file, from the models.

python -m logging_system.alerting.reference docs/reference/alerts.md docs/reference/schemas/alerts.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from logging_system.alerting.channels import Channel
from logging_system.alerting.channels.declared import Secret
from logging_system.alerting.declaration import Alerts, DeclaredInhibition
from logging_system.alerting.matching import RecordMatch
from logging_system.alerting.rules import Rule
from logging_system.config.reference import updated

_HEAD = "| name | default | meaning |\n| --- | --- | --- |\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules and channels of alerts",
        **Alerts.model_json_schema(),
    }


def schema_text() -> str:
    """Return the JSON Schema as its file has it."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


def page(before: str) -> str:
    """Return docs/reference/alerts.md made again; raises as `updated`."""
    return updated(before, "\n" + "\n".join(_sections()), place_of="tables belong")


def _sections() -> Iterator[str]:
    yield f"## The file\n\n{_table(Alerts)}"
    yield f"## `match`: which records\n\n{_table(RecordMatch)}"
    for model in _models(Rule):
        yield f"## Rule `{_kind(model)}`\n\n{_words(model)}\n\n{_table(model)}"
    for model in _models(Channel):
        yield f"## Channel `{_kind(model)}`\n\n{_words(model)}\n\n{_table(model)}"
    yield f"## Where a secret is\n\n{_words(Secret)}\n\n{_table(Secret)}"
    yield f"## `inhibit`\n\n{_words(DeclaredInhibition)}\n\n{_table(DeclaredInhibition)}"


def _models(union: Any) -> list[type[BaseModel]]:
    inner = get_args(union)
    return list(get_args(inner[0])) or [union] if inner else [union]


def _kind(model: type[BaseModel]) -> str:
    return str(model.model_fields["kind"].default)


def _words(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _table(model: type[BaseModel]) -> str:
    rows = (_row(name, field) for name, field in model.model_fields.items() if name != "kind")
    return _HEAD + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    default = "" if field.is_required() else _default(field.default)
    needed = " (required)" if field.is_required() else ""
    return f"| `{name}`{needed} | {default} | {field.description} |\n"


def _default(value: object) -> str:
    if value is None or value in ({}, ()) or value == "" or isinstance(value, BaseModel):
        shown = value.model_dump(exclude_defaults=True) if isinstance(value, BaseModel) else None
        return f"`{json.dumps(shown)}`" if shown else ""
    if isinstance(value, tuple) and isinstance(value[0], BaseModel):
        return "see above"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(schema_text() if path.suffix == ".json" else page(path.read_text()))
        print(path)
