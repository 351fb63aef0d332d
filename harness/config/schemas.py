"""JSON Schemas of every file, for editors and for whoever reads a result without us.

    python -m harness.config.schemas docs/reference/schemas

writes them. They are made from the models that the loaders use, so they say what the loaders ask for; rules
across several values (a step that ends after sending) are the loaders' alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from harness.config.gate import GateModel
from harness.config.scenario import ScenarioModel
from harness.config.stack import StackModel
from harness.config.suite import SuiteModel
from harness.config.validation import FileModel
from harness.model.result import Result
from harness.reporting.result_json import NOT_FINITE, SCHEMA_VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES: Mapping[str, type[FileModel]] = {
    "scenario": ScenarioModel,
    "suite": SuiteModel,
    "stack": StackModel,
    "gate": GateModel,
}


def schemas() -> Mapping[str, dict[str, Any]]:
    """Return the schema of each file, by the word for it: scenario, suite, stack, gate, result."""
    made = {word: _titled(word, model.model_json_schema()) for word, model in FILES.items()}
    return {**made, "result": _result()}


def write_schemas(folder: Path) -> list[Path]:
    """Write each schema as `<word>.json` into the folder; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for word, schema in schemas().items():
        path = folder / f"{word}.json"
        path.write_text(text(schema), encoding="utf-8")
        paths.append(path)
    return paths


def text(schema: Mapping[str, Any]) -> str:
    """Return a schema as the committed file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _titled(word: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, **_walked(schema, _without_model_names), "title": f"logquake {word}"}


def _result() -> dict[str, Any]:
    """Return the schema of `result.json`: the nouns of `result.py` beside the version."""
    schema = _walked(TypeAdapter(Result).json_schema(), _closed)
    properties = {"schema_version": {"const": SCHEMA_VERSION}, **schema["properties"]}
    # The file holds every key, those with a default included.
    return _titled("result", {**schema, "properties": properties, "required": list(properties)})


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an object's schema as our reader takes it: every key there, and no other."""
    if "properties" in schema:
        return {**schema, "required": list(schema["properties"]), "additionalProperties": False}
    if schema.get("type") == "number":
        # JSON has no infinity; result.json writes it as a word.
        rest = {key: value for key, value in schema.items() if key != "type"}
        return {"anyOf": [{"type": "number"}, {"enum": list(NOT_FINITE)}], **rest}
    return schema


def _without_model_names(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop the titles that pydantic makes from the names of classes and fields: they say nothing more."""
    return {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}


def _walked(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return the schema with `change` made to every schema inside, the innermost first."""
    if isinstance(schema, list):
        return [_walked(item, change) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {}
    for key, value in schema.items():
        if key in {"properties", "$defs"}:
            inside[key] = {name: _walked(item, change) for name, item in value.items()}
        elif key in {"default", "enum", "const", "examples"}:
            inside[key] = value
        else:
            inside[key] = _walked(value, change)
    return change(inside)


if __name__ == "__main__":
    for written in write_schemas(Path(sys.argv[1])):
        print(written)
