"""The published JSON Schemas are those of the loaders, and what is shipped satisfies them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.config.library import Sort, open_library, shipped_folder
from harness.config.schemas import schemas, text, write_schemas
from harness.config.yaml_source import read_yaml
from harness.model.result import SecondOfRun
from harness.reporting.result_json import ResultJson
from tests.repository import REPOSITORY
from tests.unit.harness.reporting.example_result import EXAMPLES, passing_result

PUBLISHED = REPOSITORY / "docs" / "reference" / "schemas"
LIBRARY = open_library(shipped_folder().parent)
SHIPPED = [(sort, name) for sort in Sort for name in LIBRARY.names(sort)]
WORDS = sorted(schemas())


def problems(word, document):
    return [error.message for error in Draft202012Validator(schemas()[word]).iter_errors(document)]


@pytest.mark.parametrize("word", WORDS)
def test_the_published_schema_is_current(word):
    published = (PUBLISHED / f"{word}.json").read_text(encoding="utf-8")

    assert published == text(schemas()[word]), "run `make schemas` and commit what it writes"


@pytest.mark.parametrize("word", WORDS)
def test_each_schema_is_one(word):
    Draft202012Validator.check_schema(schemas()[word])

    assert problems(word, {}) != []


def test_every_schema_is_written_under_its_word(tmp_path):
    assert sorted(path.stem for path in write_schemas(tmp_path / "new")) == WORDS


@pytest.mark.parametrize(("sort", "name"), SHIPPED, ids=str)
def test_every_shipped_file_satisfies_its_schema(sort, name):
    assert problems(sort.noun, dict(read_yaml(LIBRARY.find(sort, name).path).data)) == []


@pytest.mark.parametrize(
    ("word", "document", "said"),
    [
        ("suite", {"version": 2, "name": "a", "title": "t", "scenarios": []}, "1 was expected"),
        ("suite", {"version": 1, "name": "A", "title": "t", "scenarios": []}, "does not match"),
        ("suite", {"version": 1, "name": "a", "title": "t", "scenarios": [], "colour": 1}, "colour"),
        ("gate", {"version": 1, "score": {"min": 101}}, "greater than the maximum of 100"),
        ("gate", {"version": 1, "waivers": [{"id": "a.b", "until": "2027-01-31"}]}, "'reason' is a required"),
    ],
)
def test_a_mistake_violates_the_schema(word, document, said):
    (problem,) = problems(word, document)

    assert said in problem


SCENARIO: dict[str, Any] = dict(read_yaml(LIBRARY.find(Sort.SCENARIO, "latency").path).data)
STACK = dict(read_yaml(LIBRARY.find(Sort.STACK, "reference").path).data)
STEP = SCENARIO["steps"][0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schedule": {"kind": "steady", "rate": 5}}, "'rate' was unexpected"),
        ({"schedule": {"kind": "stedy"}}, "'stedy' is not valid"),
        ({"load": {"kind": "hosted", "users": 5}}, "'users': 5} is not valid under any"),
        ({"steps": [{**STEP, "latency": 5}]}, "'latency' was unexpected"),
        ({"checks": [{"check": "backlog_seconds", "limit_secs": 5}]}, "is not valid under any"),
        ({"checks": ["backlog"]}, "is not valid under any"),
        ({"steps": [{**STEP, "latency_ms": "5"}]}, "'5' is not of type 'integer'"),
        ({"steps": [{**STEP, "direction": "sideways"}]}, "'sideways' is not one of"),
        ({"steps": [{"fault": "spike", **{k: STEP[k] for k in ("target", "at_seconds", "for_seconds")}}]},
         "'rate_per_second_min' is a required property"),
    ],
)  # fmt: skip
def test_an_argument_that_a_part_does_not_take_violates_the_schema(change, said):
    (problem,) = problems("scenario", {**SCENARIO, **change})

    assert said in problem


@pytest.mark.parametrize(
    ("key", "part", "said"),
    [
        ("intake", {"kind": "http", "url": "http://a", "method": "PUT"}, "does not match any of the regexes"),
        ("intake", {"kind": "http"}, "'url' is a required property"),
        ("archive", {"kind": "file", "path": "x", "format": "xml"}, "'xml' is not one of"),
        (
            "counters",
            {"kind": "json_file", "files": "x", "names": {"held": "h"}, "url": "u"},
            "not valid under any",
        ),
    ],
)
def test_an_argument_that_a_part_of_a_stack_does_not_take_violates_the_schema(key, part, said):
    (problem,) = problems("stack", {**STACK, key: part})

    assert said in problem


def test_a_part_of_ones_own_takes_what_it_likes():
    own = {"kind": "my.module:Class", "anything": 1}
    headers = {"kind": "http", "url": "http://a", "header.X-Token": "t"}

    assert problems("scenario", {**SCENARIO, "load": {"kind": "hosted"}}) == []
    assert problems("scenario", {**SCENARIO, "schedule": own, "load": own}) == []
    assert problems("stack", {**STACK, "intake": own}) == []
    assert problems("stack", {**STACK, "intake": headers}) == []


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_every_result_satisfies_its_schema(build):
    assert problems("result", json.loads(ResultJson().text(build()))) == []


def test_numbers_that_json_lacks_satisfy_the_schema_as_words():
    row = SecondOfRun(0, 1, 1, 1, float("inf"), float("nan"), None, None, None)
    base = passing_result()
    result = replace(base, scenarios=(replace(base.scenarios[0], series=(row,)),))

    assert problems("result", json.loads(ResultJson().text(result))) == []


def test_a_result_with_a_key_too_few_or_too_many_violates_the_schema():
    document = json.loads(ResultJson().text(passing_result()))
    del document["scenarios"][0]["attempts"]
    document["surprise"] = 1

    assert len(problems("result", document)) == 2


def test_a_check_may_be_a_word_or_have_the_arguments_that_it_takes():
    checks = ["corrupted", {"check": "backlog_seconds", "limit_seconds": 5}, "own.module:Check"]

    assert problems("scenario", {**SCENARIO, "checks": checks}) == []
