from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.records.document import Edit, Put, Record, Remove, Rename
from logging_system.records.json_bytes import EditError

LINE = (
    b'{ "big":18446744073709551617 , "small" : 0.1000000000000000055,  "message":"\\u00e4 \\/ card",'
    b'\t"labels": {"a" :1.50, "list":[ 1,{"x" : 2E2}, "t"]} ,"last":null}'
)


def line_record(line: bytes) -> Record:
    return Record.of_line(line, orjson.loads(line))


def both(line: bytes) -> list[Record]:
    return [line_record(line), Record.of_document(orjson.loads(line))]


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (Put(("message",), "***"), b'"\\u00e4 \\/ card"', b'"***"'),
        (Put(("labels", "a"), {"b": [None]}), b'"a" :1.50', b'"a" :{"b":[null]}'),
        (Put(("labels", "list", 1, "x"), 7), b'"x" : 2E2', b'"x" : 7'),
        (Put(("labels", "list", 2), True), b'"t"', b"true"),
        (Put(("labels", "new"), 1), b'"t"]}', b'"t"],"new":1}'),
        (Put(("new", "within"), 1), b"null}", b'null,"new":{"within":1}}'),
        (Remove(("last",)), b',"last":null', b""),
        (Remove(("big",)), b' "big":18446744073709551617 ,', b""),
        (Remove(("labels", "list", 0)), b" 1,", b""),
        (Rename(("small",), "tiny"), b'"small" :', b'"tiny" :'),
        (Rename(("labels",), 'say "x"'), b'"labels":', b'"say \\"x\\"":'),
    ],
)
def test_an_edit_of_a_line_touches_only_its_field(edit: Edit, before: bytes, after: bytes) -> None:
    assert LINE.count(before) == 1
    assert line_record(LINE).edited([edit]).encoded == LINE.replace(before, after)


def test_many_edits_are_made_at_once() -> None:
    found = line_record(LINE).edited(
        [Put(("message",), "m"), Remove(("big",)), Rename(("small",), "big"), Put(("labels", "a"), 0)]
    )

    assert found.encoded == (
        b'{ "big" : 0.1000000000000000055,  "message":"m",'
        b'\t"labels": {"a" :0, "list":[ 1,{"x" : 2E2}, "t"]} ,"last":null}'
    )


def test_without_an_edit_the_record_is_the_same_object() -> None:
    for record in both(LINE):
        assert record.edited([]) is record
    assert line_record(LINE).encoded is LINE


def test_a_record_does_not_change_when_another_one_is_made_of_it() -> None:
    for record in both(LINE):
        before = json.dumps(record.document)
        record.edited([Put(("labels", "list", 1, "x"), 7), Remove(("message",))])

        assert json.dumps(record.document) == before


@pytest.mark.parametrize(
    "edits",
    [
        [Put((), 1)],
        [Put(("message", "x"), 1)],
        [Put(("labels", "list", 3), 1)],
        [Put(("labels", "list", "x"), 1)],
        [Put((0,), 1)],
        [Remove(("none",))],
        [Remove(("labels", "none"))],
        [Remove(("none", "none"))],
        [Rename(("none",), "x")],
        [Rename(("labels", "list", 0), "x")],
        [Rename(("last",), "message")],
        [Rename(("last",), "x"), Put(("x",), 1)],
        [Put(("labels",), 1), Put(("labels", "a"), 1)],
        [Put(("labels", "a"), 1), Put(("labels",), 1)],
        [Put(("last",), 1), Remove(("last",))],
    ],
)
def test_an_edit_that_does_not_fit_is_refused_alike(edits: list[Edit]) -> None:
    for record in both(LINE):
        with pytest.raises(EditError):
            record.edited(edits)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b'{"a":1, "b":2}', b'{"a":1, "b":2}'),
        (b'{"a":"secret", "a":1.50}', b'{ "a":1.50}'),
        (b'{"a":1,"\\u0061":2}', b'{"\\u0061":2}'),
        (b'{"a":{"b":1,"c":[{"d":1,"d":2}],"b":3}}', b'{"a":{"c":[{"d":2}],"b":3}}'),
        (b'{"x":"\\u0022\\u0022","a":1,"a":2}', b'{"x":"\\u0022\\u0022","a":2}'),
        (b'{"x":"\\u0022" , "a":1}', b'{"x":"\\u0022" , "a":1}'),
        (b'{"a":1,"a":2,"a":{}}', b'{"a":{}}'),
    ],
)
def test_what_is_read_over_is_not_in_the_record(line: bytes, kept: bytes) -> None:
    record = line_record(line)

    assert record.encoded == kept
    assert record.document == orjson.loads(line)


def test_what_json_cannot_carry_is_written_so_that_it_can() -> None:
    for record in both(b'{"a":1}'):
        found = record.edited([Put(("b",), "\udc80"), Put(("c",), (2**70, "\udc80"))])

        assert orjson.loads(found.encoded) == {"a": 1, "b": "\\udc80", "c": [str(2**70), "\\udc80"]}


def exactly(text: bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def written(value: Any, rng: Any) -> str:
    """Return JSON with random spacing and escapes, decimals to the digit."""
    space = rng.choice(["", "", " ", "\t ", "\r"])
    if isinstance(value, dict):
        pairs = [f"{written(key, rng)}{space}:{written(inner, rng)}" for key, inner in value.items()]
        return f"{space}{{{space}{','.join(pairs)}}}{space}"
    if isinstance(value, list):
        return f"{space}[{','.join(written(inner, rng) for inner in value)}{space}]{space}"
    if isinstance(value, Decimal):
        return f"{space}{value:E}"
    return str(space) + json.dumps(value, ensure_ascii=rng.random() < 0.5)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=5), st.randoms(use_true_random=False))
def test_an_edited_line_reads_like_the_edited_document(value: dict[str, Any], rng: Any) -> None:
    """For any object and any member of it: the other members keep their digits and their order."""
    line = written(value, rng).strip().encode("utf-8", "surrogatepass")
    try:
        record = line_record(line)
    except orjson.JSONDecodeError:  # a lone surrogate, or a number beyond a double
        return
    for name in exactly(line):
        expected = exactly(line)
        expected[name] = "new"
        assert exactly(record.edited([Put((name,), "new")]).encoded) == expected
        del expected[name]
        assert exactly(record.edited([Remove((name,))]).encoded) == expected
        assert list(exactly(record.edited([Remove((name,))]).encoded)) == list(expected)


def test_edits_cost_once_over_the_record_however_many_they_are() -> None:
    fields = 20_000
    line = orjson.dumps({"labels": {f"k{number}": "secret" for number in range(fields)}})
    found = line_record(line).edited([Put(("labels", f"k{number}"), "*") for number in range(fields)])

    assert b"secret" not in found.encoded
