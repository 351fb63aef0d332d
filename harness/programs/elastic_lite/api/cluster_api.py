"""The cluster over HTTP: nodes, settings, licence, who this server is."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import Any

from harness.programs.elastic_lite.api.http import VERSION, Answer, Call, Server
from harness.programs.elastic_lite.api.routes import NO_WAIT, OFF, Route, takes
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    unsupported,
    validation_failed,
)
from harness.programs.elastic_lite.storage.blocks import (
    CLUSTER_SETTINGS,
    refuse_cluster_settings_change,
)
from harness.programs.elastic_lite.storage.settings import check_boolean, flatten, unflatten
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
CLUSTER_NAME = "elastic_lite"
NODE_ID = "elastic_lite-node-0000"
FEATURES = (
    "ccr", "data_streams", "eql", "graph", "ilm", "logstash", "ml", "monitoring", "rollup", "security", "slm",
    "spatial", "sql", "transform", "watcher",
)  # fmt: skip
BODY_BYTES_MAX = 100 * 1024 * 1024
SELF = ("_local", "_all", "_master", "*")
METRICS = ("http", "_all", "process")
NO_EFFECT = {
    "cluster.routing.": "one node has nowhere else to put a shard",
    "cluster.info.update.": "the disk is not watched",
    "indices.recovery.": "nothing is recovered from another node",
    "logger.": "the log of Elasticsearch",
    "indices.lifecycle.": "nothing is rolled over or deleted by itself",
    "xpack.monitoring.": "nothing is monitored from inside",
}
SETTINGS_SERVED = CLUSTER_SETTINGS | {
    "action.auto_create_index",
    "action.destructive_requires_name",
    "cluster.max_shards_per_node",
}
BOOLEANS = CLUSTER_SETTINGS | {"action.destructive_requires_name"}


async def info(server: Server, call: Call) -> Answer:
    """Name and version."""
    return Answer(
        {
            "name": CLUSTER_NAME,
            "cluster_name": CLUSTER_NAME,
            "cluster_uuid": "elastic_lite-0000000000",
            "version": {
                "number": VERSION,
                "build_flavor": "default",
                "build_type": "elastic_lite",
                "build_snapshot": False,
                "minimum_wire_compatibility_version": "7.17.0",
                "minimum_index_compatibility_version": "7.0.0",
            },
            "tagline": "You Know, for Search",
        }
    )


async def nodes(server: Server, call: Call) -> Answer:
    """The one node: where it is reached, and which version it is.

    Raises:
        ElasticError: 400 for another node, or for a metric that this server does not tell.
    """
    chosen = call.names.get("node", "_all")
    metrics = call.names.get("metric", "_all").split(",")
    if "metric" not in call.names and chosen in METRICS:
        chosen, metrics = "_all", [chosen]
    if chosen not in (*SELF, NODE_ID, socket.gethostname()):
        raise unsupported(f"`{chosen}` as the name of a node or a metric in `_nodes`")
    for metric in metrics:
        if metric not in METRICS:
            raise unsupported(f"the metric `{metric}` of `_nodes`")
    node: Json = {
        "name": socket.gethostname(),
        "transport_address": "127.0.0.1:0",
        "host": "127.0.0.1",
        "ip": "127.0.0.1",
        "version": VERSION,
        "build_flavor": "default",
        "build_type": "elastic_lite",
        "roles": ["data", "ingest", "master"],
    }
    if {"_all", "process"} & set(metrics):
        node["process"] = {"id": os.getpid()}
    if {"_all", "http"} & set(metrics):
        node["http"] = {
            "bound_address": [call.address],
            "publish_address": call.address,
            "max_content_length_in_bytes": BODY_BYTES_MAX,
        }
    totals = {"total": 1, "successful": 1, "failed": 0}
    return Answer({"_nodes": totals, "cluster_name": CLUSTER_NAME, "nodes": {NODE_ID: node}})


async def license_of(server: Server, call: Call) -> Answer:
    """The basic licence, which shippers ask for before they send anything."""
    return Answer(
        {
            "license": {
                "status": "active",
                "uid": "00000000-0000-0000-0000-000000000000",
                "type": "basic",
                "issue_date": "2024-01-01T00:00:00.000Z",
                "issue_date_in_millis": 1_704_067_200_000,
                "max_nodes": 1000,
                "max_resource_units": None,
                "issued_to": CLUSTER_NAME,
                "issuer": "elasticsearch",
                "start_date_in_millis": -1,
            }
        }
    )


async def xpack(server: Server, call: Call) -> Answer:
    """Which of Elastic's extensions there are: none, so that shippers do without them."""
    features = {name: {"available": False, "enabled": False} for name in FEATURES}
    licence = {"uid": "00000000-0000-0000-0000-000000000000", "type": "basic", "mode": "basic"}
    return Answer(
        {
            "build": {"hash": "elastic_lite", "date": "2024-01-01T00:00:00.000Z"},
            "license": {**licence, "status": "active"},
            "features": features,
            "tagline": "You know, for X",
        }
    )


async def get_cluster_settings(server: Server, call: Call) -> Answer:
    """Show cluster settings."""
    shape = (lambda flat: flat) if call.flag("flat_settings") else unflatten
    kept = server.catalog.cluster_settings
    return Answer({scope: shape(dict(kept.get(scope, {}))) for scope in ("persistent", "transient")})


async def put_cluster_settings(server: Server, call: Call) -> Answer:
    """Change cluster settings; null takes one back to its default. Transient ones are kept as well."""
    body = call.json(required=True)
    changes = {scope: settings_in(body, scope) for scope in ("persistent", "transient")}
    if not any(changes.values()):
        raise validation_failed("no settings to update")
    for scope, flat in changes.items():
        check_cluster_settings(scope, flat)

    def work(transaction: Transaction) -> None:
        given = [pair for flat in changes.values() for pair in flat.items()]
        refuse_cluster_settings_change(transaction.catalog, given)
        kept = transaction.catalog.cluster_settings
        merged = {
            scope: {
                name: value for name, value in {**kept.get(scope, {}), **flat}.items() if value is not None
            }
            for scope, flat in changes.items()
        }
        transaction.catalog = replace(transaction.catalog, cluster_settings=merged)

    await server.write(work)
    shown = {
        scope: unflatten({name: value for name, value in flat.items() if value is not None})
        for scope, flat in changes.items()
    }
    return Answer({"acknowledged": True, **shown})


def settings_in(body: Json, scope: str) -> Json:
    """The flat settings of one scope of a request.

    Raises:
        ElasticError: 400 for what is no object.
    """
    given = body.get(scope)
    if given is not None and not isinstance(given, dict):
        reason = (
            f"[1:1] [cluster_update_settings_request] {scope} doesn't support values of type: {token(given)}"
        )
        raise ElasticError(400, "x_content_parse_exception", reason)
    return flatten(given or {})


def check_cluster_settings(scope: str, flat: Json) -> None:
    """Refuse settings that are not declared, and values that this server does not act on.

    Raises:
        ElasticError: 400.
    """
    for name, value in flat.items():
        if name not in SETTINGS_SERVED and not name.startswith(tuple(NO_EFFECT)):
            raise unsupported(f"the {scope} cluster setting `{name}`")
        if name in BOOLEANS:
            check_boolean(value)
        if name == "action.auto_create_index" and value not in (None, "true", "false"):
            raise unsupported(f"`action.auto_create_index` of `{value}`")
        if name == "cluster.max_shards_per_node" and value is not None and not str(value).isdigit():
            raise illegal_argument(f"Failed to parse value [{value}] for setting [{name}]")


SHOW_SETTINGS = takes("flat_settings", inert=NO_WAIT, only={"include_defaults": OFF})
CHANGE_SETTINGS = takes(only={"flat_settings": OFF}, inert=NO_WAIT)
NODES = takes(human=True, inert={"timeout": "there is one node", "flat_settings": "no settings are shown"})
LICENSE = takes(
    inert={
        "local": "one node has one state",
        "accept_enterprise": "the licence is a basic one",
    }
)
XPACK = takes(
    inert={
        "categories": "an answer with more than was asked for is lawful to every shipper",
        "accept_enterprise": "the licence is a basic one",
    }
)
SETTINGS_BODY = declare(
    "in a request for cluster settings", "persistent", "transient", kind="x_content_parse_exception"
)
ROUTES = [
    Route(("GET", "HEAD"), "/", info, takes(), None),
    Route(("GET",), "/_license", license_of, LICENSE, None),
    Route(("GET",), "/_xpack", xpack, XPACK, None),
    Route(("GET",), "/_nodes", nodes, NODES, None),
    Route(("GET",), "/_nodes/{node}", nodes, NODES, None),
    Route(("GET",), "/_nodes/{node}/{metric}", nodes, NODES, None),
    Route(("GET",), "/_cluster/settings", get_cluster_settings, SHOW_SETTINGS, None),
    Route(("PUT",), "/_cluster/settings", put_cluster_settings, CHANGE_SETTINGS, SETTINGS_BODY),
]
