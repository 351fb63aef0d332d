"""What a stack sends to elastic_lite as a bulk body: lawful actions, or an error in its words."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from harness.programs.elastic_lite.language.bulk_body import ID_BYTES_MAX, OPS, parse_bulk
from harness.programs.elastic_lite.language.errors import ElasticError
from tests.fuzz.target import Target


def _seeds() -> Sequence[bytes]:
    return (
        b'{"create":{"_index":"logs","_id":"1"}}\n{"message":"x"}\n{"create":{}}\n{"message":"y"}\n',
        b'{"index":{"_id":"a","if_seq_no":3,"if_primary_term":1,"pipeline":"p"}}\r\n{"a":1}\r\n',
        b'{"delete":{"_index":"i","_id":"1"}}\n{"update":{"_id":"2","retry_on_conflict":3}}\n{"doc":{}}\n',
        b'{"index":{"op_type":"create","version":7,"version_type":"external","routing":"r"}}\n{}\n\n',
    )


def _check(body: bytes) -> bool:
    try:
        actions = parse_bulk(body, "default")
    except ElasticError as error:
        assert error.status == 400
        assert orjson.dumps(error.as_body())
        return False

    assert 0 < len(actions) <= body.count(b"\n")
    for action in actions:
        assert action.op in OPS
        assert action.index
        assert action.source in body
        assert action.id is None or len(action.id.encode()) <= ID_BYTES_MAX
    return True


BULK_REQUEST = Target(
    "bulk_request",
    _seeds,
    _check,
    json=True,
    words=(
        b"\n",
        b"\r\n",
        b'{"create":{}}\n',
        b'{"delete":{"_id":"1"}}\n',
        b'"_id":[],',
        b'"_index":1.5,',
        b"{}\n",
    ),
)
