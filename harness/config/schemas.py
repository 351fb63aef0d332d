"""JSON Schemas of every file, for editors and for whoever reads a result without us.

    python -m harness.config.schemas docs/reference/schemas

writes them. They are made from the models that the loaders use, so they say what the loaders ask for; rules
across several values (a step that ends after sending) are the loaders' alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from harness.config.checks import WORD_KEY
from harness.config.gate import GateModel
from harness.config.part_signature import Argument, PartSignature, signature_of
from harness.config.scenario import ScenarioModel
from harness.config.stack import StackModel
from harness.config.suite import SuiteModel
from harness.config.validation import FileModel
from harness.evidence.archives import ARCHIVES
from harness.evidence.counters import COUNTERS
from harness.faults import FAULTS
from harness.judging.checkers import CHECKERS
from harness.load import LOADS
from harness.load.intakes import INTAKES
from harness.load.schedules import SCHEDULES
from harness.model import result
from harness.model.registry import Family
from harness.model.result import Result
from harness.reporting.result_json import NOT_FINITE, SCHEMA_VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PARTS: Mapping[str, tuple[Family, str]] = {
    "_ScheduleModel": (SCHEDULES, "kind"),
    "_LoadModel": (LOADS, "kind"),
    "_StepModel": (FAULTS, "fault"),
    "CheckModel": (CHECKERS, WORD_KEY),
    "_IntakeModel": (INTAKES, "kind"),
    "_ArchiveModel": (ARCHIVES, "kind"),
    "_DeadLettersModel": (ARCHIVES, "kind"),
    "_CountersModel": (COUNTERS, "kind"),
    "_ReadsModel": (ARCHIVES, "kind"),
}
"""The models that name a part, by their name in a schema: its family, and the key that holds its word."""

FILES: Mapping[str, type[FileModel]] = {
    "scenario": ScenarioModel,
    "suite": SuiteModel,
    "stack": StackModel,
    "gate": GateModel,
}


def schemas() -> Mapping[str, dict[str, Any]]:
    """Return the schema of each file, by the word for it: scenario, suite, stack, gate, result."""
    made = {word: _titled(word, _with_parts(model.model_json_schema())) for word, model in FILES.items()}
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


def _with_parts(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a file's schema with the arguments of each part that it can name."""
    models = schema.get("$defs", {})
    parts = {name: _part(models[name], *_PARTS[name]) for name in models if name in _PARTS}
    return {**schema, "$defs": {**models, **parts}} if parts else schema


def _part(model: dict[str, Any], family: Family, word_key: str) -> dict[str, Any]:
    """Return the schema of a part: a known word or a dotted path, and by the word the arguments it takes."""
    if "anyOf" in model:  # the word alone, or a mapping with the word and its arguments
        alone, mapping = model["anyOf"]
        return {"anyOf": [_word(alone, family), _part(mapping, family, word_key)]}
    own = model["properties"]
    word = _word(own[word_key], family)
    branches = [
        {
            "if": {"properties": {word_key: {"const": each}}, "required": [word_key]},
            "then": _arguments(signature_of(family.resolve(each)), own),
        }
        for each in family.kinds
    ]
    return {**model, "properties": {**own, word_key: word}, "allOf": branches}


def _word(schema: dict[str, Any], family: Family) -> dict[str, Any]:
    return {**schema, "anyOf": [{"enum": list(family.kinds)}, {"pattern": ":"}]}


def _arguments(signature: PartSignature, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a part takes beside the keys that all parts of its place have."""
    described = {each.name: _argument(each) for each in signature.arguments.values()}
    scalar = {"type": ["string", "number", "boolean"], "description": signature.takes_more}
    more: dict[str, Any] = {"additionalProperties": False}
    if signature.takes_more:
        patterns = {f"^{re.escape(prefix)}": scalar for prefix in signature.prefixes if prefix}
        more = {**more, "patternProperties": patterns} if patterns else {"additionalProperties": scalar}
    required = [each.name for each in signature.arguments.values() if each.required]
    return {
        "properties": {**dict.fromkeys(own, True), **described},
        **({"required": required} if required else {}),
        **more,
    }


def _argument(argument: Argument) -> dict[str, Any]:
    schema = {**TypeAdapter(argument.hint).json_schema(), "description": argument.meaning}
    return schema if argument.required else {**schema, "default": argument.default}


def _result() -> dict[str, Any]:
    """Return the schema of `result.json`: the nouns of `result.py` beside the version."""
    schema = _walked(TypeAdapter(Result).json_schema(), _closed)
    schema["$defs"] = {name: _with_added(name, noun) for name, noun in schema["$defs"].items()}
    properties = {"schema_version": {"const": SCHEMA_VERSION}, **schema["properties"]}
    # The file holds every key, those with a default included.
    return _titled("result", {**schema, "properties": properties, "required": list(properties)})


def _with_added(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a noun's schema without asking for fields that older results of this version lack."""
    noun = getattr(result, name, None)
    added = (
        {each.name for each in fields(noun) if each.metadata.get("added")} if is_dataclass(noun) else set()
    )
    if not added:
        return schema
    return {**schema, "required": [each for each in schema["required"] if each not in added]}


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
