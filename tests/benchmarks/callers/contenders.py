"""The ways to log that are compared: how each is set up, ended, and asked what it dropped."""

from __future__ import annotations

import atexit
import logging
import logging.handlers
import queue
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

BASE = "NullHandler"
QUEUE_RECORDS_MAX = 10_000
STDERR_NAME = "stderr"

LogCall = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contender may send and write.

    Attributes:
        host: Of its store.
        port: Of its store.
        folder: A folder of its own; what it prints to stderr is there in a file.
        stream: The data stream it may fill, where its store has such.
    """

    host: str
    port: int
    folder: Path
    stream: str

    @property
    def url(self) -> str:
        """The store's address for those that speak HTTP."""
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Logging:
    """One way to log, set up.

    Attributes:
        log: Logs one line with five fields; its argument is one of them, and unlike any other call's.
        end: Ends it as its documentation says.
        counted: How many records it says it gave up; None where nothing of it can be asked.
    """

    log: LogCall
    end: Callable[[], None]
    counted: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to log, and how it is run.

    Attributes:
        set_up: Makes it ready.
        wire: What it speaks to its store: "tcp", "otlp" or "store"; empty where it writes a file, or nothing.
        file_name: The file that it writes instead.
        keeps: What later takes to the store what it left on disk: "ship", or "itself" when it is started
            again; empty where it leaves nothing.
        left: How many records its folder still holds for later.
        beside: Whether a `ship` process runs beside it.
        seldom: Whether its end keeps the disk busy for long: it runs once, after all others, its store dead.
    """

    set_up: Callable[[Place], Logging]
    wire: str = ""
    file_name: str = ""
    keeps: str = ""
    left: Callable[[Path], int] = lambda _folder: 0
    beside: bool = False
    seldom: bool = False


def null(_place: Place) -> Logging:
    """The standard library alone: what every figure is compared with."""
    handler = logging.NullHandler()
    return Logging(_through(handler), lambda: _LOGGER.removeHandler(handler))


def queue_json(place: Place) -> Logging:
    """QueueHandler without a bound, and a QueueListener that writes JSON to a file."""
    return _queued(place, 0)


def bounded_queue_json(place: Place) -> Logging:
    """The same with a bound; a record that finds it full is a traceback on stderr, which can be counted."""
    logging_ = _queued(place, QUEUE_RECORDS_MAX)

    def counted() -> int:
        return (place.folder / STDERR_NAME).read_text().count("\nqueue.Full")

    return Logging(logging_.log, logging_.end, counted)


def structlog_json(place: Place) -> Logging:
    """Structlog, which writes JSON to a file on the caller's thread."""
    import orjson
    import structlog

    file = (place.folder / "structlog.ndjson").open("ab")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=file),
        cache_logger_on_first_use=True,
    )
    logger = structlog.get_logger()

    def log(number: int) -> None:
        logger.info("payment accepted", order=number, **_EXTRA)

    return Logging(log, file.close)


def logstash(place: Place) -> Logging:
    """python-logstash-async over TCP, events in memory; it counts nothing."""
    return _logstash(place, None)


def logstash_sqlite(place: Place) -> Logging:
    """The same with the SQLite database that its documentation begins with."""
    return _logstash(place, str(place.folder / "events.db"))


def otel_batch(place: Place) -> Logging:
    """OpenTelemetry's batch processor with the OTLP/HTTP exporter, all defaults but its own metrics."""
    import os

    from opentelemetry.sdk.environment_variables import OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED

    os.environ[OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED] = "true"
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

    reader = InMemoryMetricReader()
    meters = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    provider = LoggerProvider(shutdown_on_exit=False)
    exporter = OTLPLogExporter(f"{place.url}/v1/logs", meter_provider=meters)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, meter_provider=meters))

    def counted() -> int:
        data = reader.get_metrics_data()
        points = [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name in _OTEL_COUNTERS
            for point in metric.data.data_points
        ]
        return sum(
            int(point.value)
            for point in points
            if isinstance(point, NumberDataPoint) and "error.type" in (point.attributes or {})
        )

    return Logging(_through(LoggingHandler(logger_provider=provider)), provider.shutdown, counted)


def ours(place: Place) -> Logging:
    """This project's handler, durability fsync; a `ship` process beside it."""
    from logging_system.handler.handler import SpoolHandler

    return _ours(SpoolHandler(spool=place.folder / "spool", service="benchmark"))


def ours_in_process(place: Place) -> Logging:
    """This project with its sender as a thread of the application."""
    from logging_system.installation import installed_handler

    return _ours(
        installed_handler(
            elasticsearch=place.url, service="benchmark", spool=place.folder / "spool", stream=place.stream
        )
    )


def _in_spool(folder: Path) -> int:
    from logging_system.spool.inspection import inspect

    return inspect(folder / "spool").undelivered


def _in_database(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "events.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM event WHERE pending_delete = 0").fetchone()
    return int(count)


CONTENDERS: dict[str, Contender] = {
    BASE: Contender(null),
    "QueueHandler + JSON file": Contender(queue_json, file_name="queue.ndjson"),
    "QueueHandler, 10,000 at most": Contender(bounded_queue_json, file_name="queue.ndjson"),
    "structlog + JSON file": Contender(structlog_json, file_name="structlog.ndjson"),
    "python-logstash-async": Contender(logstash, "tcp"),
    "python-logstash-async, SQLite": Contender(
        logstash_sqlite, "tcp", keeps="itself", left=_in_database, seldom=True
    ),
    "OpenTelemetry batch": Contender(otel_batch, "otlp"),
    "logging_system, ship beside it": Contender(ours, "store", keeps="ship", left=_in_spool, beside=True),
    "logging_system, in one process": Contender(ours_in_process, "store", keeps="ship", left=_in_spool),
}
PACKAGES: Sequence[str] = ("structlog", "python-logstash-async", "opentelemetry-sdk", "orjson")

_LOGGER = logging.getLogger("benchmark")
_EXTRA = {"customer": "c-1042", "amount": 129.5, "currency": "EUR", "retry": False}
_FIELDS = frozenset({"order", *_EXTRA})
_END_SECONDS = 30.0
_OTEL_COUNTERS = frozenset({"otel.sdk.processor.log.processed", "otel.sdk.exporter.log.exported"})


def _queued(place: Place, records_max: int) -> Logging:
    import json

    class Json(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            fields = {key: value for key, value in record.__dict__.items() if key in _FIELDS}
            return json.dumps({"message": record.getMessage(), "level": record.levelname, **fields})

    class Listener(logging.handlers.QueueListener):
        def enqueue_sentinel(self) -> None:
            # A full queue raises in the standard library's own; whoever ends what is full waits for room.
            records.put(None, timeout=_END_SECONDS)

    records: queue.Queue[logging.LogRecord | None] = queue.Queue(records_max)
    file = logging.FileHandler(place.folder / "queue.ndjson")
    file.setFormatter(Json())
    listener = Listener(records, file)
    listener.start()
    return Logging(_through(logging.handlers.QueueHandler(records)), listener.stop)


def _logstash(place: Place, database: str | None) -> Logging:
    from logstash_async.handler import AsynchronousLogstashHandler

    handler = AsynchronousLogstashHandler(place.host, place.port, database_path=database)
    return Logging(_through(handler), handler.close)


def _ours(handler: logging.Handler) -> Logging:
    from logging_system.handler.handler import SpoolHandler

    assert isinstance(handler, SpoolHandler)
    atexit.unregister(handler.close)
    return Logging(_through(handler), handler.close, lambda: sum(handler.stats().dropped.values()))


def _through(handler: logging.Handler) -> LogCall:
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    _LOGGER.addHandler(handler)
    return _log


def _log(number: int) -> None:
    _LOGGER.info("payment accepted", extra={"order": number, **_EXTRA})
