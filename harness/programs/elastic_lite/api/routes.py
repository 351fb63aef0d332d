"""Which handler a method and a path mean, and what it takes: query-string parameters and a body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from harness.programs.elastic_lite.api.http import Handler
from harness.programs.elastic_lite.language.declarations import Declaration, declare
from harness.programs.elastic_lite.language.errors import PlainError, illegal_argument, unsupported

OFF = ("false",)
COMMON = {
    "pretty": "white space of the answer only",
    "human": "nothing in these answers has a second spelling for people",
    "error_trace": "adds a Java stack trace to errors, and this server has none",
    "filter_path": "",
}
TARGETS = ("ignore_unavailable", "allow_no_indices", "expand_wildcards")
NO_WAIT = {
    "master_timeout": "there is no other node to wait for",
    "timeout": "there is no other node to wait for",
    "local": "one node has one state",
}
ONE_COPY = ("0", "1")
"""The numbers of copies that a write need not wait for: the one that it is written to."""
# What only Elasticsearch has under a name that could be an index's, a template's or a stream's.
ONLY_REAL_WORDS = frozenset(
    {
        "_alias", "_aliases", "_all", "_analyze", "_async_search", "_autoscaling", "_cache", "_cat",
        "_ccr", "_clone", "_close", "_cluster", "_component_template", "_connector", "_count", "_create",
        "_create_from", "_dangling", "_data_stream", "_delete_by_query", "_disk_usage", "_doc",
        "_downsample", "_enrich", "_eql", "_esql", "_explain", "_features", "_field_caps",
        "_field_usage_stats", "_fleet", "_flush", "_forcemerge", "_graph", "_health_report", "_ilm",
        "_index_template", "_inference", "_info", "_ingest", "_internal", "_knn_search", "_license",
        "_lifecycle", "_logstash", "_mapping", "_mappings", "_mget", "_migrate", "_migration", "_ml",
        "_modify", "_monitoring", "_msearch", "_mtermvectors", "_mvt", "_nodes", "_open", "_options",
        "_pit", "_profiling", "_query", "_query_rules", "_rank_eval", "_recovery", "_refresh", "_reindex",
        "_reload_search_analyzers", "_remote", "_render", "_resolve", "_rollover", "_rollup", "_scripts",
        "_search", "_search_application", "_search_shards", "_searchable_snapshots", "_security",
        "_segments", "_settings", "_shard_stores", "_shrink", "_shutdown", "_simulate", "_simulate_index",
        "_slm", "_snapshot", "_source", "_split", "_sql", "_ssl", "_stats", "_synonyms", "_tasks",
        "_template", "_terms_enum", "_termvectors", "_text_structure", "_transform", "_unfreeze",
        "_update", "_update_by_query", "_upgrade", "_validate", "_watcher", "_xpack",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnReading:
    """A body that its handler reads by itself: why its words are not declared at the route."""

    reason: str


Body = Declaration | OwnReading | None


@dataclass(frozen=True, slots=True)
class Route:
    """One handler with what it takes: nothing has a default, so that a handler cannot go undeclared.

    Args:
        methods: The methods it serves.
        path: The path it serves, with names in braces.
        handler: Does the work.
        parameters: The query-string parameters that it takes.
        body: The keys of the JSON body that it takes; None where it takes no body.
    """

    methods: tuple[str, ...]
    path: str
    handler: Handler
    parameters: Declaration
    body: Body

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The names in a path, or None when it is another one."""
        pattern = self.path.strip("/").split("/") if self.path != "/" else []
        if len(pattern) != len(segments):
            return None
        names: dict[str, str] = {}
        for part, segment in zip(pattern, segments, strict=True):
            if part.startswith("{"):
                names[part[1:-1]] = segment
            elif part != segment:
                return None
        return names


def takes(
    *served: str,
    inert: Mapping[str, str] | None = None,
    only: Mapping[str, Iterable[str]] | None = None,
    human: bool = False,
    form: tuple[str, ...] = ("json",),
) -> Declaration:
    """The query-string parameters of a route, those that every route takes among them.

    Args:
        served: Those that are carried out.
        inert: Those that cannot change an answer, with the reason.
        only: Those of which some values are taken.
        human: Whether Elasticsearch's answer has a second spelling for people, which this server's has not.
        form: What `format` may ask for.
    """
    common = {name: reason for name, reason in COMMON.items() if not (human and name == "human")}
    limited = {"format": form, **({"human": OFF} if human else {}), **(only or {})}
    return declare(
        "as a query-string parameter of this request",
        *served,
        inert={**common, **(inert or {})},
        only=limited,
    )


LEGACY_SEGMENTS = 2


class Router:
    """All routes; words in a path go before names, as in Elasticsearch's own lookup."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = sorted(
            routes, key=lambda route: [part.startswith("{") for part in route.path.split("/")]
        )

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and the names in its path.

        Args:
            method: In capitals.
            raw_path: As sent: percent signs are decoded segment by segment, so an id may hold a slash.

        Raises:
            PlainError: 400 when no route has this path, 405 when none has it with this method.
            ElasticError: 400 for an interface that only Elasticsearch has.
        """
        segments = [decoded(part) for part in raw_path.split("/") if part]
        allowed: tuple[str, ...] = ()
        pattern: str | None = None
        for route in self.routes:
            names = route.match(segments) if pattern in (None, route.path) else None
            if names is None:
                continue
            refuse_only_real(method, raw_path, names)
            if method in route.methods:
                return route, names
            pattern, allowed = route.path, (*allowed, *route.methods)
        if not allowed:
            refuse_only_real(method, raw_path, dict(enumerate(segments)))
            # Elasticsearch still knows paths of two parts, of an index and a type, to tell apart.
            allowed = ("POST",) if len(segments) == LEGACY_SEGMENTS and method != "POST" else ()
        if not allowed:
            raise PlainError(400, f"no handler found for uri [{raw_path}] and method [{method}]")
        reason = (
            f"Incorrect HTTP method for uri [{raw_path}] and method [{method}], allowed: "
            f"[{', '.join(allowed)}]"
        )
        raise PlainError(405, reason, allowed)


def decoded(segment: str) -> str:
    """A part of a path without its percent signs.

    Raises:
        ElasticError: 400 for bytes that are no UTF-8, of which Elasticsearch makes other characters.
    """
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise unsupported(f"a path that is not UTF-8, as `{segment}`") from error


def refuse_only_real(method: str, raw_path: str, names: Mapping[Any, str]) -> None:
    """Refuse a path in which a word of Elasticsearch's interface stands that is not served there.

    Raises:
        ElasticError: 400 that names the interface.
    """
    for name, word in names.items():
        if name not in ("id", "node") and word in ONLY_REAL_WORDS and (name, word) != ("index", "_all"):
            raise unsupported(f"`{method} {raw_path}`")


def check_parameters(route: Route, given: Mapping[str, str]) -> None:
    """Refuse parameters that a route does not declare.

    Raises:
        ElasticError: 400 that names the first of them.
    """
    route.parameters.check(given)


def check_body(route: Route, method: str, raw_path: str, body: bytes) -> None:
    """Refuse a body where a request takes none.

    Raises:
        ElasticError: 400, as Elasticsearch answers.
    """
    if body and route.body is None:
        raise illegal_argument(f"request [{method} {raw_path}] does not support having a body")
