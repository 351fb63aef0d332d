"""Documents over HTTP: bulk, single writes, reads by id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.routes import OFF, ONE_COPY, OwnReading, Route, takes
from harness.programs.elastic_lite.api.search_request import SourceFilter, parse_source_filter
from harness.programs.elastic_lite.language.bulk_body import (
    VERSION_TYPES,
    Action,
    parse_bulk,
    token,
    why_invalid,
)
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    parse_error,
    query_error,
    unsupported,
    validation_failed,
)
from harness.programs.elastic_lite.query.documents import Candidate
from harness.programs.elastic_lite.storage.blocks import Level, refuse_blocked
from harness.programs.elastic_lite.storage.documents import Outcome, write_all

Json = dict[str, Any]
ON = ("true", "")
SOURCE = ("_source", "_source_includes", "_source_excludes")
NO_TIMEOUT = {"timeout": "the one copy of a document is always there: nothing is waited for"}
BULK = takes(
    "refresh",
    "pipeline",
    "require_alias",
    "require_data_stream",
    inert=NO_TIMEOUT,
    only={"wait_for_active_shards": ONE_COPY, "list_executed_pipelines": OFF},
)
WRITE = takes(
    "refresh",
    "pipeline",
    "require_alias",
    "require_data_stream",
    "op_type",
    "if_seq_no",
    "if_primary_term",
    "version",
    inert=NO_TIMEOUT,
    only={"wait_for_active_shards": ONE_COPY, "version_type": VERSION_TYPES},
)
DELETE = takes(
    "refresh",
    "if_seq_no",
    "if_primary_term",
    "version",
    inert=NO_TIMEOUT,
    only={"wait_for_active_shards": ONE_COPY, "version_type": VERSION_TYPES},
)
READ = takes(
    *SOURCE,
    "refresh",
    inert={"preference": "one node holds the only copy"},
    only={"realtime": ON, "version_type": ("internal",), "force_synthetic_source": OFF},
)
BULK_BODY = OwnReading("action lines are read by `language/bulk_body.py`, where their keys are declared")
DOCUMENT = OwnReading("the document itself, which the mapping judges")
WANTED = declare("in a multi-get request", "docs", "ids", kind="parsing_exception")
WANTED_DOCUMENT = declare("in a document of a multi-get request", "_index", "_id", "_source")


async def bulk(server: Server, call: Call) -> Answer:
    """Write many documents; each has its own item in the answer, in order."""
    refresh = refresh_of(call)
    actions = await server.on_thread(
        lambda: parse_bulk(
            call.body,
            call.names.get("index"),
            pipeline=call.parameters.get("pipeline"),
            require_data_stream=call.flag("require_data_stream"),
            require_alias=call.flag("require_alias"),
        )
    )
    started = server.visibility.clock()
    outcomes = await server.write(lambda transaction: write_all(transaction, actions), len(call.body))
    refresh_after(server, refresh, outcomes)
    forced = refresh == "true"
    return Answer(
        {
            "errors": any(outcome.error is not None for outcome in outcomes),
            "took": int((server.visibility.clock() - started) * 1000),
            "items": [outcome.as_item(forced) for outcome in outcomes],
        }
    )


def refresh_of(call: Call) -> str:
    """The refresh parameter: `true`, `false` or `wait_for`.

    Raises:
        ElasticError: 400 for another word.
    """
    value = call.parameters.get("refresh", "false")
    if value not in ("", "true", "false", "wait_for"):
        raise illegal_argument(f"Unknown value for refresh: [{value}].")
    return value or "true"


def refresh_after(server: Server, refresh: str, outcomes: list[Outcome]) -> None:
    """Make what was written visible when asked to; `wait_for` need not wait, it refreshes as well."""
    if refresh != "false":
        server.visibility.refresh({outcome.number for outcome in outcomes})


async def write_document(server: Server, call: Call) -> Answer:
    """Write or delete one document."""
    refresh = refresh_of(call)
    action = single_action(call)
    invalid = list(why_invalid(action))
    if invalid:
        raise validation_failed(*invalid)
    (outcome,) = await server.write(lambda transaction: write_all(transaction, [action]), len(call.body))
    if outcome.error is not None:
        raise outcome.error
    refresh_after(server, refresh, [outcome])
    headers = {}
    if outcome.status == 201:
        headers["Location"] = f"/{quote(outcome.index)}/_doc/{quote(outcome.id or '', safe='')}"
    return Answer(outcome.as_answer(refresh == "true"), outcome.status, headers)


def single_action(call: Call) -> Action:
    """The action that a single-document request means.

    Raises:
        ElasticError: 400 for no body, an unknown op_type or a malformed number.
    """
    document_id = call.names.get("id")
    op = call.names.get("op") or call.parameters.get("op_type") or ("index" if document_id else "auto")
    if call.method == "DELETE":
        op = "delete"
    elif not call.body:
        raise parse_error("request body is required")
    if op not in ("create", "index", "auto", "delete"):
        raise illegal_argument(f"opType must be 'create' or 'index', found: [{op}]")
    return Action(
        op="create" if op == "auto" else op,
        index=call.names["index"],
        id=document_id,
        source=call.body,
        if_seq_no=number_of(call, "if_seq_no"),
        if_primary_term=number_of(call, "if_primary_term"),
        pipeline=call.parameters.get("pipeline"),
        version_type=call.parameters.get("version_type"),
        version=number_of(call, "version"),
        require_data_stream=call.flag("require_data_stream"),
        require_alias=call.flag("require_alias"),
    )


async def create_document(server: Server, call: Call) -> Answer:
    """Write one document that must not exist yet."""
    if call.parameters.get("op_type") not in (None, "create"):
        raise unsupported("`op_type` in a request that creates a document")
    return await write_document(server, replace(call, names={**call.names, "op": "create"}))


def number_of(call: Call, name: str) -> int | None:
    """A numeric parameter."""
    value = call.parameters.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except ValueError as error:
        raise illegal_argument(f"Failed to parse long parameter [{name}] with value [{value}]") from error


def source_filter_of(call: Call) -> SourceFilter:
    """Which parts of a document the parameters ask for."""
    value = call.parameters.get("_source")
    include = names_in(call, "_source_includes")
    exclude = names_in(call, "_source_excludes")
    if value in ("true", "false"):
        return SourceFilter(value == "true", include, exclude)
    return SourceFilter(True, include or tuple(value.split(",") if value else ()), exclude)


def names_in(call: Call, name: str) -> tuple[str, ...]:
    """A comma-separated parameter."""
    value = call.parameters.get(name)
    return tuple(value.split(",")) if value else ()


def read_document(server: Server, index: str, document_id: str, source: SourceFilter) -> Json:
    """One document by id, as last written whether refreshed or not.

    Raises:
        ElasticError: 404 when the index does not exist, 403 when it may not be read; a missing
            document is `"found": false`.
    """
    catalog = server.catalog
    found_index = catalog.concrete(index)
    refuse_blocked(catalog, [found_index], Level.READ)
    number = found_index.number
    row = server.connection().execute(
        "SELECT version, seq_no, source FROM documents WHERE number=? AND id=? AND ended IS NULL AND "
        "deleted=0",
        (number, document_id),
    )
    found = row.fetchone()
    if found is None:
        return {"_index": index, "_id": document_id, "found": False}
    out: Json = {"_index": index, "_id": document_id, "_version": found[0], "_seq_no": found[1]}
    out |= {"_primary_term": 1, "found": True}
    if source.wanted:
        out["_source"] = source.apply(Candidate(document_id, found[2]))
    return out


async def get_document(server: Server, call: Call) -> Answer:
    """Read one document by id."""
    source = source_filter_of(call)
    refresh_before(server, call)
    found = await server.on_thread(
        lambda: read_document(server, call.names["index"], call.names["id"], source)
    )
    return Answer(found, 200 if found["found"] else 404)


def refresh_before(server: Server, call: Call) -> None:
    """Make the index searchable where a read asks for it; the read itself always sees the last version."""
    if call.flag("refresh"):
        server.visibility.refresh([server.catalog.concrete(call.names["index"]).number])


async def get_source(server: Server, call: Call) -> Answer:
    """Read one document's source alone."""
    index, document_id = call.names["index"], call.names["id"]
    source = source_filter_of(call)
    refresh_before(server, call)
    found = await server.on_thread(lambda: read_document(server, index, document_id, source))
    if not found["found"]:
        reason = f"Document not found [{index}]/[{document_id}]"
        raise ElasticError(404, "resource_not_found_exception", reason)
    return Answer(found["_source"])


async def multi_get(server: Server, call: Call) -> Answer:
    """Read many documents by id; one that cannot be read has its error in its place."""
    body = call.json(required=True)
    if call.flag("refresh"):
        raise unsupported("`refresh` in a multi-get request")
    wanted = wanted_of(body)
    if not wanted:
        raise validation_failed("no documents to get")
    index = call.names.get("index")
    missing = [at for at, entry in enumerate(wanted) if not entry.get("_index", index)]
    if missing:
        raise validation_failed(*(f"index is missing for doc {at}" for at in missing))
    default = source_filter_of(call)
    return Answer(
        await server.on_thread(lambda: {"docs": [get_entry(server, it, index, default) for it in wanted]})
    )


def wanted_of(body: Json) -> list[Json]:
    """What a multi-get asks for: its `docs`, or its `ids` as such.

    Raises:
        ElasticError: 400 for another shape than a list of objects, or of ids.
    """
    for key in ("docs", "ids"):
        if not isinstance(body.get(key) or [], list):
            raise query_error(f"unexpected token [{token(body[key])}], expected [START_ARRAY] for [{key}]")
    docs, ids = body.get("docs") or [], body.get("ids") or []
    if not all(isinstance(entry, dict) for entry in docs):
        raise illegal_argument("docs array element should include an object")
    if any(isinstance(each, (dict, list, type(None))) for each in ids):
        raise illegal_argument("ids array element should only contain ids")
    for entry in docs:
        WANTED_DOCUMENT.check(entry)
    return docs or [{"_id": each} for each in ids]


def get_entry(server: Server, entry: Json, index: str | None, default: SourceFilter) -> Json:
    """One document of a multi-get."""
    name, document_id = str(entry.get("_index", index)), str(entry.get("_id"))
    source = parse_source_filter(entry["_source"]) if "_source" in entry else default
    try:
        return read_document(server, name, document_id, source)
    except ElasticError as error:
        return {"_index": name, "_id": document_id, "error": error.as_error()}


ROUTES = [
    Route(("POST", "PUT"), "/_bulk", bulk, BULK, BULK_BODY),
    Route(("POST", "PUT"), "/{index}/_bulk", bulk, BULK, BULK_BODY),
    Route(("PUT", "POST"), "/{index}/_doc/{id}", write_document, WRITE, DOCUMENT),
    Route(("DELETE",), "/{index}/_doc/{id}", write_document, DELETE, None),
    Route(("GET", "HEAD"), "/{index}/_doc/{id}", get_document, READ, None),
    Route(("GET", "HEAD"), "/{index}/_source/{id}", get_source, READ, None),
    Route(("POST",), "/{index}/_doc", write_document, WRITE, DOCUMENT),
    Route(("PUT", "POST"), "/{index}/_create/{id}", create_document, WRITE, DOCUMENT),
    Route(("GET", "POST"), "/_mget", multi_get, READ, WANTED),
    Route(("GET", "POST"), "/{index}/_mget", multi_get, READ, WANTED),
]
