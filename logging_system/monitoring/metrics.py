"""Every metric there is, declared once: Prometheus, OpenTelemetry and the reference page are made of this.

To add one, write its number into a status file and declare it here under the same name. OpenTelemetry's own
names and values of `error.type` are from https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/: a
handler is what they call a processor, `ship` an exporter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from logging_system.monitoring.event_words import DROP_REASONS

Kind = Literal["counter", "gauge", "histogram"]
Subject = Literal["handlers", "gateway", "shipper", "spool", "watch"]

PREFIX = "logging_system"
ERROR_TYPE = "error.type"
ERROR_TYPES: Mapping[str, str] = {"closed": "already_shutdown"}
"""Reasons of ours that the conventions call otherwise; `queue_full` they call so too."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What a metric is in OpenTelemetry's own conventions.

    Attributes:
        name: The instrument, which several of our metrics may share.
        error_type: The `error.type` that this one is; empty where it is no failure.
    """

    name: str
    error_type: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Its name in a status file; on a page of Prometheus a prefix comes before it.
        kind: A counter only rises while its process lives, and those that survive a restart beyond it.
        unit: What it counts.
        meaning: One sentence, for people.
        label: What its values are told apart by; empty where there is one value.
        convention: What OpenTelemetry's own conventions call it; None where they have nothing like it.
        known: Values of `label` that are shown as 0 before they happen: Prometheus sees no rise in a series
            that begins with its first event.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    label: str = ""
    convention: Convention | None = None
    known: tuple[str, ...] = field(default=(), kw_only=True)

    def prometheus_name(self, subject: Subject) -> str:
        """Return the name of its family on a page; samples of a counter end in `_total` besides.

        Args:
            subject: What the page tells of; part of the name.
        """
        return f"{PREFIX}_{subject}_{self.name}"

    def opentelemetry_name(self, subject: Subject) -> str:
        """Return the name of its instrument; a histogram is three, see `_otel_metrics.py`.

        Args:
            subject: What it tells of; part of the name, unless the semantic conventions name the instrument.
        """
        if self.convention is not None:
            return self.convention.name
        return f"{PREFIX}.{subject}.{self.name.removesuffix('_seconds').removesuffix('_bytes')}"

    @property
    def ucum_unit(self) -> str:
        """Return its unit as OpenTelemetry writes it: https://ucum.org/ucum."""
        return _UCUM.get(self.unit) or (f"{{{self.unit.removesuffix('s')}}}" if self.unit else "1")


_UCUM = {"records": "{log_record}", "seconds": "s", "bytes": "By", "batches": "{batch}"}
_SDK = "otel.sdk"
_PROCESSED = f"{_SDK}.processor.log.processed"
_EXPORTED = f"{_SDK}.exporter.log.exported"

_BALANCED = (
    Metric("balanced", "gauge", "", "1 while the equation of this table holds."),
    Metric(
        "surfaces_agree",
        "gauge",
        "",
        "1 while the counters agree with what was counted separately, see above.",
    ),
)

HANDLERS = (
    Metric(
        "offered",
        "counter",
        "records",
        "Log calls that passed level and filters; at a gateway, records of requests.",
        convention=Convention(f"{_SDK}.log.created"),
    ),
    Metric(
        "queued",
        "gauge",
        "records",
        "Records in the queue or held by the worker; of processes that were heard of in the last 65 seconds.",
        convention=Convention(f"{_SDK}.processor.log.queue.size"),
    ),
    Metric(
        "dropped",
        "counter",
        "records",
        "Records dropped, by reason, see below.",
        "reason",
        Convention(_PROCESSED),
        known=tuple(DROP_REASONS),
    ),
    Metric("admitted", "counter", "records", "Records written to the spool.", "", Convention(_PROCESSED)),
    Metric(
        "unsettled",
        "gauge",
        "records",
        "Records queued where a process was killed, when it was last heard of: in the spool or lost.",
    ),
    Metric(
        "acknowledged_lost",
        "counter",
        "records",
        "Dropped records that had been acknowledged at `memory`; 0 unless a process ended before it could "
        "store them, or a processor dropped them.",
    ),
    Metric("callback_errors", "counter", "errors", "Exceptions raised by `on_durable`."),
    Metric("spool_errors", "counter", "errors", "Failed attempts to write, by errno name.", "error"),
    Metric(
        "logged_to_durable_seconds",
        "histogram",
        "seconds",
        "From the log call until the record was as durable as promised; at a gateway, from when its request "
        "was taken on.",
    ),
    Metric("events", "counter", "events", "What happened inside, by kind, see logging-events.md.", "kind"),
    Metric("handlers", "counter", "processes", "Handlers and gateways that ended."),
    Metric(
        "unclean_exits", "counter", "processes", "Handlers and gateways that ended without closing: killed."
    ),
    Metric("unreadable", "counter", "files", "Status files that could not be read."),
    Metric("files", "gauge", "files", "Status files that were summed up."),
    Metric(
        "queue_records_max",
        "gauge",
        "records",
        "What the queues of living handlers hold at most.",
        convention=Convention(f"{_SDK}.processor.log.queue.capacity"),
    ),
    *_BALANCED,
)

SHIPPER = (
    Metric("admitted", "counter", "records", "Records read from the spool, or known to have been in it."),
    Metric(
        "spooled",
        "gauge",
        "records",
        "Admitted records without a final outcome yet.",
        convention=Convention(f"{_SDK}.exporter.log.inflight"),
    ),
    Metric("delivered", "counter", "records", "In the store, conflicts included.", "", Convention(_EXPORTED)),
    Metric(
        "dead_lettered",
        "counter",
        "records",
        "Durable in the dead letters.",
        "",
        Convention(_EXPORTED, "rejected"),
    ),
    Metric(
        "redirected",
        "counter",
        "records",
        "Taken by the store's failure store, or written to `fallback_file`.",
        "",
        Convention(_EXPORTED, "redirected"),
    ),
    Metric(
        "corrupted",
        "counter",
        "records",
        "Destroyed in the spool.",
        "",
        Convention(_EXPORTED, "corrupted"),
    ),
    Metric(
        "evicted",
        "counter",
        "records",
        "Deleted before delivery by `retention_seconds` or `retention_bytes`: acknowledged loss that was "
        "configured.",
        "",
        Convention(_EXPORTED, "evicted"),
    ),
    Metric("conflicts", "counter", "records", "Deliveries of documents that the store already had."),
    Metric(
        "logged_to_searchable_seconds",
        "histogram",
        "seconds",
        "From the log call until the store finds the record, at the latest; records delivered by this "
        "process or one before it.",
    ),
    Metric(
        "oldest_undelivered_age_seconds",
        "gauge",
        "seconds",
        "Age of the oldest record that is not delivered; 0 where there is none.",
    ),
    Metric(
        "status_age_seconds",
        "gauge",
        "seconds",
        "How long ago the shipper wrote its counters, which it does every second.",
    ),
    Metric("requests", "counter", "requests", "Bulk requests sent."),
    Metric(
        "unproved_answers",
        "counter",
        "requests",
        "Requests whose outcome is unknown: no answer, or an invalid one.",
    ),
    Metric("retried_items", "counter", "records", "Documents that the store rejected temporarily."),
    Metric("refused_requests", "counter", "requests", "Requests refused as a whole."),
    Metric(
        "look_ups",
        "counter",
        "requests",
        "Requests that asked whether documents are stored, after their answer was lost and before sending "
        "them again.",
    ),
    Metric("found_by_look_up", "counter", "records", "Documents found that way."),
    Metric(
        "skipped_look_ups",
        "counter",
        "requests",
        "Look-ups that were not possible; the documents were sent again without one.",
    ),
    Metric("expired_requests", "counter", "requests", "Requests without an answer for too long."),
    Metric("late_answers", "counter", "requests", "Answers that came after their request had expired."),
    Metric(
        "breaker_opened",
        "counter",
        "times",
        "How often the circuit breaker opened because the store was unavailable.",
    ),
    Metric("breaker_open", "gauge", "", "1 while the circuit breaker is not closed."),
    Metric("waiting_batches", "gauge", "batches", "Batches that wait to be sent again."),
    Metric("concurrency_limit", "gauge", "requests", "Current maximum of concurrent requests."),
    Metric("in_flight_requests", "gauge", "requests", "Requests in flight."),
    Metric("store_ready", "gauge", "", "1 when the store was prepared."),
    Metric(
        "events",
        "counter",
        "events",
        "What happened inside since the shipper's start, by kind, see logging-events.md.",
        "kind",
    ),
    Metric(
        "corrupted_records",
        "counter",
        "records",
        "Records known to have been in the spool and destroyed there.",
    ),
    Metric("corrupted_blocks", "counter", "blocks", "Places where damaged bytes were skipped."),
    Metric("evicted_records", "counter", "records", "The same as `evicted`."),
    Metric(
        "newer_epochs",
        "gauge",
        "writers",
        "Writers whose segments only a newer version can read; they are left as they are.",
    ),
    Metric(
        "unavailable_epochs",
        "gauge",
        "writers",
        "Writers whose next block needs a key or a codec that is not available; the block and those after it "
        "wait and are tried again. `unavailable` in the status file says what they need.",
    ),
    Metric("unreadable", "counter", "attempts", "Failed attempts to read a segment."),
    Metric(
        "torn_tails",
        "counter",
        "blocks",
        "Unfinished blocks at the end of a dead writer's last segment; their records were never "
        "acknowledged.",
    ),
    Metric("unclean_exits", "counter", "writers", "Writers that died without sealing their segment."),
    Metric(
        "checkpoint_lost",
        "counter",
        "times",
        "1 after a start without a readable checkpoint; everything is delivered again, under the same ids.",
    ),
    *_BALANCED,
)

SPOOL = (
    Metric("bytes", "gauge", "bytes", "What the segments of all writers take on disk."),
    Metric(
        "bytes_max",
        "gauge",
        "bytes",
        "The smallest `spool_bytes_max` of living writers; missing where none lives.",
    ),
)

WATCH = (
    Metric(
        "lag_seconds",
        "gauge",
        "seconds",
        "How long the oldest record that `watch` has not read has waited; 0 where it has read all.",
    ),
    Metric("behind", "gauge", "", "1 while it is behind, and detection reads a sample."),
    Metric("read_records", "counter", "records", "Records it has read."),
    Metric("missed_records", "counter", "records", "Records that were gone before it could read them."),
    Metric(
        "unexamined_records",
        "counter",
        "records",
        "Records below error that rules have read and detection left out, while it was behind.",
    ),
    Metric(
        "events",
        "counter",
        "events",
        "What happened inside since its start, by kind, see logging-events.md.",
        "kind",
    ),
)

METRICS: Mapping[Subject, tuple[Metric, ...]] = {
    "handlers": HANDLERS,
    "gateway": HANDLERS,
    "shipper": SHIPPER,
    "spool": SPOOL,
    "watch": WATCH,
}
