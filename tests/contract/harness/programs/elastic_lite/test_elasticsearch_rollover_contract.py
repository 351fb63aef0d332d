"""When elastic_lite and the real Elasticsearch roll a data stream over, and what they answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store


@pytest.fixture
def stream(store: Store) -> str:
    """A data stream of three documents, of which a search finds all."""
    name = store.stream()
    lines = [line for at in range(3) for line in ({"create": {"_id": str(at)}}, {"@timestamp": at})]
    assert [item["status"] for item in store.items(f"/{name}", lines, "?refresh=true")] == [201] * 3
    return name


def rolled(store: Store, stream: str, conditions: Any, parameters: str = "") -> Any:
    """The answer to a rollover request."""
    return store.ok("POST", f"/{stream}/_rollover{parameters}", {"conditions": conditions})


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"max_docs": 3}, {"[max_docs: 3]": True}), ({"max_docs": 4}, {"[max_docs: 4]": False}),
        ({"max_docs": "3"}, {"[max_docs: 3]": True}), ({"max_docs": 1.5}, {"[max_docs: 1]": True}),
        ({"max_primary_shard_docs": 4}, {"[max_primary_shard_docs: 4]": False}),
        ({"max_age": "7d"}, {"[max_age: 7d]": False}), ({"max_age": "168h"}, {"[max_age: 7d]": False}),
        ({"max_age": "90m"}, {"[max_age: 1.5h]": False}), ({"max_age": "0s"}, {"[max_age: 0s]": True}),
        ({"max_age": "1ms"}, {"[max_age: 1ms]": True}), ({"max_age": "-1"}, {"[max_age: -1]": True}),
        ({"max_size": "5gb"}, {"[max_size: 5gb]": False}), ({"max_size": "1b"}, {"[max_size: 1b]": True}),
        ({"max_size": "1.5GB"}, {"[max_size: 1.5gb]": False}),
        ({"max_size": "2048kb"}, {"[max_size: 2mb]": False}),
        ({"max_primary_shard_size": "50gb"}, {"[max_primary_shard_size: 50gb]": False}),
        ({"max_docs": 3, "max_age": "7d", "min_docs": 1, "min_age": "1d", "min_size": "1b"},
         {"[max_docs: 3]": True, "[max_age: 7d]": False, "[min_docs: 1]": True, "[min_age: 1d]": False,
          "[min_size: 1b]": True}),
        ({}, {}),
    ],
)  # fmt: skip
def test_dry_run_tells_which_conditions_are_met(
    store: Store, stream: str, conditions: Any, found: Any
) -> None:
    answer = rolled(store, stream, conditions, "?dry_run")

    assert answer["conditions"] == found
    assert (answer["acknowledged"], answer["rolled_over"], answer["dry_run"]) == (False, False, True)
    assert answer["old_index"].endswith("-000001")
    assert answer["new_index"].endswith("-000002")
    assert rolled(store, stream, {}, "?dry_run")["old_index"] == answer["old_index"]


@pytest.mark.parametrize(
    ("conditions", "happens"),
    [
        ({"max_docs": 4}, False), ({"max_docs": 3}, True), ({"max_docs": 3, "max_age": "7d"}, True),
        ({"max_docs": 3, "min_docs": 1}, True), ({"max_docs": 3, "min_docs": 10}, False),
        ({"max_docs": 4, "min_docs": 1}, False), ({"max_size": "1b", "min_age": "1d"}, False), ({}, True),
    ],
)  # fmt: skip
def test_rollover_happens_when_any_most_and_every_least_is_reached(
    store: Store, stream: str, conditions: Any, happens: bool
) -> None:
    answer = rolled(store, stream, conditions)
    (written,) = store.items(f"/{stream}", [{"create": {"_id": "9"}}, {"@timestamp": 9}])

    states = (answer["acknowledged"], answer["shards_acknowledged"], answer["rolled_over"])
    assert states == (happens, happens, happens)
    assert (answer["dry_run"], answer["lazy"]) == (False, False)
    assert written["_index"] == answer["new_index" if happens else "old_index"]


def test_documents_count_once_a_search_finds_them(store: Store, stream: str) -> None:
    rolled(store, stream, {})
    store.items(f"/{stream}", [{"create": {"_id": "9"}}, {"@timestamp": 9}])
    before = rolled(store, stream, {"max_docs": 1}, "?dry_run")
    store.ok("POST", f"/{stream}/_refresh")
    after = rolled(store, stream, {"max_docs": 1}, "?dry_run")

    assert (before["conditions"], after["conditions"]) == ({"[max_docs: 1]": False}, {"[max_docs: 1]": True})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"conditions": {"max_docs": "x"}}, "x_content_parse_exception"),
        ({"conditions": {"max_docs": None}}, "x_content_parse_exception"),
        ({"conditions": {"max_docs": [3]}}, "x_content_parse_exception"),
        ({"conditions": {"max_age": "x"}}, "x_content_parse_exception"),
        ({"conditions": {"max_age": 5}}, "x_content_parse_exception"),
        ({"conditions": {"max_size": 5}}, "x_content_parse_exception"),
        ({"conditions": {"max_size": "1"}}, "parse_exception"),
        ({"conditions": {"max_colour": 1}}, "x_content_parse_exception"),
        ({"conditions": {"max_docs": 3, "docs": 1}}, "x_content_parse_exception"),
        ({"conditions": {"min_docs": 1}}, "action_request_validation_exception"),
        ({"conditions": []}, "x_content_parse_exception"), ({"colour": 1}, "x_content_parse_exception"),
    ],
)  # fmt: skip
def test_condition_without_meaning_is_refused_and_nothing_happens(
    store: Store, stream: str, body: Any, kind: str
) -> None:
    assert store.refused("POST", f"/{stream}/_rollover", body) == (400, kind)
    assert rolled(store, stream, {}, "?dry_run")["old_index"].endswith("-000001")


def test_only_a_data_stream_is_rolled_over(store: Store, stream: str) -> None:
    index = store.index()

    assert store.refused("POST", f"/{store.name()}/_rollover") == (404, "resource_not_found_exception")
    assert store.refused("POST", f"/{index}/_rollover") == (400, "illegal_argument_exception")
    assert store.refused("POST", f"/{stream}/_rollover/next") == (400, "illegal_argument_exception")
