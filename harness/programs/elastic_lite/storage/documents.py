"""Writing documents inside a transaction: each action's checks, its version, its answer."""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import orjson

from harness.programs.elastic_lite.language.bulk_body import Action
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    document_error,
    illegal_argument,
    index_not_found,
    unsupported,
)
from harness.programs.elastic_lite.language.spelled_json import (
    RepeatedNameError,
    is_plain,
    refuse_comments,
    refuse_constant,
    reread,
)
from harness.programs.elastic_lite.mapping.document_check import check_document
from harness.programs.elastic_lite.mapping.field_types import flatten_lists, whole_characters
from harness.programs.elastic_lite.mapping.mappings import compile_mapping, merge_mappings
from harness.programs.elastic_lite.storage.blocks import Level, blocked, refuse_blocked_cluster
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.indices import TIMESTAMP, auto_create
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
CREATE_ONLY = "only write ops with an op_type of create are allowed in data streams"
ID_COUNTER = count(secrets.randbits(24))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action."""

    op: str
    index: str
    id: str | None
    number: int
    error: ElasticError | None = None
    status: int = 0
    version: int = 0
    seq_no: int = 0
    result: str = ""
    copies: int = 1

    def as_item(self, forced_refresh: bool) -> Json:
        """Its item in a bulk answer."""
        if self.error is not None:
            failed = {"_index": self.index, "_id": self.id, "status": self.error.status}
            return {self.op: {**failed, "error": self.error.as_cause()}}
        return {self.op: {**self.as_answer(forced_refresh), "status": self.status}}

    def as_answer(self, forced_refresh: bool) -> Json:
        """The answer to a single-document write."""
        out: Json = {"_index": self.index, "_id": self.id, "_version": self.version, "result": self.result}
        if forced_refresh:
            out["forced_refresh"] = True
        out["_shards"] = {"total": self.copies, "successful": 1, "failed": 0}
        return {**out, "_seq_no": self.seq_no, "_primary_term": 1}


def write_all(transaction: Transaction, actions: list[Action]) -> list[Outcome]:
    """Apply actions in order; one that fails leaves the others alone.

    Raises:
        ElasticError: 403 when the whole cluster is blocked, which no item can tell.
    """
    refuse_blocked_cluster(transaction.catalog, Level.WRITE)
    make_missing(transaction, actions)
    return [write_one(transaction, action) for action in actions]


def make_missing(transaction: Transaction, actions: list[Action]) -> None:
    """Make the indices that actions will need before the first of them runs, as Elasticsearch does.

    What goes wrong here goes wrong again, and is told, where the action runs.
    """
    for action in actions:
        catalog = transaction.catalog
        known = action.index in catalog.indices or action.index in catalog.streams
        if known or action.op == "delete" or action.require_alias:
            continue
        with suppress(ElasticError):
            refuse_unsupported(action)
            auto_create(transaction, action.index)


def write_one(transaction: Transaction, action: Action) -> Outcome:
    """Apply one action.

    Returns:
        Its outcome; an error of the document or the index is in it, not raised.
    """
    try:
        index = target_index(transaction, action)
    except ElasticError as error:
        return Outcome(action.op, action.index, action.id, 0, error)
    document_id = action.id if action.id is not None else new_id()
    stopped = blocked(transaction.catalog, [index], Level.WRITE)
    if stopped is not None:
        return Outcome(action.op, action.index, document_id, 0, stopped)
    try:
        return Document(transaction, action, index, document_id).write()
    except ElasticError as error:
        return Outcome(action.op, index.name, document_id, index.number, error)


def new_id() -> str:
    """A server-made id: 20 characters that rise with time, so that the index grows at its end."""
    stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big")
    return urlsafe_b64encode(
        stamp + next(ID_COUNTER).to_bytes(6, "big")[-5:] + secrets.token_bytes(4)
    ).decode()


def target_index(transaction: Transaction, action: Action) -> Index:
    """The concrete index that an action writes to, made when it is missing.

    Raises:
        ElasticError: The index cannot be made or may not be written this way.
    """
    refuse_unsupported(action)
    catalog = transaction.catalog
    if action.index not in catalog.indices and action.index not in catalog.streams:
        if action.op == "delete":
            raise index_not_found(action.index)
        if action.require_alias:
            extra = {"index_uuid": "_na_", "index": action.index}
            reason = (
                f"no such index [{action.index}] and [require_alias] request flag is [true] "
                f"and [{action.index}] is not an alias"
            )
            raise ElasticError(404, "index_not_found_exception", reason, extra)
        auto_create(transaction, action.index)
        catalog = transaction.catalog
    stream = catalog.streams.get(action.index)
    if stream is not None:
        if action.op != "create":
            raise illegal_argument(CREATE_ONLY)
        return catalog.indices[stream.write_index]
    if action.require_data_stream:
        reason = f"[require_data_stream] request flag is [true] and [{action.index}] is not a data stream"
        raise ElasticError(404, "resource_not_found_exception", reason)
    index = catalog.indices[action.index]
    refuse_backing_writes(action, index)
    return index


def refuse_unsupported(action: Action) -> None:
    """An error for what an action asks and this server, or any, does not have."""
    if action.id == "":
        raise illegal_argument("if _id is specified it must not be empty")
    if action.op == "update":
        raise unsupported("`update` as an action of a bulk request")
    if action.pipeline not in (None, "_none"):
        raise illegal_argument(f"pipeline with id [{action.pipeline}] does not exist")


def refuse_backing_writes(action: Action, index: Index) -> None:
    """A backing index takes appends through its data stream only; a conditional overwrite is lawful."""
    if index.data_stream is None or action.op == "delete" or action.if_seq_no is not None:
        return
    how = f"op_type={action.op}"
    if action.op == "index":
        how += " and no if_primary_term and if_seq_no set"
    raise illegal_argument(
        f"index request with {how} targeting backing indices is disallowed, "
        f"target corresponding data stream [{index.data_stream}] instead"
    )


@dataclass(frozen=True, slots=True)
class Document:
    """One action on one document of one index."""

    transaction: Transaction
    action: Action
    index: Index
    id: str

    def write(self) -> Outcome:
        """Check it, give it a version, put it into the file.

        Raises:
            ElasticError: 400 or 409 for this document.
        """
        deleting = self.action.op == "delete"
        source, ignored = b"", None
        if not deleting:
            source = self.action.source
            ignored = self.check(source)
        before = self.current() if self.action.id is not None else None
        exists = before is not None and not before[3]
        self.refuse_conflict(before, exists)
        version = 1 if before is None else before[1] + 1
        if self.action.version is not None:
            version = self.action.version
        if before is not None:
            self.end(before[0])
        seq_no = self.add(version, deleting, source, ignored)
        status, result = status_of(deleting, exists)
        return Outcome(
            self.action.op, self.index.name, self.id, self.index.number, None, status, version, seq_no,
            result, self.index.copies // self.index.shards,
        )  # fmt: skip

    def check(self, source: bytes) -> str | None:
        """Parse the document and fit it to the mapping, which may grow by it; gives the ignored fields."""
        document = parse_document(source)
        gained, ignored = check_document(self.index.mapping, document, self.id)
        if self.index.data_stream is not None:
            check_timestamp(document)
        if gained:
            body = merge_mappings(self.index.mapping.body, {"properties": gained})
            mapping = compile_mapping(body, self.index.mapping.options)
            grown = replace(self.latest(), mapping=mapping)
            self.transaction.catalog = self.transaction.catalog.with_index(grown)
        return ",".join(sorted(ignored)) if ignored else None

    def latest(self) -> Index:
        """The index as this transaction has it by now."""
        return self.transaction.catalog.indices[self.index.name]

    def current(self) -> tuple[int, int, int, int] | None:
        """Position, version, sequence number and deleted flag of the last version."""
        row: tuple[int, int, int, int] | None = self.transaction.connection.execute(
            "SELECT position, version, seq_no, deleted FROM documents WHERE number=? AND id=? AND "
            "ended IS NULL",
            (self.index.number, self.id),
        ).fetchone()
        return row

    def refuse_conflict(self, before: tuple[int, int, int, int] | None, exists: bool) -> None:
        """A 409 for a create of what exists, or a condition that does not hold."""
        self.refuse_version(before)
        wanted = self.action.if_seq_no
        if before is not None and exists and self.action.op == "create":
            raise self.conflict(f"document already exists (current version [{before[1]}])")
        if wanted is None:
            return
        asked = f"required seqNo [{wanted}], primary term [{self.action.if_primary_term}]."
        if before is None or not exists:
            raise self.conflict(f"{asked} but no document was found")
        if before[2] != wanted or self.action.if_primary_term != 1:
            raise self.conflict(f"{asked} current document has seqNo [{before[2]}] and primary term [1]")

    def refuse_version(self, before: tuple[int, int, int, int] | None) -> None:
        """A 409 when the version given is not above the current one, that of a deletion included."""
        given = self.action.version
        if given is None or before is None:
            return
        equal_too = self.action.version_type == "external"
        if before[1] > given or (equal_too and before[1] == given):
            how = "higher or equal to" if equal_too else "higher than"
            raise self.conflict(f"current version [{before[1]}] is {how} the one provided [{given}]")

    def conflict(self, why: str) -> ElasticError:
        """The 409 of this document."""
        extra = {"index_uuid": self.index.uuid, "shard": "0", "index": self.index.name}
        reason = f"[{self.id}]: version conflict, {why}"
        return ElasticError(409, "version_conflict_engine_exception", reason, extra)

    def end(self, position: int) -> None:
        """Let the version before end where the next one begins."""
        self.transaction.connection.execute(
            "UPDATE documents SET ended=? WHERE position=?", (self.transaction.position + 1, position)
        )
        self.transaction.superseded.add(self.index.number)

    def add(self, version: int, deleting: bool, source: bytes, ignored: str | None) -> int:
        """Put the row of this version into the file; its sequence number."""
        index = self.latest()
        self.transaction.position += 1
        self.transaction.connection.execute(
            "INSERT INTO documents (position, number, id, version, seq_no, deleted, ended, source, ignored) "
            "VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?)",
            (
                self.transaction.position,
                index.number,
                self.id,
                version,
                index.seq_no_next,
                int(deleting),
                source,
                ignored,
            ),
        )
        self.transaction.touched.add(index.number)
        self.transaction.catalog = self.transaction.catalog.with_index(
            replace(index, seq_no_next=index.seq_no_next + 1)
        )
        return index.seq_no_next


def status_of(deleting: bool, exists: bool) -> tuple[int, str]:
    """HTTP status and result word of a write that succeeded."""
    if deleting:
        return (200, "deleted") if exists else (404, "not_found")
    return (200, "updated") if exists else (201, "created")


def parse_document(source: bytes) -> Json:
    """A document's object.

    Raises:
        ElasticError: 400 for bytes that are not one JSON object without repeated names; 500 (as Elasticsearch
            answers it) for JSON that is no object.
    """
    if not source:
        raise document_error("failed to parse, document is empty")
    try:
        document = orjson.loads(source)
        plain = is_plain(document, source)
    except orjson.JSONDecodeError as error:
        document = parse_leniently(source, error)
        plain = False
    if not isinstance(document, dict):
        reason = "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"
        raise ElasticError(500, "not_x_content_exception", reason)
    return document if plain else parse_spelled(source)


def parse_stored(source: bytes) -> Json:
    """The object of a document that has been accepted before."""
    try:
        document: Json = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        return dict(parse_leniently(source, error))
    return document


def parse_leniently(source: bytes, error: orjson.JSONDecodeError) -> Any:
    """What Elasticsearch still takes: half a surrogate pair and a byte order mark."""
    try:
        text = source.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
        return json.loads(text, object_pairs_hook=members, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        if not source.strip().startswith(b"{"):
            return None
        refuse_comments(source)
        cause = {"type": "x_content_parse_exception", "reason": f"[{error.lineno}:{error.colno}] {error.msg}"}
        raise document_error(f"failed to parse: {error.msg}", cause) from error


def members(pairs: list[tuple[str, Any]]) -> Json:
    """The members of an object.

    Raises:
        ElasticError: 400 for half a surrogate pair in a name, which a mapping cannot hold.
    """
    for name, _ in pairs:
        if whole_characters(name) != name:
            raise unsupported("half a surrogate pair in the name of a field")
    return dict(pairs)


def parse_spelled(source: bytes) -> Json:
    """A document that is not spelled as it would be written again, so that a name may stand in it twice.

    Raises:
        ElasticError: 400 for such a name.
    """
    try:
        document: Json = reread(source)
    except RepeatedNameError as error:
        reason = f"Duplicate field '{error}'"
        cause = {"type": "x_content_parse_exception", "reason": reason}
        raise document_error(f"failed to parse: {reason}", cause) from error
    except RecursionError as error:
        raise document_error(
            "failed to parse: Document nesting depth exceeds the maximum allowed (1000)"
        ) from error
    return document


def check_timestamp(document: Json) -> None:
    """A document of a data stream has exactly one timestamp."""
    values = list(flatten_lists(document.get(TIMESTAMP)))
    if len(values) == 1:
        return
    what = "is missing" if not values else "encountered multiple values"
    reason = f"data stream timestamp field [{TIMESTAMP}] {what}"
    raise document_error(
        f"failed to parse: {reason}", {"type": "illegal_argument_exception", "reason": reason}
    )
