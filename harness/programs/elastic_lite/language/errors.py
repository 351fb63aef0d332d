"""The errors it answers with, in Elasticsearch's own types, and the one that keeps it from starting."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class DataFolderError(Exception):
    """The data folder cannot be served: where it is, what is wrong with it, and the remedy."""


class ElasticError(Exception):
    """An error with Elasticsearch's type, its reason and its HTTP status.

    Args:
        status: HTTP status of the answer, or of the item where it happens inside a bulk.
        kind: Elasticsearch's snake-case exception name.
        reason: What went wrong, in Elasticsearch's words where a client may read them.
        extra: Further members of the error object, such as `index` and `index_uuid`.
        cause: The error object given as `caused_by`.
    """

    def __init__(
        self, status: int, kind: str, reason: str, extra: Json | None = None, cause: Json | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind
        self.reason = reason
        self.extra = extra or {}
        self.cause = cause

    def as_cause(self) -> Json:
        """The error object as it stands inside a bulk item."""
        out: Json = {"type": self.kind, "reason": self.reason, **self.extra}
        if self.cause is not None:
            out["caused_by"] = self.cause
        return out

    def as_error(self) -> Json:
        """The `error` member of a whole answer, which names the root cause as well."""
        root: Json = {"type": self.kind, "reason": self.reason, **self.extra}
        return {"root_cause": [root], **self.as_cause()}

    def as_body(self) -> Json:
        """The whole answer body."""
        return {"error": self.as_error(), "status": self.status}


class PlainError(ElasticError):
    """An error that Elasticsearch answers as a bare sentence: no handler, wrong method, wrong media type."""

    def __init__(self, status: int, reason: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(status, "plain", reason)
        self.allowed = allowed

    def as_body(self) -> Json:
        """The sentence, with the status except where no handler was found (as Elasticsearch does)."""
        body: Json = {"error": self.reason}
        if self.status != 400:
            body["status"] = self.status
        return body


class SearchError(ElasticError):
    """An error found by every shard while a search ran, which Elasticsearch wraps in a phase error."""

    def __init__(self, status: int, kind: str, reason: str, index: str = "", phase: str = "query") -> None:
        super().__init__(status, kind, reason)
        self.index = index
        self.phase = phase

    def as_error(self) -> Json:
        """The phase error with the real one as its root cause and shard failure."""
        cause = {"type": self.kind, "reason": self.reason}
        failed = {"shard": 0, "index": self.index, "node": None, "reason": cause}
        return {
            "root_cause": [cause],
            "type": "search_phase_execution_exception",
            "reason": "all shards failed",
            "phase": self.phase,
            "grouped": True,
            "failed_shards": [failed],
        }


class ReduceError(ElasticError):
    """An error found when shards' answers were put together, which belongs to none of them."""

    def __init__(self, kind: str, reason: str, extra: Json | None = None) -> None:
        super().__init__(400, kind, reason, extra)

    def as_error(self) -> Json:
        """The phase error without root or shard, caused by the real one."""
        return {
            "root_cause": [],
            "type": "search_phase_execution_exception",
            "reason": "",
            "phase": "fetch",
            "grouped": True,
            "failed_shards": [],
            "caused_by": self.as_cause(),
        }


def illegal_argument(reason: str, cause: Json | None = None) -> ElasticError:
    """A 400 for an argument that has no lawful meaning."""
    return ElasticError(400, "illegal_argument_exception", reason, cause=cause)


def parse_error(reason: str) -> ElasticError:
    """A 400 for a request body that is missing or has an unknown shape."""
    return ElasticError(400, "parse_exception", reason)


def query_error(reason: str) -> ElasticError:
    """A 400 for a query or search body with a word that the query language does not have."""
    return ElasticError(400, "parsing_exception", reason, {"line": 1, "col": 1})


def validation_failed(*reasons: str) -> ElasticError:
    """A 400 for a request that is well formed and not valid, its reasons numbered."""
    listed = "".join(f"{number}: {reason};" for number, reason in enumerate(reasons, 1))
    return ElasticError(400, "action_request_validation_exception", f"Validation Failed: {listed}")


def index_not_found(name: str, excluded_data_stream: bool = False) -> ElasticError:
    """A 404 for a name that is neither an index nor, unless excluded here, a data stream."""
    extra: Json = {"resource.type": "index_or_alias"}
    if excluded_data_stream:
        extra["excluded_ds"] = "true"
    extra |= {"resource.id": name, "index_uuid": "_na_", "index": name}
    return ElasticError(404, "index_not_found_exception", f"no such index [{name}]", extra)


def invalid_index_name(name: str, why: str) -> ElasticError:
    """A 400 for a name that no index may have."""
    extra: Json = {"index_uuid": "_na_", "index": name}
    return ElasticError(400, "invalid_index_name_exception", f"Invalid index name [{name}], {why}", extra)


def document_error(reason: str, cause: Json | None = None) -> ElasticError:
    """A 400 for a document that does not fit JSON or the mapping."""
    return ElasticError(400, "document_parsing_exception", f"[1:1] {reason}", cause=cause)


def fielddata_disabled(name: str, index: str) -> SearchError:
    """A 400 for sorting or aggregating on a field that keeps no value for each document."""
    reason = (
        f"Fielddata is disabled on [{name}] in [{index}]. Text fields are not optimised for operations that "
        "require per-document field data like aggregations and sorting, so these operations are disabled by "
        f"default. Please use a keyword field instead. Alternatively, set fielddata=true on [{name}] in "
        "order to load field data by uninverting the inverted index. Note that this can use significant "
        "memory."
    )
    if name == "_id":
        reason = (
            "Fielddata access on the _id field is disallowed, you can re-enable it by updating the dynamic "
            "cluster setting: indices.id_field_data.enabled"
        )
    return SearchError(400, "illegal_argument_exception", reason, index)


def no_doc_values(name: str, kind: str, index: str) -> SearchError:
    """A 400 for sorting or aggregating on a field that was declared to keep no values for it."""
    reason = (
        f"Can't load fielddata on [{name}] because fielddata is unsupported on fields of type [{kind}]. Use "
        "doc values instead."
    )
    return SearchError(400, "illegal_argument_exception", reason, index)


def unsupported(what: str, kind: str = "illegal_argument_exception") -> ElasticError:
    """A 400 for a part of Elasticsearch that this server honestly does not have.

    Args:
        what: The part, as the request names it.
        kind: Elasticsearch's own type of the error for a word that it does not know there.
    """
    return ElasticError(400, kind, f"the embedded store does not support {what}; use --backend local")
