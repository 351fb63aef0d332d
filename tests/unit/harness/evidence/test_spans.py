"""Which span a record is in can be computed by everyone; the stack's spans are read for their links."""

import orjson
import pytest

from harness.evidence.spans import span_facts, span_of
from harness.model.facts import Linked, SpansRead

RUN = "a1b2c3"


def line(*spans):
    return orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}) + b"\n"


def linked_to(*sequences, **more):
    ids = [ids for sequence in sequences if (ids := span_of(RUN, sequence)) is not None]
    return {"links": [{"traceId": each.trace_id, "spanId": each.span_id.upper()} for each in ids], **more}


def test_one_record_in_four_is_in_no_span_and_no_two_are_in_the_same():
    spans = [span_of(RUN, sequence) for sequence in range(400)]
    within = [each for each in spans if each is not None]

    assert [place for place, each in enumerate(spans) if each is None] == list(range(3, 400, 4))
    assert len({each.span_id for each in within}) == len(within) == 300
    assert len({each.trace_id for each in within}) == 50
    assert {(len(each.trace_id), len(each.span_id)) for each in within} == {(32, 16)}
    assert span_of("another", 0) not in (None, spans[0])


def test_links_and_parents_of_all_files_are_told_in_ranges(tmp_path):
    parent = span_of(RUN, 8)
    assert parent is not None
    (tmp_path / "a.jsonl").write_bytes(line(linked_to(0, 1, droppedLinksCount=7), linked_to(2, 4)))
    (tmp_path / "b.jsonl").write_bytes(
        line({"traceId": parent.trace_id, "parentSpanId": parent.span_id}) + line()
    )

    facts = list(span_facts(f"{tmp_path}/*.jsonl", RUN, 100, at_ns=5))

    assert facts == [Linked(0, 2), Linked(4, 4), Linked(8, 8), SpansRead(5, 3, 7)]


@pytest.mark.parametrize(
    ("content", "unread"),
    [(None, "no file is at "), (b"{}\n[\n", "line 2 is no OTLP in JSON"), (b"[]\n", "line 1 is no OTLP")],
)
def test_what_is_not_there_or_no_such_file_is_said(tmp_path, content, unread):
    if content is not None:
        (tmp_path / "spans.jsonl").write_bytes(content)

    (read,) = span_facts(f"{tmp_path}/spans.jsonl", RUN, 10, at_ns=5)

    assert isinstance(read, SpansRead)
    assert unread in read.unread
