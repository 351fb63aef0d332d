"""Which handler classes are known, by their dotted name, and what sort of outlet each is."""

from __future__ import annotations

from collections.abc import Mapping

from harness.onboarding.seen import Kind

_TO_OVERRIDE = frozenset({"emit", "enqueue", "flush", "handle"})
BASES: Mapping[str, frozenset[str]] = {
    "logging.Handler": frozenset(),
    "logging.handlers.DatagramHandler": frozenset(),
    "logging.handlers.HTTPHandler": frozenset(),
    "logging.handlers.SMTPHandler": frozenset(),
    "logging.handlers.SocketHandler": frozenset(),
    "logging.handlers.BaseRotatingHandler": frozenset(),
    "logging.handlers.BufferingHandler": _TO_OVERRIDE,
    "logging.handlers.MemoryHandler": _TO_OVERRIDE,
    "logging.handlers.QueueHandler": _TO_OVERRIDE,
}
"""What a class of a project builds on that sends by itself, and of which methods it must then have one.

The last ones pass on what they get, unless one of these is written anew.
"""

_FILES = (
    "logging.FileHandler",
    "logging.handlers.RotatingFileHandler",
    "logging.handlers.TimedRotatingFileHandler",
    "logging.handlers.WatchedFileHandler",
    "concurrent_log_handler.ConcurrentRotatingFileHandler",
)
_LOGSTASH = (
    "logstash_async.handler.AsynchronousLogstashHandler",
    "logstash_async.handler.SynchronousLogstashHandler",
    "logstash.LogstashHandler",
    "logstash.TCPLogstashHandler",
    "logstash.UDPLogstashHandler",
)
_OPENTELEMETRY = (
    "opentelemetry.sdk._logs.LoggingHandler",
    "opentelemetry.instrumentation.logging.handler.LoggingHandler",
)
_ELASTICSEARCH = ("cmreslogging.handlers.CMRESHandler",)
_STREAMS = ("logging.StreamHandler", "rich.logging.RichHandler", "colorlog.StreamHandler")
_OWN_SYSTEM = ("logging_system.install", "logging_system.installed_handler")

KNOWN: Mapping[str, Kind] = {
    **dict.fromkeys(_OWN_SYSTEM, Kind.LOGGING_SYSTEM),
    **dict.fromkeys(_FILES, Kind.FILE),
    **dict.fromkeys(_LOGSTASH, Kind.LOGSTASH),
    **dict.fromkeys(_OPENTELEMETRY, Kind.OPENTELEMETRY),
    **dict.fromkeys(_ELASTICSEARCH, Kind.ELASTICSEARCH),
    "logging.handlers.SysLogHandler": Kind.SYSLOG,
    **dict.fromkeys(_STREAMS, Kind.STREAM),
}

PASS_ON = {"logging.NullHandler", "logging.handlers.QueueHandler", "logging.handlers.MemoryHandler"}
"""They keep nothing themselves; what they pass records to is an outlet of its own."""

POSITIONAL: Mapping[str, tuple[str, ...]] = {
    "logging_system.install": ("elasticsearch",),
    "logging.FileHandler": ("filename", "mode", "encoding", "delay"),
    "logging.handlers.RotatingFileHandler": ("filename", "mode", "maxBytes", "backupCount", "encoding"),
    "logging.handlers.TimedRotatingFileHandler": ("filename", "when", "interval", "backupCount", "encoding"),
    "logging.handlers.WatchedFileHandler": ("filename", "mode", "encoding"),
    "logging.handlers.SysLogHandler": ("address", "facility"),
    "logging.handlers.HTTPHandler": ("host", "url", "method", "secure"),
    "logging.handlers.SocketHandler": ("host", "port"),
    "logging.handlers.DatagramHandler": ("host", "port"),
    "logging.handlers.BufferingHandler": ("capacity",),
    "logging.handlers.MemoryHandler": ("capacity", "flushLevel", "target", "flushOnClose"),
    "logging.handlers.QueueHandler": ("queue",),
    **dict.fromkeys(_LOGSTASH[:2], ("host", "port", "database_path")),
    **dict.fromkeys(_LOGSTASH[2:], ("host", "port")),
}
"""The names of arguments that may be given by place, of classes that are not part of the project."""


def class_path(dotted: str) -> str:
    """Return `package.module:Class` for a dotted name.

    Args:
        dotted: e.g. `logging.handlers.RotatingFileHandler`.
    """
    module, _, name = dotted.rpartition(".")
    return f"{module}:{name}"
