"""The tree of a trace is the pipeline's steps by the links of its spans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.cli import main
from logging_system.monitoring.trace_tree import spans_of, trees

TRACE, OTHER = "a" * 32, "b" * 32


def span(name: str, span_id: str, start_ms: int, *links: tuple[str, str], **further: Any) -> dict[str, Any]:
    return {
        "traceId": "9" * 32,
        "spanId": span_id,
        "name": name,
        "startTimeUnixNano": str(start_ms * 1_000_000),
        "endTimeUnixNano": str((start_ms + 5) * 1_000_000),
        "attributes": [],
        "links": [{"traceId": trace_id, "spanId": linked} for trace_id, linked in links],
        **further,
    }


def line(*spans: dict[str, Any]) -> bytes:
    return orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}) + b"\n"


LINES = [
    line(span("index", "i", 61, parentSpanId="b"), span("bulk", "b", 60, (TRACE, "1"), (TRACE, "2"))),
    line(span("spool append", "s", 10, (TRACE, "1"), (OTHER, "7"))),
]


def test_steps_stand_below_the_span_they_are_linked_to_in_the_order_of_time() -> None:
    other, tree = trees(spans_of(LINES))

    assert [row.split("  ")[0] for row in tree.splitlines()] == [
        f"trace {TRACE}",
        "├─ span 1, in which records were logged",
        "│",
        "│",
        "│",
        "└─ span 2, in which records were logged",
        "",
        "",
    ]
    assert [row[3:].split("  ")[0] for row in tree.splitlines()[2:5]] == ["├─ spool append", "└─ bulk", ""]
    assert "index" in tree.splitlines()[4]
    assert other.startswith(f"trace {OTHER}\n└─ span 7")


def test_only_the_trace_that_is_asked_for_is_shown() -> None:
    (tree,) = trees(spans_of(LINES), OTHER)

    assert tree.startswith(f"trace {OTHER}")
    assert trees(spans_of(LINES), "c" * 32) == []


def test_a_line_that_is_being_written_is_left_out_and_any_other_is_named() -> None:
    assert len(list(spans_of([LINES[1], LINES[0][:-20]]))) == 1
    with pytest.raises(ValueError, match="line 2 is no line of OTLP spans"):
        list(spans_of([LINES[1], b"[]\n"]))


@pytest.mark.parametrize(
    ("content", "arguments", "code", "words"),
    [
        (b"".join(LINES), (), 0, ""),
        (b"".join(LINES), (TRACE.upper(),), 0, ""),
        (b"".join(LINES), ("c" * 32,), 1, "nothing linked to trace cccc"),
        (b"{}\n", (), 1, "spans.jsonl: line 1 is no line of OTLP"),
        (None, (), 1, "spans.jsonl: No such file or directory"),
        (b"", ("xyz",), 4, "'xyz' is no trace id"),
    ],
)
def test_the_command_shows_it_or_says_why_not(
    content: bytes | None,
    arguments: tuple[str, ...],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "spans.jsonl"
    if content is not None:
        file.write_bytes(content)
    try:
        ended: object = main(["trace", str(file), *arguments])
    except SystemExit as exit:
        ended = exit.code
    shown = capsys.readouterr()

    assert ended == code
    assert words in shown.err
    assert (TRACE in shown.out) is (code == 0)
