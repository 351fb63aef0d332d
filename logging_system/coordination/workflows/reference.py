"""Writes what is generated of docs/reference/workflows.md, and the JSON Schema of the file, from the models.

python -m logging_system.coordination.workflows.reference docs/reference/workflows.md \
    docs/reference/schemas/workflows.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from logging_system.config.reference import updated
from logging_system.coordination.findings import CauseClass, FindingKind
from logging_system.coordination.workflows.declaration import (
    Automatic,
    BlastRadius,
    Learning,
    Range,
    When,
    Workflow,
    Workflows,
)
from logging_system.coordination.workflows.steps import Step
from logging_system.coordination.workflows.steps.declared import DeclaredStep

_HEAD = "| name | default | meaning |\n| --- | --- | --- |\n"


def schema_text() -> str:
    """Return the JSON Schema of the file, as its file has it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Workflows for findings",
        **Workflows.model_json_schema(),
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def page(before: str) -> str:
    """Return docs/reference/workflows.md made again; raises as `updated`.

    Args:
        before: The page as it is now: what stands outside the marks of the generated part is kept.
    """
    return updated(before, "\n" + "\n".join(_sections()), place_of="tables belong")


def _sections() -> Iterator[str]:
    yield f"## The file\n\n{_table(Workflows)}"
    yield f"## A workflow\n\n{_words(Workflow)}\n\n{_table(Workflow)}"
    yield f"## `when`\n\n{_words(When)}\n\n{_table(When)}"
    yield f"The kinds are {_list(FindingKind)}; the causes {_list(CauseClass)}.\n"
    yield f"## `measures`\n\n{_words(Range)}\n\n{_table(Range)}"
    yield f"## `automatic`\n\n{_words(Automatic)}\n\n{_table(Automatic)}"
    yield f"## `limits`\n\n{_words(BlastRadius)}\n\n{_table(BlastRadius)}"
    yield f"## `learning`\n\n{_words(Learning)}\n\n{_table(Learning)}"
    for model in get_args(get_args(Step)[0]):
        yield f"## Step `{model.model_fields['kind'].default}`\n\n{_about(model)}\n\n{_table(model)}"


def _about(model: type[DeclaredStep]) -> str:
    return " ".join((model.__doc__ or "").split())


def _list(words: type[FindingKind] | type[CauseClass]) -> str:
    return ", ".join(f"`{each.value}`" for each in words)


def _words(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _table(model: type[BaseModel]) -> str:
    rows = (_row(name, field) for name, field in model.model_fields.items() if name != "kind")
    return _HEAD + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    needed = " (required)" if field.is_required() else ""
    default = "" if field.is_required() else _default(field.default)
    return f"| `{name}`{needed} | {default} | {field.description} |\n"


def _default(value: object) -> str:
    if value is None or value in ({}, (), "") or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(schema_text() if path.suffix == ".json" else page(path.read_text()))
        print(path)
