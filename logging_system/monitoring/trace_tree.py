"""Draws what the pipeline did to the records of a span: a tree for each trace, from a file of spans.

```
trace 0af7651916cd43dd8448eb211c80319c
└─ span b7ad6b7169203331, in which the records were logged
   ├─ spool append  09:41:00.125  3.1 ms  1 record
   └─ bulk          09:41:00.180  6.4 ms  1 record to logs-checkout-default, HTTP 200
      └─ index      09:41:00.182  4.0 ms
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

_MILLISECOND_NS = 1_000_000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A span of the pipeline as its file has it; times in ns since 1970.

    Attributes:
        links: Trace and span id of each span that records were logged in.
        attributes: As text.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    links: tuple[tuple[str, str], ...]
    attributes: Mapping[str, str]


def spans_of(lines: Iterable[bytes]) -> Iterator[Span]:
    """Yield the spans of OTLP's JSON, one request a line.

    Args:
        lines: The file's; a last one without its end is one that is being written, and is left out.

    Raises:
        ValueError: A line is something else; the message has its number.
    """
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return
        try:
            request = orjson.loads(line)
            yield from (
                _span(each)
                for resource_spans in request["resourceSpans"]
                for scope_spans in resource_spans["scopeSpans"]
                for each in scope_spans["spans"]
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"line {number} is no line of OTLP spans in JSON: {error!r}") from error


def trees(spans: Iterable[Span], trace_id: str = "") -> list[str]:
    """Return a tree for each trace that records belong to, the latest last.

    Args:
        spans: Of the pipeline.
        trace_id: Of the only trace that is wanted, in hexadecimal; empty for all.
    """
    steps: dict[str, dict[str, list[Span]]] = {}
    children: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda each: each.start_ns):
        if span.parent_id:
            children.setdefault(span.parent_id, []).append(span)
        for linked_trace, linked_span in span.links:
            if trace_id in ("", linked_trace):
                # Again at the end: the latest step says which trace is the latest.
                of_trace = steps.pop(linked_trace, {})
                of_trace.setdefault(linked_span, []).append(span)
                steps[linked_trace] = of_trace
    return ["\n".join(_tree(name, of_trace, children)) for name, of_trace in steps.items()]


def _tree(
    trace_id: str, of_trace: Mapping[str, list[Span]], children: Mapping[str, list[Span]]
) -> Iterator[str]:
    yield f"trace {trace_id}"
    for span_id, indent, branch in _branches(list(of_trace), ""):
        yield f"{branch}span {span_id}, in which records were logged"
        for step, inner_indent, inner_branch in _branches(of_trace[span_id], indent):
            yield _line(inner_branch, step)
            for child, _indent, child_branch in _branches(children.get(step.span_id, []), inner_indent):
                yield _line(child_branch, child)


def _branches(nodes: list[Any], indent: str) -> Iterator[tuple[Any, str, str]]:
    for place, node in enumerate(nodes, 1):
        is_last = place == len(nodes)
        yield node, indent + ("   " if is_last else "│  "), indent + ("└─ " if is_last else "├─ ")


def _line(branch: str, span: Span) -> str:
    seconds, rest_ns = divmod(span.start_ns, _SECOND_NS)
    clock = f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}.{rest_ns // _MILLISECOND_NS:03d}"
    took = f"{(span.end_ns - span.start_ns) / _MILLISECOND_NS:.1f} ms"
    return f"{branch + span.name:<24}{clock}  {took:>10}  {_told(span.attributes)}".rstrip()


def _told(attributes: Mapping[str, str]) -> str:
    told: list[str] = []
    if records := attributes.get("logging_system.records"):
        told.append(f"{records} record{'' if records == '1' else 's'}")
        if stream := attributes.get("db.collection.name"):
            told[-1] += f" to {stream}"
    if status := attributes.get("http.response.status_code"):
        told.append(f"HTTP {status}")
    if (trouble := attributes.get("error.type")) and not trouble.startswith("HTTP "):
        told.append(trouble)
    return ", ".join(told)


def _span(content: Mapping[str, Any]) -> Span:
    links = tuple((link["traceId"], link["spanId"]) for link in content.get("links", ()))
    attributes = {each["key"]: str(next(iter(each["value"].values()), "")) for each in content["attributes"]}
    return Span(
        trace_id=content["traceId"],
        span_id=content["spanId"],
        parent_id=content.get("parentSpanId", ""),
        name=content["name"],
        start_ns=int(content["startTimeUnixNano"]),
        end_ns=int(content["endTimeUnixNano"]),
        links=links,
        attributes=attributes,
    )
