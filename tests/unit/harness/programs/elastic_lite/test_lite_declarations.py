"""Nothing that a request contains is passed by in silence: every place declares what it takes."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from harness.programs import elastic_lite
from harness.programs.elastic_lite.aggregations.definitions import KINDS, parse_aggregations
from harness.programs.elastic_lite.api.app import ROUTES
from harness.programs.elastic_lite.api.routes import OwnReading, Route, Router, check_parameters
from harness.programs.elastic_lite.api.search_request import parse_request
from harness.programs.elastic_lite.language.declarations import Declaration, declare
from harness.programs.elastic_lite.language.errors import ElasticError
from harness.programs.elastic_lite.mapping.declared import TYPES, mapping_of
from harness.programs.elastic_lite.mapping.field_types import READERS
from harness.programs.elastic_lite.mapping.mappings import compile_mapping
from harness.programs.elastic_lite.query.clauses import CLAUSES, compile_query
from harness.programs.elastic_lite.query.scope import Scope
from harness.programs.elastic_lite.reference import page
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.settings import index_settings
from tests.repository import REPOSITORY

REFUSAL = "the embedded store does not support"
NAMES = [f"{' '.join(route.methods)} {route.path}" for route in ROUTES]
MAPPING = compile_mapping(
    {"properties": {"k": {"type": "keyword"}, "t": {"type": "text"}, "d": {"type": "date"}}}
)
SCOPE = Scope(Index(1, "i", "u", 0, {}, MAPPING), 0)
QUERIES: dict[str, Any] = {
    "match_all": {},
    "match_none": {},
    "ids": {"values": ["1"]},
    "exists": {"field": "k"},
    "bool": {"filter": []},
    "constant_score": {"filter": {"match_all": {}}},
    "term": {"k": {"value": "a"}},
    "terms": {"k": ["a"]},
    "range": {"d": {"gte": 1}},
    "match": {"t": {"query": "a"}},
    "match_phrase": {"t": {"query": "a"}},
    "prefix": {"k": {"value": "a"}},
    "wildcard": {"k": {"value": "a"}},
}
BY_FIELD = ("term", "range", "match", "match_phrase", "prefix", "wildcard")


def refusal(error: pytest.ExceptionInfo[ElasticError]) -> str:
    """The reason of an error that must be a refusal."""
    assert error.value.status == 400
    assert error.value.reason.startswith(REFUSAL)
    assert error.value.reason.endswith("; use --backend local")
    return error.value.reason


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_every_route_declares_its_parameters_and_its_body(route: Route) -> None:
    assert isinstance(route.parameters, Declaration)
    assert route.body is None or isinstance(route.body, (Declaration, OwnReading))


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_unknown_parameter_is_refused_by_name_on_every_route(route: Route) -> None:
    with pytest.raises(ElasticError) as raised:
        check_parameters(route, {"colour": "red"})

    assert "`colour`" in refusal(raised)


def test_route_without_a_declaration_cannot_be_made() -> None:
    parameters = inspect.signature(Route).parameters

    assert all(it.default is inspect.Parameter.empty for it in parameters.values())


def test_handlers_ask_only_for_parameters_that_their_route_declares() -> None:
    """A word read with `call.flag` or `call.parameters` stands in some declaration of its module."""
    folder = Path(elastic_lite.__file__).parent / "api"
    declared = {name for route in ROUTES for name in route.parameters.words}
    for module in folder.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("call.flag", "call.parameters.get"):
                assert not isinstance(node.args[0], ast.Constant) or node.args[0].value in declared


@pytest.mark.parametrize("kind", CLAUSES)
def test_unknown_option_of_every_query_is_refused_by_name(kind: str) -> None:
    compile_query({kind: QUERIES[kind]}, SCOPE)
    body: dict[Any, Any] = QUERIES[kind]
    strange: dict[Any, Any] | None = (
        {name: {**asked, "colour": 1} for name, asked in body.items()} if kind in BY_FIELD else None
    )
    with pytest.raises(ElasticError) as raised:
        compile_query({kind: strange or {**body, "_name": "x"}}, SCOPE)

    assert ("`colour`" if strange else "`_name`") in refusal(raised)


@pytest.mark.parametrize("kind", TYPES)
def test_unknown_parameter_of_every_field_type_is_refused_by_name(kind: str) -> None:
    with pytest.raises(ElasticError) as raised:
        mapping_of({"properties": {"x": {"type": kind, "colour": 1}}})

    assert "`colour`" in refusal(raised)


def test_every_field_type_that_is_declared_can_be_read() -> None:
    assert TYPES.keys() - {"object", "nested", "alias"} == READERS.keys()


@pytest.mark.parametrize("kind", [name for name, it in KINDS.items() if it.takes is not None])
def test_unknown_parameter_of_every_aggregation_is_refused_by_name(kind: str) -> None:
    with pytest.raises(ElasticError) as raised:
        parse_aggregations({"a": {kind: {"field": "k", "colour": 1}}}, [])

    assert "does not support" in refusal(raised)


@pytest.mark.parametrize("body", [{"colour": 1}, {"min_score": 1}, {"sort": [{"k": {"nested": {}}}]}])
def test_unknown_key_of_a_search_is_refused_by_name(body: Any) -> None:
    with pytest.raises(ElasticError) as raised:
        parse_request(body)

    refusal(raised)


@pytest.mark.parametrize("settings", [{"colour": 1}, {"analysis": {"analyzer": {}}, "index.mode": "logsdb"}])
def test_unknown_index_setting_is_refused_by_name(settings: Any) -> None:
    with pytest.raises(ElasticError) as raised:
        index_settings(settings)

    refusal(raised)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_alias"),
        ("POST", "/_reindex"),
        ("GET", "/i/_stats"),
        ("POST", "/_data_stream/_modify"),
        ("GET", "/_cat/nodes"),
        ("POST", "/i/_update/1"),
        ("PUT", "/_ilm/policy/x"),
        ("PUT", "/_template/x"),
    ],
)
def test_interface_that_only_elasticsearch_has_is_refused_by_name(method: str, path: str) -> None:
    with pytest.raises(ElasticError) as raised:
        Router(ROUTES).find(method, path)

    assert f"`{method} {path}`" in refusal(raised)


def test_value_that_is_not_taken_is_named_with_its_word() -> None:
    takes = declare("in a test", "a", inert={"b": "no reason"}, only={"c": ("false",)})
    takes.check({"a": 1, "b": 2, "c": False})
    with pytest.raises(ElasticError) as raised:
        takes.check({"c": True})

    assert "`c` of `true` in a test" in refusal(raised)


def test_every_word_without_effect_has_a_reason() -> None:
    text = page()

    assert re.search(r"without effect:\s*(\n|$)", text) is None


def test_reference_page_is_what_the_declarations_say() -> None:
    written = (REPOSITORY / "docs/reference/embedded-store.md").read_text(encoding="utf-8")

    assert written == page(), "run `make schemas`"
