"""The body of a bulk request: newline-delimited actions, each but a delete followed by its document.

Pure: bytes in, actions out. Source of the rules: Elasticsearch's bulk API reference and an 8.19
server's answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    parse_error,
    validation_failed,
)
from harness.programs.elastic_lite.language.spelled_json import (
    refuse_comments,
    refuse_half_characters,
)

OPS = ("create", "index", "update", "delete")
ID_BYTES_MAX = 512
EXTERNAL = ("external", "external_gte")
VERSION_TYPES = ("internal", *EXTERNAL)
PARAMETERS = declare(
    "in an action of a bulk request",
    "_index",
    "_id",
    "if_seq_no",
    "if_primary_term",
    "pipeline",
    "require_alias",
    "require_data_stream",
    "op_type",
    "version",
    inert={"retry_on_conflict": "updates, which would be tried again, are refused"},
    only={"list_executed_pipelines": ("false",), "version_type": VERSION_TYPES, "dynamic_templates": ("{}",)},
)


@dataclass(frozen=True, slots=True)
class Action:
    """One write: what to do, where, under which id (None: the server makes one), with which bytes."""

    op: str
    index: str
    id: str | None
    source: bytes
    if_seq_no: int | None = None
    if_primary_term: int | None = None
    pipeline: str | None = None
    version_type: str | None = None
    version: int | None = None
    require_data_stream: bool = False
    require_alias: bool = False


def parse_bulk(
    body: bytes,
    default_index: str | None,
    *,
    pipeline: str | None = None,
    require_data_stream: bool = False,
    require_alias: bool = False,
) -> list[Action]:
    """Every action of a bulk body, in order.

    Args:
        body: The request's bytes, decompressed.
        default_index: The index of the path, for actions that name none.
        pipeline: The request's ingest pipeline, for actions that name none.
        require_data_stream: The request's flag, for actions that do not say.
        require_alias: The request's flag, for actions that do not say.

    Raises:
        ElasticError: 400 for the whole request: a malformed action line, no newline at the end, no action.
    """
    if not body:
        raise parse_error("request body is required")
    actions: list[Action] = []
    invalid: list[str] = []
    lines = split_lines(body)
    for number, line in lines:
        if not line.strip(b" \t\r"):
            continue
        op, meta = parse_action_line(line, number)
        source = b""
        if op != "delete":
            following = next(lines, None)
            if following is None:
                break  # Elasticsearch drops a last action without its document, silently
            source = following[1].removesuffix(b"\r")
        action = Action(
            op=op,
            index=text_of(meta.get("_index")) or default_index or "",
            id=text_of(meta.get("_id")),
            source=source,
            if_seq_no=meta.get("if_seq_no"),
            if_primary_term=meta.get("if_primary_term"),
            pipeline=meta.get("pipeline", pipeline),
            version_type=text_of(meta.get("version_type")),
            version=number_in(meta, "version", number),
            require_data_stream=bool(meta.get("require_data_stream", require_data_stream)),
            require_alias=bool(meta.get("require_alias", require_alias)),
        )
        invalid.extend(why_invalid(action))
        actions.append(action)
    if not actions:
        raise validation_failed("no requests added")
    if invalid:
        raise validation_failed(*invalid)
    return actions


def split_lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbered lines, from 1; whatever follows the last newline is an error."""
    start, number = 0, 1
    while (end := body.find(b"\n", start)) >= 0:
        yield number, body[start:end]
        start, number = end + 1, number + 1
    if start < len(body):
        raise illegal_argument("The bulk request must be terminated by a newline [\\n]")


def parse_action_line(line: bytes, number: int) -> tuple[str, dict[str, Any]]:
    """The operation and the metadata of one action line.

    Raises:
        ElasticError: 400 that names the line.
    """
    try:
        action = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        refuse_comments(line)
        refuse_half_characters(line)
        raise ElasticError(
            400, "x_content_parse_exception", f"[{number}:{error.colno}] {error.msg}"
        ) from error
    where = f"Malformed action/metadata line [{number}]"
    if not isinstance(action, dict):
        raise illegal_argument(f"{where}, expected START_OBJECT but found [{token(action)}]")
    if not action:
        raise illegal_argument(f"{where}, expected FIELD_NAME but found [END_OBJECT]")
    op, meta = next(iter(action.items()))
    if op not in OPS:
        raise illegal_argument(
            f"{where}, expected field [create], [delete], [index] or [update] but found [{op}]"
        )
    if not isinstance(meta, dict):
        raise illegal_argument(f"{where}, expected START_OBJECT or END_OBJECT but found [{token(meta)}]")
    check_metadata(meta, number)
    return ("create" if op == "index" and meta.get("op_type") == "create" else op), meta


def check_metadata(meta: dict[str, Any], number: int) -> None:
    """Refuse parameters of an action that do not exist or are no simple value."""
    PARAMETERS.check(meta)
    for name, value in meta.items():
        if isinstance(value, (dict, list)) and name not in ("_source", "dynamic_templates"):
            raise illegal_argument(
                f"Malformed action/metadata line [{number}], expected a simple value for field [{name}] "
                f"but found [{token(value)}]"
            )


def number_in(meta: dict[str, Any], name: str, number: int) -> int | None:
    """A number of an action, which may be spelled as a text.

    Raises:
        ElasticError: 400 for anything else.
    """
    value = meta.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise illegal_argument(
            f"Action/metadata line [{number}]: [{name}] is no number: [{value}]"
        ) from error


def text_of(value: Any) -> str | None:
    """An id or a name as text; Elasticsearch takes a number or a boolean for its JSON spelling."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def token(value: Any) -> str:
    """The name Elasticsearch gives to the JSON token that a value starts with."""
    names = {dict: "START_OBJECT", list: "START_ARRAY", str: "VALUE_STRING", type(None): "VALUE_NULL"}
    return names.get(type(value), "VALUE_BOOLEAN" if isinstance(value, bool) else "VALUE_NUMBER")


def why_invalid(action: Action) -> Iterator[str]:
    """Each reason for which an action invalidates the whole request."""
    if not action.index:
        yield "index is missing"
    if action.op in ("delete", "update") and not action.id:
        yield "id is missing"
    if action.id is not None and len(action.id.encode()) > ID_BYTES_MAX:
        size = len(action.id.encode())
        yield f"id [{action.id}] is too long, must be no longer than {ID_BYTES_MAX} bytes but was: {size}"
    yield from why_version_invalid(action)
    if action.if_seq_no is not None and action.if_primary_term is None:
        yield "ifSeqNo is set, but primary term is [0]"


def why_version_invalid(action: Action) -> Iterator[str]:
    """Each reason against the version that an action asks for."""
    external = action.version_type in EXTERNAL
    if action.op == "create" and action.version is not None:
        yield "create operations do not support explicit versions. use index instead"
    elif action.op == "create" and external:
        yield "create operations only support internal versioning. use index instead"
    elif external and (action.version is None or action.version < 0):
        kind = str(action.version_type).upper()
        yield f"illegal version value [{action.version}] for version type [{kind}]"
    elif external and action.if_seq_no is not None:
        yield "compare and write operations can not use versioning"
    elif action.version is not None and not external:
        yield (
            "internal versioning can not be used for optimistic concurrency control. Please use "
            "`if_seq_no` and `if_primary_term` instead"
        )
