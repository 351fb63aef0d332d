"""Makes of the settings what delivers: a sink and its limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from logging_system.config.settings import Settings
from logging_system.delivery.machine import Limits
from logging_system.monitoring.events import Event
from logging_system.sinks import Sink

_OF_ELASTICSEARCH = (
    "ca_certs",
    "verify",
    "client_certificate",
    "client_key",
    "username",
    "password",
    "password_file",
    "api_key",
    "api_key_file",
    "gzip",
)


_QUEUE_SECONDS = 10.0


def sink_opener(settings: Settings, emit: Callable[[Event], None]) -> Callable[[], Sink]:
    """Load what the named store needs, and return what opens a sink; the store need not be up.

    Loading is apart from opening because a fork beside a thread that is loading leaves the child with half
    a module.

    Args:
        settings: The settings.
        emit: Told what happens in the sink.

    Returns:
        A function that raises ValueError where no store is named or what is said about it does not fit
        together, and OSError where a file that the sink needs cannot be read.
    """
    # Loaded here: an application that is shipped by a process of its own needs neither.
    if settings.file is not None:
        return _file_opener(settings, settings.file, redirected=False)
    from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

    open_store = partial(
        ElasticsearchSink,
        settings.elasticsearch,
        settings.stream_name,
        request_timeout_seconds=settings.request_timeout_seconds,
        connections=settings.connections,
        **_given(settings),
    )
    if settings.fallback_file is None:
        return open_store
    return _with_fallback(settings, open_store, settings.fallback_file, emit)


def _with_fallback(
    settings: Settings, open_store: Callable[[], Sink], path: Path, emit: Callable[[Event], None]
) -> Callable[[], Sink]:
    from logging_system.sinks.fallback import FallbackSink

    open_files = _file_opener(settings, path, redirected=True)
    return lambda: FallbackSink(
        open_store(), open_files(), path, after_seconds=settings.fallback_seconds, emit=emit
    )


def _file_opener(settings: Settings, path: Path, *, redirected: bool) -> Callable[[], Sink]:
    from logging_system.sinks.file import FileSink

    return partial(
        FileSink,
        path,
        rotate_bytes=settings.file_rotate_bytes,
        rotate_files=settings.file_rotate_files,
        redirected=redirected,
    )


def limits_of(settings: Settings) -> Limits:
    """Return the limits that the settings name; the others have their defaults."""
    # A look-up is two requests, and may have stood in the queue behind one that drips.
    longest_seconds = 2 * settings.request_timeout_seconds + _QUEUE_SECONDS
    return Limits(
        batch_records_max=settings.batch_records_max,
        batch_bytes_max=settings.batch_bytes_max,
        linger_seconds=settings.linger_seconds,
        concurrency=settings.connections,
        request_seconds_max=max(Limits().request_seconds_max, longest_seconds),
    )


def _given(settings: Settings) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in _OF_ELASTICSEARCH:
        value = getattr(settings, name)
        if value != Settings.model_fields[name].default:
            given[name] = value.get_secret_value() if isinstance(value, SecretStr) else value
    return given
