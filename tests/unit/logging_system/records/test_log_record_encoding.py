from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logging_system.records.document import Put, Record
from logging_system.records.exception import STACK_CHARACTERS_MAX
from logging_system.records.labels import LABEL_KEY_CHARACTERS_MAX, LABELS_MAX, labels_of
from logging_system.records.processors import Chain
from logging_system.records.record import (
    Producer,
    capture,
    encode,
    encode_left,
    encode_processed,
)
from logging_system.records.truncation import LABEL_CHARACTERS_MAX, MESSAGE_CHARACTERS_MAX

PRODUCER = Producer("checkout", "e1")


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text here")

    __repr__ = __str__


def record(message: object = "m", *args: object, exc_info: Any = None, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("shop.cart", logging.WARNING, "/a/b.py", 7, message, args, exc_info, "fn")
    made.__dict__.update(extra)
    return made


def document(made: logging.LogRecord) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(encode(capture(made), 42, PRODUCER))
    return content


def caught(error: BaseException) -> Any:
    try:
        raise error  # noqa: TRY301 - a traceback needs a frame that raised
    except BaseException:
        return sys.exc_info()


def test_a_record_becomes_an_ecs_document() -> None:
    made = record("paid", sequence=9)
    made.created = 1_700_000_000.123456
    made.process, made.threadName = 31, "worker-1"

    assert document(made) == {
        "@timestamp": "2023-11-14T22:13:20.123456Z",
        "message": "paid",
        "log": {
            "level": "warning",
            "logger": "shop.cart",
            "origin": {"file": {"name": "b.py", "line": 7}, "function": "fn"},
        },
        "service": {"name": "checkout"},
        "process": {"pid": 31, "entity_id": "e1", "thread": {"name": "worker-1"}},
        "event": {"sequence": 42},
        "ecs": {"version": "8.17"},
        "labels": {"sequence": 9},
    }


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=500))
def test_a_message_is_kept_byte_for_byte(message: str) -> None:
    assert document(record(message))["message"] == message


def test_a_message_of_16_kib_with_newlines_is_kept() -> None:
    message = "line of text\n\tat frame ⟨é⟩\r\n" * 640

    assert len(message) > 16 * 1024
    assert document(record(message))["message"] == message


@given(st.text(st.characters(), max_size=50), st.text(st.characters(), max_size=20))
def test_lone_surrogates_are_escaped_and_never_crash(message: str, label: str) -> None:
    content = document(record(message, label=label))

    assert content["message"] == message.encode("utf-8", "backslashreplace").decode()


def test_a_lone_surrogate_becomes_its_six_characters() -> None:
    assert document(record("caf\udce9 \ud800"))["message"] == "caf\\udce9 \\ud800"


def test_an_encoded_document_has_no_line_break() -> None:
    assert b"\n" not in encode(capture(record("a\nb\r\u2028c", x="y\nz")), 1, PRODUCER)


def test_a_later_mutation_of_an_argument_changes_nothing() -> None:
    cart, extra = ["book"], {"order": ["a"]}
    captured = capture(record("cart: %s", cart, **extra))
    cart.append("pen")
    extra["order"].append("b")
    content = orjson.loads(encode(captured, 1, PRODUCER))

    assert content["message"] == "cart: ['book']"
    assert content["labels"] == {"order": "['a']"}


def test_formatting_of_immutable_arguments_is_left_to_the_worker() -> None:
    _attributes, _bytes, _durability, _record, aside, _context = capture(record("%s %d %s", "a", 1, None))

    assert aside.message is None


def test_a_template_that_does_not_fit_keeps_its_text_and_says_so() -> None:
    content = document(record("%d items", "many"))

    assert content["message"] == "%d items"
    assert content["labels"]["unformatted"] == "TypeError"


@pytest.mark.parametrize(
    "made", [record(Unprintable()), record("%s", Unprintable()), record("m", x=Unprintable())]
)
def test_a_broken_str_does_not_raise(made: logging.LogRecord) -> None:
    assert "Error" in encode(capture(made), 1, PRODUCER).decode()


def test_an_exception_is_told_with_type_message_and_stack() -> None:
    error = document(record("m", exc_info=caught(ValueError("bad é"))))["error"]

    assert (error["type"], error["message"]) == ("ValueError", "bad é")
    assert error["stack_trace"].startswith("Traceback (most recent call last):")
    assert error["stack_trace"].endswith("ValueError: bad é\n")


def test_an_exception_that_cannot_be_printed_does_not_raise() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "unformatted" in document(record("m", exc_info=caught(SilentError())))["error"]["message"]


def test_exc_info_without_an_exception_does_not_raise() -> None:
    assert document(record("m", exc_info=(None, None, None)))["error"]["type"] == "None"


def test_texts_are_bounded_and_say_what_was_cut() -> None:
    content = document(
        record(
            "m" * (MESSAGE_CHARACTERS_MAX + 3), exc_info=caught(ValueError("v" * 500_000)), key="k" * 5_000
        )
    )

    assert content["message"].endswith("m…[3 characters cut]")
    assert len(content["error"]["stack_trace"]) < STACK_CHARACTERS_MAX + 40
    assert len(content["labels"]["key"]) < LABEL_CHARACTERS_MAX + 40


def test_extra_values_are_flattened_to_labels_with_a_bounded_depth() -> None:
    deep: dict[str, object] = {"a": {"b": {"c": {"d": {"e": 1}}}}}

    assert document(record("m", **deep))["labels"] == {"a.b.c.d": "{'e': 1}"}


def test_labels_keep_plain_types_and_turn_the_rest_into_text() -> None:
    labels = document(record("m", i=1, f=1.5, b=True, n=None, big=2**70, o={1}, **{"": "e", "z\0": 1}))[
        "labels"
    ]

    assert labels == {
        "i": 1,
        "f": 1.5,
        "b": True,
        "n": None,
        "big": str(2**70),
        "o": "{1}",
        "_": "e",
        "z\\0": 1,
    }


@given(st.floats(min_value=-1e9, max_value=1e10))
@example(0.9999999)
@example(1_700_000_000.9999997)
@example(1.5e-6)
@example(2.5e-6)
@example(-0.5)
def test_a_time_is_rounded_as_the_standard_library_rounds_it(created: float) -> None:
    made = record()
    made.created = created

    assert document(made)["@timestamp"] == f"{datetime.fromtimestamp(created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


_NAMES = st.one_of(
    st.sampled_from(["order", "", "nul\0", "n" * LABEL_KEY_CHARACTERS_MAX, "n" * 300]), st.text(max_size=3)
)
_VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    st.sampled_from(
        ["x" * LABEL_CHARACTERS_MAX, "x" * (LABEL_CHARACTERS_MAX + 1), 2**63 - 1, 2**63, -(2**63)]
    ),
    st.one_of(st.booleans(), st.none(), st.floats(), st.binary()),
)


@given(st.dictionaries(_NAMES, _VALUES, max_size=4), st.sampled_from([0, LABELS_MAX - 2, LABELS_MAX]))
def test_values_taken_as_they_are_become_the_labels_that_walking_gives(
    added: dict[str, Any], more: int
) -> None:
    added |= {f"more-{number}": number for number in range(more)}
    made = record()
    own = set(vars(made))
    added = {name: value for name, value in added.items() if name not in own}
    made.__dict__.update(added)

    assert document(made).get("labels", {}) == labels_of(added)


def test_a_label_whose_name_is_no_text_is_kept() -> None:
    made = record(order=42)
    vars(made)[7] = "seven"  # type: ignore[index]  # as `extra` lets an application

    assert document(made)["labels"] == {"order": 42, "7": "seven"}


@pytest.mark.parametrize("created", [float("nan"), float("inf"), -1e30, None, "yesterday"])
def test_an_impossible_time_does_not_raise(created: Any) -> None:
    made = record("m")
    made.created = created

    assert document(made)["@timestamp"] == "1970-01-01T00:00:00.000000Z"


def test_a_processor_sees_the_document_before_it_is_encoded() -> None:
    class Masking:
        def process(self, record: Record) -> Record:
            return record.edited([Put(("message",), "***")])

    encoded = encode_processed(capture(record("secret")), 1, PRODUCER, Chain([Masking()]))

    assert isinstance(encoded, bytes)
    assert orjson.loads(encoded)["message"] == "***"
    assert b"secret" not in encoded


class Leaves:
    """A processor that looks at a record, which is made as a document for it, and leaves it."""

    def process(self, record: Record) -> Record:
        return record


_ANYTHING = st.sampled_from(
    [
        "shop",
        "",
        "ä",
        '"\\\n',
        "\udc80",
        1,
        True,
        1.0,
        None,
        float("nan"),
        2**70,
        b"x",
        ["unhashable"],
        ("a", 1),
    ]
)


@given(
    st.fixed_dictionaries(
        dict.fromkeys(
            ["levelname", "name", "filename", "lineno", "funcName", "process", "threadName", "created"],
            _ANYTHING,
        )
    ),
    st.sampled_from(["paid", "\udc80", '"quoted"\n', "%s", ""]),
    st.dictionaries(st.sampled_from(["order", "ä", "\udc80", "durability"]), _ANYTHING, max_size=3),
)
def test_a_record_put_together_from_parts_is_what_its_document_is_as_json(
    own: dict[str, Any], message: str, added: dict[str, Any]
) -> None:
    made = record(message, **added)
    vars(made).update(own)
    captured = capture(made)

    assert encode(captured, 42, PRODUCER) == encode_processed(captured, 42, PRODUCER, Chain([Leaves()]))


@pytest.mark.parametrize("service", ["checkout", "shop"])
def test_what_is_kept_of_a_place_in_a_program_is_of_this_place_type_and_producer(service: str) -> None:
    for line in (1, True, 1.0, 2):
        encoded = encode(capture(record(lineno=line)), 1, Producer(service, "e2"))
        shown = orjson.loads(encoded)

        assert orjson.dumps(shown["log"]["origin"]["file"]["line"]) == orjson.dumps(line)
        assert shown["service"]["name"] == service


def test_documents_are_encoded_together_only_where_the_chain_leaves_all_of_them() -> None:
    class Cautious(Leaves):
        def process(self, record: Record) -> Record:
            return record

        def leaves(self, documents: Sequence[bytes]) -> bool:
            return not any(b"secret" in document for document in documents)

    group = [capture(record("paid")), capture(record("secret"))]
    chain = Chain([Cautious()])
    together = encode_left(group[:1] * 2, 7, PRODUCER, chain)

    assert together == [encode(group[0], 7, PRODUCER), encode(group[0], 8, PRODUCER)]
    assert encode_left(group, 7, PRODUCER, chain) is None
    assert encode_left(group, 7, PRODUCER, Chain([Leaves()])) is None
