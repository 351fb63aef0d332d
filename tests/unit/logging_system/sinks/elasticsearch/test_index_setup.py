from __future__ import annotations

import itertools
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer
from logging_system.sinks.elasticsearch.index_setup import NotReady, Ready, set_up
from logging_system.sinks.elasticsearch.index_template import (
    CUSTOM_NAME,
    LIFECYCLE_NAME,
    MAPPINGS_NAME,
    OWNER,
    PRIORITY,
    SETTINGS_NAME,
    VERSION,
    Abilities,
    component_templates,
    index_template,
)

MISSING = (404, {"error": {"type": "resource_not_found_exception", "reason": "not found"}})
NO_HANDLER = (400, {"error": "no handler found for uri"})
FORBIDDEN = (403, {"error": {"type": "security_exception", "reason": "action is unauthorized"}})
BLOCKED = (403, {"error": {"type": "cluster_block_exception", "reason": "blocked"}})
DONE = (200, {"acknowledged": True})
SIMULATED = (200, {"template": {"mappings": {"_meta": {"managed_by": OWNER}}}, "overlapping": []})


class Cluster:
    """Answers by the longest beginning of `METHOD /path` that it was told of, and remembers what was put."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, object]] = {
            "POST /_index_template/_simulate": SIMULATED,
            "GET /_data_stream/": MISSING,
            "GET /": MISSING,
            "PUT /": DONE,
        }
        self.put: dict[str, object] = {}
        self.before_put: Callable[[], None] = lambda: None

    def told(self, request: str, status: int, content: object) -> Cluster:
        self.answers[request] = (status, content)
        return self

    def ask(self, method: str, target: str, body: bytes, _content_type: str) -> HttpAnswer | NoAnswer:
        request = f"{method} {target}"
        known = max((each for each in self.answers if request.startswith(each)), key=len)
        if method == "PUT":
            self.before_put()
        status, content = self.answers[known]
        if method == "PUT" and status == 200:
            self.put[target.partition("?")[0].rpartition("/")[2].replace("%40", "@")] = orjson.loads(body)
        return HttpAnswer(status, {}, orjson.dumps(content))


def test_a_server_that_can_do_all_gets_it_all_and_nothing_is_remarked() -> None:
    cluster = Cluster()
    outcome = set_up(cluster.ask, "logs-app-prod")
    template = cluster.put["logging-system-logs-app-prod"]

    assert outcome == Ready()
    assert set(cluster.put) == {
        MAPPINGS_NAME,
        SETTINGS_NAME,
        LIFECYCLE_NAME,
        "logging-system-logs-app-prod",
    }
    assert template["composed_of"] == [MAPPINGS_NAME, SETTINGS_NAME, LIFECYCLE_NAME, CUSTOM_NAME]  # type: ignore[index]
    assert template["_meta"]["abilities"] == ["logsdb", "match_only_text", "lifecycle"]  # type: ignore[index]


def test_a_server_that_can_do_nothing_more_gets_the_rest_and_each_lack_is_remarked() -> None:
    cluster = Cluster()
    for interface in ("POST /_index_template/_simulate", "GET /_data_stream/"):
        cluster.told(interface, *NO_HANDLER)
    outcome = set_up(cluster.ask, "logs")

    assert isinstance(outcome, Ready)
    assert [remark.partition(":")[0] for remark in outcome.remarks] == [
        "the server has no data stream lifecycle",
        "the server has no index mode logsdb",
        "the server has no field type match_only_text",
    ]
    assert LIFECYCLE_NAME not in cluster.put
    assert cluster.put["logging-system-logs"] == index_template("logs")


def test_a_server_that_takes_a_template_for_a_simulation_has_no_simulation() -> None:
    cluster = Cluster().told("POST /_index_template/_simulate", *DONE)
    set_up(cluster.ask, "logs")

    assert cluster.put["logging-system-logs"]["_meta"]["abilities"] == ["lifecycle"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (401, {"error": {"type": "security_exception", "reason": "missing authentication"}}),
        (429, {}),
        (503, {}),
        BLOCKED,
        (500, "<html>"),
    ],
)
@pytest.mark.parametrize("request_", ["POST /_index_template/_simulate", "PUT /_component", "PUT /_index"])
def test_what_may_pass_is_waited_for(request_: str, status: int, content: object) -> None:
    outcome = set_up(Cluster().told(request_, status, content).ask, "logs")

    assert isinstance(outcome, NotReady)
    assert f"HTTP {status}" in outcome.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "template",
                    "mappings",
                    "_meta",
                    "managed_by",
                    "version",
                    "index_templates",
                    "index_template",
                    "component_templates",
                    "component_template",
                ]
            ),
            inner | st.just(OWNER),
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(
    st.lists(
        st.tuples(st.sampled_from([200, 400, 401, 403, 404, 500]), JSON | st.binary(max_size=9)), min_size=1
    )
)
def test_whatever_a_server_answers_it_is_ready_or_not(answers: list[tuple[int, object]]) -> None:
    """No answer, of whatever shape, makes setting up fail in another way."""
    turns = itertools.cycle(answers)

    def ask(_method: str, _target: str, _body: bytes, _content_type: str) -> HttpAnswer:
        status, content = next(turns)
        return HttpAnswer(status, {}, content if isinstance(content, bytes) else orjson.dumps(content))

    assert isinstance(set_up(ask, "logs"), (Ready, NotReady))


def test_no_answer_is_waited_for() -> None:
    assert set_up(lambda *_: NoAnswer("unreachable"), "logs") == NotReady("unreachable")


def test_who_may_write_documents_but_no_templates_is_told_and_goes_on() -> None:
    cluster = Cluster()
    for request in ("GET /", "PUT /", "POST /", "GET /_data_stream/", "POST /_index_template/_simulate"):
        cluster.told(request, *FORBIDDEN)
    outcome = set_up(cluster.ask, "logs")

    assert isinstance(outcome, Ready)
    assert "did not accept our index template logging-system-logs: HTTP 403: security_exception" in str(
        outcome
    )
    assert cluster.put == {}


def test_a_template_that_another_shipper_put_meanwhile_is_fine() -> None:
    cluster = Cluster()
    exists = {"error": {"type": "illegal_argument_exception", "reason": "already exists"}}
    every = Abilities(logsdb=True, match_only_text=True, lifecycle=True)

    def another_was_quicker() -> None:
        for name, body in component_templates(every).items():
            content = {"component_templates": [{"name": name, "component_template": body}]}
            cluster.told(f"GET /_component_template/{name.replace('@', '%40')}", 200, content)
        content = {"index_templates": [{"name": "n", "index_template": index_template("logs", every)}]}
        cluster.told("GET /_index_template/logging-system-logs", 200, content)
        cluster.told("PUT /", 400, exists)

    cluster.before_put = another_was_quicker

    assert set_up(cluster.ask, "logs") == Ready()


def test_a_template_of_higher_priority_is_remarked() -> None:
    theirs = {"template": {"mappings": {}}, "overlapping": []}
    cluster = Cluster().told("POST /_index_template/_simulate_index/", 200, theirs)
    outcome = set_up(cluster.ask, "logs")

    assert isinstance(outcome, Ready)
    assert "another index template matches logs with a higher priority" in outcome.remarks[0]


def test_a_template_is_above_the_built_in_ones_and_maps_nothing_by_itself() -> None:
    mappings = component_templates(Abilities())[MAPPINGS_NAME]["template"]["mappings"]  # type: ignore[index]

    assert index_template("logs")["priority"] == PRIORITY > 100
    assert index_template("logs")["_meta"] == {"managed_by": OWNER, "version": VERSION, "abilities": []}
    assert mappings["dynamic"] is False
    assert mappings["properties"]["@timestamp"]["ignore_malformed"] is False


def test_an_error_nested_deeper_than_python_can_write_is_no_end_of_the_set_up() -> None:
    nested = b'{"error":{"type":' + b"[" * 1_000 + b"]" * 1_000 + b"}}"

    outcome = set_up(lambda *_request: HttpAnswer(503, {}, nested), "logs")

    assert isinstance(outcome, NotReady)
    assert "(nested)" in outcome.reason


def test_a_stream_is_kept_as_long_as_is_asked_for_whether_it_exists_or_not() -> None:
    cluster = Cluster()
    outcome = set_up(cluster.ask, "logs-app-team_a", "30d")
    template = cluster.put["logging-system-logs-app-team_a"]

    assert outcome == Ready()
    assert template["template"] == {"lifecycle": {"data_retention": "30d"}}  # type: ignore[index]
    assert template["_meta"]["data_retention"] == "30d"  # type: ignore[index]
    assert cluster.put["_lifecycle"] == {"data_retention": "30d"}
    absent = Cluster().told("PUT /_data_stream/", *MISSING)
    assert set_up(absent.ask, "logs-app-team_a", "30d") == Ready()


def test_a_retention_that_the_server_cannot_keep_is_remarked() -> None:
    refused = Cluster().told("PUT /_data_stream/", *FORBIDDEN)
    lacking = Cluster().told("GET /_data_stream/", *NO_HANDLER)

    outcomes = [set_up(cluster.ask, "logs-app-team_a", "30d") for cluster in (refused, lacking)]

    assert "did not accept that logs-app-team_a is kept 30d: HTTP 403" in str(outcomes[0])
    assert "nothing deletes what is older than 30d in logs-app-team_a" in str(outcomes[1])
    assert "lifecycle" not in str(lacking.put["logging-system-logs-app-team_a"])
