"""Makes of the settings what delivers: a sink and its limits."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from logging_system.delivery.machine import Limits
from logging_system.settings import Settings
from logging_system.sinks import Sink

_OF_ELASTICSEARCH = (
    "ca_certs",
    "verify",
    "username",
    "password",
    "password_file",
    "api_key",
    "api_key_file",
    "gzip",
)


def open_sink(settings: Settings) -> Sink:
    """Return the sink that the settings name; the store need not be up.

    Raises:
        ValueError: No store is named, or what is said about it does not fit together.
        OSError: A file that the sink needs cannot be read.
    """
    # Imported here: an application whose sender is a process of its own needs neither.
    if settings.file is not None:
        from logging_system.sinks.file import FileSink  # type: ignore[import-not-found,unused-ignore]

        file_sink: Sink = FileSink(
            settings.file, rotate_bytes=settings.file_rotate_bytes, rotate_files=settings.file_rotate_files
        )
        return file_sink
    if not settings.elasticsearch:
        raise ValueError("no store is named; set elasticsearch, or file")
    from logging_system.sinks.elasticsearch import ElasticsearchSink

    return ElasticsearchSink(
        settings.elasticsearch,
        settings.stream_name,
        request_timeout_seconds=settings.request_timeout_seconds,
        connections=settings.connections,
        **_given(settings),
    )


def limits_of(settings: Settings) -> Limits:
    """Return the limits that the settings name; the others have their defaults."""
    return Limits(
        batch_records_max=settings.batch_records_max,
        batch_bytes_max=settings.batch_bytes_max,
        linger_seconds=settings.linger_seconds,
        concurrency=settings.connections,
    )


def _given(settings: Settings) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in _OF_ELASTICSEARCH:
        value = getattr(settings, name)
        if value != Settings.model_fields[name].default:
            given[name] = value.get_secret_value() if isinstance(value, SecretStr) else value
    return given
