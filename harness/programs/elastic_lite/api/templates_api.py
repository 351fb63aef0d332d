"""Index and component templates over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.programs.elastic_lite.api.http import ACKNOWLEDGED, Answer, Call, Server
from harness.programs.elastic_lite.api.routes import NO_WAIT, OFF, OwnReading, Route, takes
from harness.programs.elastic_lite.language.errors import ElasticError, illegal_argument
from harness.programs.elastic_lite.language.names import matches
from harness.programs.elastic_lite.storage.blocks import Level, refuse_blocked_cluster
from harness.programs.elastic_lite.storage.templates import (
    normal_component_template,
    normal_index_template,
    template_in_use,
)
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
PUT = takes("create", inert={**NO_WAIT, "cause": "a remark for the log of Elasticsearch"})
GET = takes(inert=NO_WAIT, only={"flat_settings": OFF, "include_defaults": OFF})
DELETE = takes(inert=NO_WAIT)
BODY = OwnReading("a template is read by `storage/templates.py`, where its keys are declared")


def chosen(templates: Any, call: Call, kind: str) -> Json:
    """The templates whose names fit.

    Raises:
        ElasticError: 404 when a name without wildcard fits none, 400 for several names of index templates.
    """
    pattern = call.names.get("name", "*")
    if "," in pattern and kind == "index":
        raise illegal_argument("template name may not contain ','")
    found = {name: body for name, body in templates.items() if matches(pattern, name)}
    if not found and "*" not in pattern:
        reason = f"{kind} template matching [{pattern}] not found"
        raise ElasticError(404, "resource_not_found_exception", reason)
    return found


def status_of(found: Json, call: Call) -> int:
    """The status of an answer that shows templates: 404 where a pattern fits none."""
    return 200 if found or "name" not in call.names else 404


def refuse_second(call: Call, templates: Any, kind: str) -> None:
    """A 400 when a template must be new and is not."""
    name = call.names["name"]
    if call.flag("create") and name in templates:
        raise illegal_argument(f"{kind} template [{name}] already exists")


async def put_index_template(server: Server, call: Call) -> Answer:
    """Store an index template."""
    name, body = call.names["name"], call.json(required=True)

    def work(transaction: Transaction) -> None:
        catalog = transaction.catalog
        refuse_blocked_cluster(catalog, Level.METADATA_WRITE)
        refuse_second(call, catalog.index_templates, "index")
        kept = normal_index_template(catalog, name, body)
        transaction.catalog = replace(catalog, index_templates={**catalog.index_templates, name: kept})

    await server.write(work)
    return ACKNOWLEDGED


async def get_index_templates(server: Server, call: Call) -> Answer:
    """Show index templates."""
    found = chosen(server.catalog.index_templates, call, "index")
    return Answer(
        {"index_templates": [{"name": name, "index_template": body} for name, body in found.items()]},
        status_of(found, call),
    )


async def delete_index_template(server: Server, call: Call) -> Answer:
    """Remove an index template that no data stream needs."""
    name = call.names["name"]

    def work(transaction: Transaction) -> None:
        catalog = transaction.catalog
        refuse_blocked_cluster(catalog, Level.METADATA_WRITE)
        if name not in catalog.index_templates:
            raise ElasticError(404, "index_template_missing_exception", f"index_template [{name}] missing")
        users = template_in_use(catalog, name)
        if users:
            raise illegal_argument(
                f"unable to remove composable templates [{name}] as they are in use by a data streams "
                f"[{','.join(users)}]"
            )
        rest = {other: body for other, body in catalog.index_templates.items() if other != name}
        transaction.catalog = replace(catalog, index_templates=rest)

    await server.write(work)
    return ACKNOWLEDGED


async def put_component_template(server: Server, call: Call) -> Answer:
    """Store a component template."""
    name, body = call.names["name"], call.json(required=True)

    def work(transaction: Transaction) -> None:
        catalog = transaction.catalog
        refuse_blocked_cluster(catalog, Level.METADATA_WRITE)
        refuse_second(call, catalog.component_templates, "component")
        kept = normal_component_template(body)
        transaction.catalog = replace(
            catalog, component_templates={**catalog.component_templates, name: kept}
        )

    await server.write(work)
    return ACKNOWLEDGED


async def get_component_templates(server: Server, call: Call) -> Answer:
    """Show component templates."""
    found = chosen(server.catalog.component_templates, call, "component")
    return Answer(
        {"component_templates": [{"name": name, "component_template": body} for name, body in found.items()]},
        status_of(found, call),
    )


async def delete_component_template(server: Server, call: Call) -> Answer:
    """Remove a component template that no index template is composed of."""
    name = call.names["name"]

    def work(transaction: Transaction) -> None:
        catalog = transaction.catalog
        refuse_blocked_cluster(catalog, Level.METADATA_WRITE)
        if name not in catalog.component_templates:
            raise ElasticError(404, "resource_not_found_exception", name)
        users = [
            other for other, body in catalog.index_templates.items() if name in body.get("composed_of", [])
        ]
        if users:
            raise illegal_argument(
                f"component templates [{name}] cannot be removed as they are still in use by index templates "
                f"[{', '.join(users)}]"
            )
        rest = {other: body for other, body in catalog.component_templates.items() if other != name}
        transaction.catalog = replace(catalog, component_templates=rest)

    await server.write(work)
    return ACKNOWLEDGED


ROUTES = [
    Route(("PUT", "POST"), "/_index_template/{name}", put_index_template, PUT, BODY),
    Route(("GET", "HEAD"), "/_index_template/{name}", get_index_templates, GET, None),
    Route(("GET",), "/_index_template", get_index_templates, GET, None),
    Route(("DELETE",), "/_index_template/{name}", delete_index_template, DELETE, None),
    Route(("PUT", "POST"), "/_component_template/{name}", put_component_template, PUT, BODY),
    Route(("GET", "HEAD"), "/_component_template/{name}", get_component_templates, GET, None),
    Route(("GET",), "/_component_template", get_component_templates, GET, None),
    Route(("DELETE",), "/_component_template/{name}", delete_component_template, DELETE, None),
]
