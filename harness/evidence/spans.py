"""In which span of a trace each record is logged, and which of these the stack's own spans link to.

The first is a function of the sequence that everyone can compute: the application opens such a span, the
oracle tells it, and what is stored is compared with it. Neighbours are in different spans, and one in four is
in none, so that a stack that mixes them up shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from glob import iglob
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

import orjson

from harness.model.facts import Event, Linked, SpansRead
from harness.model.protocols import SpanIds

_OUTSIDE_EVERY = 4
_RECORDS_OF_A_TRACE = 8
_LINE_BYTES_MAX = 64 << 20


def span_of(run_id: str, sequence: int) -> SpanIds | None:
    """Return the span that a record is logged in; None where it is logged in none.

    Args:
        run_id: the run's, or that of its scenario; ids of two runs have nothing in common.
        sequence: the record's; some neighbours share a trace, and every so many records one has no span.
    """
    if sequence % _OUTSIDE_EVERY == _OUTSIDE_EVERY - 1:
        return None
    trace_id = _identity(f"{run_id}:trace:{sequence // _RECORDS_OF_A_TRACE}", 16)
    return SpanIds(trace_id, _identity(f"{run_id}:span:{sequence}", 8))


def span_facts(pattern: str, run_id: str, records: int, at_ns: int) -> Iterator[Event]:
    """Yield what the stack's own spans link to, and that they were read.

    Args:
        pattern: of files of OTLP's JSON, one request a line.
        run_id: of the run.
        records: how many it has.
        at_ns: when the files are read.
    """
    logged = {ids: sequence for sequence in range(records) if (ids := span_of(run_id, sequence)) is not None}
    linked: set[int] = set()
    spans = dropped = 0
    unread = ""
    paths = sorted(iglob(pattern))  # noqa: PTH207 - a pattern with a folder of its own
    try:
        for span in _spans(paths):
            spans += 1
            dropped += int(str(span.get("droppedLinksCount") or 0))
            linked |= {logged[ids] for ids in _links(span) if ids in logged}
    except (OSError, ValueError) as error:
        unread = str(error)
    for _, group in groupby(enumerate(sorted(linked)), lambda pair: pair[1] - pair[0]):
        sequences = [sequence for _place, sequence in group]
        yield Linked(sequences[0], sequences[-1])
    yield SpansRead(at_ns, spans, dropped, unread if paths or unread else f"no file is at {pattern}")


def _spans(paths: Iterable[str]) -> Iterator[Mapping[str, object]]:
    for path in paths:
        with Path(path).open("rb") as lines:
            for number in range(1, 1 << 62):
                line = lines.readline(_LINE_BYTES_MAX)
                if not line:
                    break
                try:
                    yield from _spans_of(orjson.loads(line))
                except (orjson.JSONDecodeError, TypeError, AttributeError) as error:
                    raise ValueError(f"{path}: line {number} is no OTLP in JSON") from error


def _spans_of(
    request: Mapping[str, list[Mapping[str, list[Mapping[str, list[Mapping[str, object]]]]]]],
) -> Iterator[Mapping[str, object]]:
    for resource in request.get("resourceSpans") or ():
        for scope in resource.get("scopeSpans") or ():
            yield from scope.get("spans") or ()


def _links(span: Mapping[str, object]) -> Iterator[SpanIds]:
    """Yield what a span is linked to, and what it is a child of."""
    links = span.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping):
            yield SpanIds(str(link.get("traceId")).lower(), str(link.get("spanId")).lower())
    yield SpanIds(str(span.get("traceId")).lower(), str(span.get("parentSpanId")).lower())


def _identity(text: str, size_bytes: int) -> str:
    return blake2b(text.encode(), digest_size=size_bytes).hexdigest()
