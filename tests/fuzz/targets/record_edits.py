"""Edits of lines that clients sent: what is edited reads as asked for, and no other byte is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import orjson

from logging_system.records.document import Path, Put, Record, Remove, Rename
from logging_system.records.json_bytes import EditError
from tests.fuzz.target import Target

_DEPTH_MAX = 100
_PATHS_MAX = 6
_MARK = "\u241f mark \u241f"
_ENCODED_MARK = orjson.dumps(_MARK)


class _Digits(str):
    """A number as it was written."""

    __slots__ = ()


def _seeds() -> Sequence[bytes]:
    return (
        b'{"n":18446744073709551617,"d":0.1000000000000000055,"message":"one","labels":{"a":[1,{"b":2.50}]}}',
        b'{ "a" : "\\u00e4\\"\\\\" ,\t"a":1, "b":[ ] , "c":{ },"\\u0061":{"x":[[1],[2,{"y":null}]]} }',
        b'{"password":"x","password":"y","nested":{"k":1,"k":{"k":2,"k":3}},"q":"\\u0022"}',
        b'{"":{"":{"":[true,false,null,-0,1E400,"]}{["]}}}',
    )


def _check(line: bytes) -> bool:
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(parsed, dict) or line.count(b"{") + line.count(b"[") > _DEPTH_MAX:
        return False
    record = Record.of_line(line, parsed)
    kept = record.encoded
    assert orjson.loads(kept) == parsed, "what is kept is not what was read"
    assert _has_unique_names(kept), "a name comes twice"
    if _has_unique_names(line):
        assert kept == line, "a line without a name that comes twice was changed"
    assert record.edited([]) is record
    paths = list(_paths(parsed, ()))
    rng = Random(line)
    for path in rng.sample(paths, min(_PATHS_MAX, len(paths))):
        _put(record, path)
        _remove(record, path)
        _rename(record, path)
    return True


def _put(record: Record, path: Path) -> None:
    edited = record.edited([Put(path, _MARK)]).encoded
    before, mark, after = edited.partition(_ENCODED_MARK)
    line = record.encoded
    assert mark
    assert line.startswith(before), "a byte before the edit was touched"
    assert line.endswith(after), "a byte behind the edit was touched"
    assert len(before) + len(after) < len(line)
    replaced = line[len(before) : len(line) - len(after)]
    assert orjson.loads(replaced) == _at(orjson.loads(line), path), "another value was replaced"


def _remove(record: Record, path: Path) -> None:
    expected = _exactly(record.encoded)
    del _at(expected, path[:-1])[path[-1]]
    edited = record.edited([Remove(path)])
    assert _exactly(edited.encoded) == expected
    by_document = Record.of_document(orjson.loads(record.encoded)).edited([Remove(path)])
    assert edited.document == by_document.document


def _rename(record: Record, path: Path) -> None:
    expected = _exactly(record.encoded)
    holder = _at(expected, path[:-1])
    try:
        edited = record.edited([Rename(path, _MARK)])
    except EditError:
        assert isinstance(holder, list)
        return
    members = [(_MARK if name == path[-1] else name, value) for name, value in holder.items()]
    holder.clear()
    holder.update(members)
    found = _exactly(edited.encoded)
    assert found == expected
    assert list(_at(found, path[:-1])) == list(holder), "the order of the members has changed"


def _paths(value: Any, before: Path) -> Iterator[Path]:
    inner = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, each in inner:
        yield (*before, key)
        yield from _paths(each, (*before, key))


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _exactly(line: bytes) -> Any:
    return json.loads(line, parse_int=_Digits, parse_float=_Digits)


def _has_unique_names(line: bytes) -> bool:
    twice: list[bool] = []
    json.loads(
        line,
        parse_int=str,
        object_pairs_hook=lambda pairs: twice.append(len(pairs) != len(dict(pairs))),
    )
    return not any(twice)


RECORD_EDITS = Target(
    "record_edits",
    _seeds,
    _check,
    json=True,
    words=(b'"a":1,', b"\\u0022", b'\\"', b"\\\\", b"{}", b"[]", b',"k":0', b"\t", b"\r", b'"":', b"]}"),
    large_bytes=64 * 1024,
)
