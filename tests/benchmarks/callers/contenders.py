"""The ways to log that are compared: each makes a function that logs one line, and one that ends it."""

from __future__ import annotations

import atexit
import logging
import logging.handlers
import queue
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Log = Callable[[int], None]
End = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contender may send and write.

    Attributes:
        host: Of its store.
        port: Of its store.
        folder: A folder of its own.
    """

    host: str
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """The store's address for those that speak HTTP."""
        return f"http://{self.host}:{self.port}"


def null(_place: Place) -> tuple[Log, End]:
    """The standard library alone: what every figure is compared with."""
    return _through(logging.NullHandler()), _nothing


def queue_json(place: Place) -> tuple[Log, End]:
    """QueueHandler, and a QueueListener that writes JSON to a file."""
    import json

    class Json(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            fields = {key: value for key, value in record.__dict__.items() if key in _FIELDS}
            return json.dumps({"message": record.getMessage(), "level": record.levelname, **fields})

    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    file = logging.FileHandler(place.folder / "queue.ndjson")
    file.setFormatter(Json())
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return _through(logging.handlers.QueueHandler(records)), listener.stop  # type: ignore[arg-type]


def structlog_json(place: Place) -> tuple[Log, End]:
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

    return log, file.close


def logstash(place: Place) -> tuple[Log, End]:
    """python-logstash-async over TCP, events in memory, as its documentation begins."""
    from logstash_async.handler import AsynchronousLogstashHandler

    handler = AsynchronousLogstashHandler(place.host, place.port, database_path=None)
    return _through(handler), handler.close


def otel_batch(place: Place) -> tuple[Log, End]:
    """OpenTelemetry's batch processor with the OTLP/HTTP exporter, all defaults."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{place.url}/v1/logs")))
    return _through(LoggingHandler(logger_provider=provider)), provider.shutdown


def ours(place: Place) -> tuple[Log, End]:
    """This project's handler, durability fsync; a `ship` process beside it."""
    from logging_system.handler import SpoolHandler

    handler = SpoolHandler(spool=place.folder / "spool", service="benchmark")
    atexit.unregister(handler.close)
    return _through(handler), handler.close


def ours_in_process(place: Place) -> tuple[Log, End]:
    """This project with its sender as a thread of the application."""
    import logging_system

    installed = logging_system.install(
        place.url, service="benchmark", spool=place.folder / "spool", stream="logs-benchmark", logger=_LOGGER
    )
    return _log, installed.close


CONTENDERS: dict[str, Callable[[Place], tuple[Log, End]]] = {
    "NullHandler": null,
    "QueueHandler + JSON file": queue_json,
    "structlog + JSON file": structlog_json,
    "python-logstash-async": logstash,
    "OpenTelemetry batch": otel_batch,
    "logging_system, ship beside it": ours,
    "logging_system, in one process": ours_in_process,
}

_LOGGER = logging.getLogger("benchmark")
_EXTRA = {"customer": "c-1042", "amount": 129.5, "currency": "EUR", "retry": False}
_FIELDS = frozenset({"order", *_EXTRA})


def _through(handler: logging.Handler) -> Log:
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    _LOGGER.addHandler(handler)
    return _log


def _log(number: int) -> None:
    _LOGGER.info("payment accepted", extra={"order": number, **_EXTRA})


def _nothing() -> None:
    return
