"""Which handler a path means, and which template an index gets."""

from __future__ import annotations

from typing import Any

import pytest

from harness.programs.elastic_lite.api.app import ROUTES, BodyTooLargeError, gunzip
from harness.programs.elastic_lite.api.documents_api import bulk, get_document
from harness.programs.elastic_lite.api.indices_api import get_index
from harness.programs.elastic_lite.api.routes import Router, check_parameters
from harness.programs.elastic_lite.api.search_api import search
from harness.programs.elastic_lite.language.errors import ElasticError, PlainError
from harness.programs.elastic_lite.storage.catalog import Catalog
from harness.programs.elastic_lite.storage.settings import flatten, index_settings, unflatten
from harness.programs.elastic_lite.storage.templates import composed, matching_template, normal_index_template

ROUTER = Router(ROUTES)


@pytest.mark.parametrize(
    ("method", "path", "handler", "names"),
    [
        ("POST", "/_bulk", bulk, {}),
        ("POST", "/docs/_bulk", bulk, {"index": "docs"}),
        ("GET", "/_search", search, {}),
        ("GET", "/a,b/_search/", search, {"index": "a,b"}),
        ("GET", "/docs/_doc/a%2Fb", get_document, {"index": "docs", "id": "a/b"}),
        ("HEAD", "/docs", get_index, {"index": "docs"}),
    ],
)
def test_path_is_routed_with_its_names(method: str, path: str, handler: Any, names: Any) -> None:
    route, found = ROUTER.find(method, path)

    assert route.handler is handler
    assert found == names


def test_method_of_a_more_general_path_does_not_leak_in() -> None:
    with pytest.raises(PlainError) as raised:
        ROUTER.find("DELETE", "/_search")

    assert raised.value.status == 405
    assert raised.value.allowed == ("GET", "POST")


def test_unknown_parameter_is_named() -> None:
    route, _ = ROUTER.find("POST", "/_bulk")
    check_parameters(route, {"refresh": "true", "pretty": "", "filter_path": "took"})

    with pytest.raises(ElasticError, match="the embedded store does not support `colour`"):
        check_parameters(route, {"colour": "red"})


def test_gzip_is_bounded_and_what_is_not_gzip_is_empty() -> None:
    import gzip

    packed = gzip.compress(b"x" * 1000)

    assert gunzip(packed, 1000) == b"x" * 1000
    assert gunzip(b"not gzip", 1000) == b""
    with pytest.raises(BodyTooLargeError):
        gunzip(packed, 999)


def test_fitting_template_of_highest_priority_is_chosen() -> None:
    templates: dict[str, dict[str, Any]] = {
        "low": {"index_patterns": ["logs-*"], "priority": 1},
        "none": {"index_patterns": ["*"]},
        "high": {"index_patterns": ["x-*", "logs-app-*"], "priority": 2},
    }
    catalog = Catalog(index_templates=templates)
    chosen = [matching_template(catalog, name) for name in ("logs-app-1", "logs-1", "other")]

    assert [found[0] for found in chosen if found is not None] == ["high", "low", "none"]
    assert matching_template(Catalog(), "other") is None


def test_components_are_laid_over_each_other_in_order() -> None:
    components = {
        "first": {
            "template": {
                "settings": {"number_of_shards": 2},
                "mappings": {"properties": {"a": {"type": "long"}}},
            }
        },
        "second": {
            "template": {
                "settings": {"index": {"number_of_shards": 3}},
                "mappings": {"properties": {"b": {"type": "long"}}},
            }
        },
    }
    own = {
        "template": {"mappings": {"properties": {"a": {"type": "keyword"}}}},
        "composed_of": ["first", "second"],
    }
    settings, mapping = composed(Catalog(component_templates=components), own)

    assert settings == {"index.number_of_shards": "3"}
    assert mapping == {"properties": {"a": {"type": "keyword"}, "b": {"type": "long"}}}


def test_template_may_be_replaced_under_its_own_name_and_not_doubled() -> None:
    body = {"index_patterns": ["logs-*"], "priority": 5}
    catalog = Catalog(index_templates={"mine": normal_index_template(Catalog(), "mine", body)})

    assert normal_index_template(catalog, "mine", body) == {**body, "composed_of": []}
    with pytest.raises(ElasticError, match="same priority"):
        normal_index_template(catalog, "other", {"index_patterns": ["*-app"], "priority": 5})


def test_settings_are_the_same_nested_or_flat() -> None:
    nested = {"index": {"number_of_replicas": 0}, "refresh_interval": "5s", "hidden": True}
    flat = {"index.number_of_replicas": "0", "index.refresh_interval": "5s", "index.hidden": "true"}

    assert index_settings(nested) == flat
    assert flatten(unflatten(flat)) == flat


@pytest.mark.parametrize(
    "settings",
    [{"colour": 1}, {"refresh_interval": "soon"}, {"number_of_shards": 0}, {"number_of_replicas": "x"}],
)
def test_bad_setting_is_refused(settings: Any) -> None:
    with pytest.raises(ElasticError) as raised:
        index_settings(settings)

    assert raised.value.status == 400
