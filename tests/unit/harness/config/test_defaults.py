"""Each default is stated once, in the dataclass; models, schemas and the reference page say the same."""

import dataclasses
import re
from enum import Enum

import pytest
from pydantic import BaseModel

from harness.config import gate, scenario, stack
from harness.config.schemas import FILES
from harness.config.validation import default_of
from harness.judging.gate_rules import GateRules, ObjectiveRule
from harness.model.declarations import (
    DeadLetterOutlet,
    Fields,
    Promises,
    Ready,
    Scenario,
    Stack,
    StackProcess,
    Step,
)
from tests.repository import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "files.md"
MADE_INTO = {
    scenario.ScenarioModel: Scenario,
    scenario._StepModel: Step,
    stack.StackModel: Stack,
    stack._PromisesModel: Promises,
    stack._ReadyModel: Ready,
    stack._ProcessModel: StackProcess,
    stack._DeadLettersModel: DeadLetterOutlet,
    stack._FieldsModel: Fields,
    gate.GateModel: GateRules,
    gate._ObjectiveModel: ObjectiveRule,
}
# What a reader is told where the default is nothing at all, and what is worked out elsewhere.
NOTHING = {"", "none", "empty", "nothing", "it runs", "the kind's", "all"}


def plain(value):
    """Return a default as a file could have it: text, number, list, mapping or nothing."""
    if isinstance(value, Enum):
        return value.name.lower()
    return None if value in ("", (), [], {}) or dataclasses.is_dataclass(value) else value


def model_defaults(model):
    return {
        name: plain(field.get_default(call_default_factory=True))
        for name, field in model.model_fields.items()
        if not field.is_required() and not isinstance(field.get_default(call_default_factory=True), BaseModel)
    }


@pytest.mark.parametrize("model", MADE_INTO, ids=lambda model: model.__name__)
def test_a_file_left_empty_says_what_the_dataclass_says(model):
    noun = MADE_INTO[model]
    having = {
        field.name
        for field in dataclasses.fields(noun)
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    }
    shared = {name: default for name, default in model_defaults(model).items() if name in having}

    assert shared
    assert shared == {name: plain(default_of(noun, name)) for name in shared}


def test_a_field_without_a_default_is_a_mistake_of_ours():
    with pytest.raises(TypeError, match=r"Scenario\.title has no default"):
        default_of(Scenario, "title")


def paths(model, prefix=""):
    """Yield (path, field) of every key of a file: `a.b`, `a[].b` in a list, `a.*.b` in a mapping of names."""
    for name, field in model.model_fields.items():
        inner = inner_model(field.annotation)
        if inner is None:
            yield f"{prefix}{name}", field
        else:
            yield from paths(inner[0], f"{prefix}{name}{inner[1]}.")


def inner_model(annotation, step=""):
    """Return the model within a field's type, and the step of a path to it; None where it has none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, step
    origin = getattr(annotation, "__origin__", None)
    steps: dict[object, str] = {list: "[]", dict: ".*"}
    step = steps.get(origin, step)
    found = [inner_model(each, step) for each in getattr(annotation, "__args__", ())]
    return next(filter(None, found), None)


def tables_of_keys(section):
    """Return the head, the rule and all rows of a section's tables whose first column is `key`."""
    tables = re.findall(r"^(\| key \|.*)\n(\|[ |-]+)\n((?:\|.*\n?)+)", section, re.MULTILINE)
    return [*tables[0][:2], *(row for *_, rows in tables for row in rows.splitlines())] if tables else []


def sections():
    """Return the rows (key → default) of each file's tables of keys, by the word for the file."""
    found = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        word = section.partition("\n")[0].lower()
        rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in tables_of_keys(section)
        ]
        if word in FILES and rows:
            heads = rows[0]
            assert len({row[0] for row in rows}) == len(rows), f"{word}: a key stands there twice"
            found[word] = {
                re.sub("<[a-z]+>", "*", row[0].strip("`")): row[heads.index("default")].strip("`")
                for row in rows[2:]
            }
    return found


def row_of(path, rows):
    """Return what the page says of a key; a row that begins with `[]` stands for every list that has it."""
    said = [default for key, default in rows.items() if key in (path, path[path.find("[]") :])]
    return said[0] if said else None


def written(field):
    """Return the default as the page writes it; None where it must be one of the words for nothing."""
    if field.is_required():
        return "required"
    default = plain(field.get_default(call_default_factory=True))
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return f"{default:,g}"
    return default if isinstance(default, str) else None


@pytest.mark.parametrize("word", FILES)
def test_the_reference_page_tells_every_key_of_a_file_and_its_default(word):
    rows = sections()[word]
    wrong = {}
    for path, field in paths(FILES[word]):
        expected, said = written(field), row_of(path, rows)
        if said is None or (said not in NOTHING if expected is None else said != expected):
            wrong[path] = f"the page says {said!r}, the loader {expected or 'nothing'!r}"

    assert wrong == {}
    known = [path for path, _ in paths(FILES[word])]
    parents = {path[: match.start()] for path in known for match in re.finditer(r"\[\]\.|\.", path)}
    assert {key for key in rows if not key.startswith("[]")} <= {*known, *parents}
