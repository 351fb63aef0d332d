"""The tables of docs/reference/logging-metrics.md, from the declarations of the metrics."""

from __future__ import annotations

from collections.abc import Iterator

from logging_system.monitoring.delays import BOUNDS_SECONDS
from logging_system.monitoring.metrics import ERROR_TYPE, METRICS, Metric, Subject

_HEAD = "| metric | type | unit | meaning | in OpenTelemetry |\n| --- | --- | --- | --- | --- |\n"
_SECTIONS: tuple[tuple[Subject, str, str], ...] = (
    (
        "handlers",
        "Handlers and gateways",
        "With the prefix `logging_system_handlers_`, summed over all of a folder; on a gateway's own page "
        "with the prefix `logging_system_gateway_`.\n\n`offered = queued + dropped + admitted + unsettled`",
    ),
    (
        "shipper",
        "Shipper",
        "With the prefix `logging_system_shipper_`. The equation's counters and "
        "`logged_to_searchable_seconds` continue across restarts.\n\n"
        "`admitted = spooled + delivered + dead_lettered + redirected + corrupted + evicted`",
    ),
    ("spool", "The spool folder", "With the prefix `logging_system_spool_`."),
    ("watch", "Watch", "With the prefix `logging_system_watch_`, where `watch` reads the folder."),
)


def tables() -> str:
    """Return one section for each prefix, in Markdown."""
    return "\n".join(_sections())


def _sections() -> Iterator[str]:
    for subject, title, words in _SECTIONS:
        rows = "".join(_row(subject, metric) for metric in METRICS[subject])
        yield f"## {title}\n\n{words}\n\n{_HEAD}{rows}"
    bounds = ", ".join(f"{bound:g}" for bound in BOUNDS_SECONDS)
    yield f"## Buckets\n\nOf both histograms, in seconds: {bounds}, and one without a bound.\n"


def _row(subject: Subject, metric: Metric) -> str:
    kind = f"{metric.kind}, by `{metric.label}`" if metric.label else metric.kind
    cells = (f"`{metric.name}`", kind, metric.unit, metric.meaning, _opentelemetry(subject, metric))
    return "".join(f"| {cell} " for cell in cells) + "|\n"


def _opentelemetry(subject: Subject, metric: Metric) -> str:
    name = f"`{metric.opentelemetry_name(subject)}`"
    if metric.convention is None:
        return f"`{metric.opentelemetry_name(subject)}.bucket`, …" if metric.kind == "histogram" else name
    if metric.convention.error_type:
        return f"{name}, `{ERROR_TYPE}` `{metric.convention.error_type}`"
    return f"{name}, `{ERROR_TYPE}` is the {metric.label}" if metric.label else name
