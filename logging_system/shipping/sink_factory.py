"""Makes of the settings what delivers: a sink and its limits. A further sink is one more line of `SINKS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from logging_system.config.encryption import UNPROTECTED, Protection
from logging_system.config.settings import Settings
from logging_system.delivery.machine import Limits
from logging_system.monitoring.events import Event
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.records.namespaces import stream_of
from logging_system.sinks import Sink

if TYPE_CHECKING:
    from logging_system.encryption.encryption import Encryption

_QUEUE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SinkKind:
    """A sink that settings can name.

    Attributes:
        setting: The setting that names its store: with a value, this sink is the one.
        module: Where its class is; loaded only when it is used.
        class_name: The class, which fits `Sink`.
        arguments: The setting of each of its constructor's parameters that differ in name from theirs.
        same: Settings that have the name of a parameter.
        tells: Whether the constructor takes `emit`, to tell what an operator should know, and `tracing`.
        searchable_after_seconds: How long the store takes at most to find what it has stored.
    """

    setting: str
    module: str
    class_name: str
    arguments: Mapping[str, str]
    same: tuple[str, ...] = ()
    tells: bool = False
    searchable_after_seconds: float = 0.0

    @property
    def parameters(self) -> dict[str, str]:
        """Return the setting of each parameter of the constructor."""
        return {**self.arguments, **{name: name for name in self.same}}

    def opener(self, settings: Settings, **others: Any) -> Callable[[], Sink]:
        """Load the sink's class, and return what makes one of these settings.

        Args:
            settings: The settings. What they do not name has the default of the constructor.
            others: Further arguments, which go before the settings.
        """
        sink = getattr(import_module(self.module), self.class_name)
        given = {name: _given(settings, setting) for name, setting in self.parameters.items()}
        named = {name: value for name, value in given.items() if value is not None}
        return partial(sink, **{**named, **others})


FILE = SinkKind(
    "file",
    "logging_system.sinks.file",
    "FileSink",
    {"path": "file", "rotate_bytes": "file_rotate_bytes", "rotate_files": "file_rotate_files"},
)
ELASTICSEARCH = SinkKind(
    "elasticsearch",
    "logging_system.sinks.elasticsearch.sink",
    "ElasticsearchSink",
    {"urls": "elasticsearch", "stream": "stream_name"},
    (
        "request_timeout_seconds",
        "connections",
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
    ),
    tells=True,
    searchable_after_seconds=1.0,  # its default `index.refresh_interval`
)
SINKS = (FILE, ELASTICSEARCH)
"""In this order: the first whose setting has a value is used, and the last where none has."""


def sink_opener(
    settings: Settings,
    emit: Callable[[Event], None],
    *,
    protection: Protection = UNPROTECTED,
    tracing: Tracing = NO_TRACING,
) -> Callable[[], Sink]:
    """Load what the named store needs, and return what opens a sink; the store need not be up.

    Loading is apart from opening because a fork beside a thread that is loading leaves the child with half
    a module.

    Args:
        settings: The settings.
        emit: Told what happens in the sink.
        protection: What seals the fallback file, and whose wrapped data keys go to the store; documents go
            there as they are.
        tracing: Makes spans of requests to the store.

    Returns:
        A function that raises ValueError where no store is named or what is said about it does not fit
        together, and OSError where a file that the sink needs cannot be read.
    """
    kind = _kind(settings)
    told = {"emit": emit, "tracing": tracing} if kind.tells else {}
    open_store = kind.opener(settings, **told)
    if kind is ELASTICSEARCH and settings.namespaces:
        open_store = _by_namespace(settings, told)
    if kind is ELASTICSEARCH and protection.encryption is not None and protection.key_index:
        open_store = _publishing(open_store, protection.encryption, protection.key_index, settings, emit)
    if kind is FILE or settings.fallback_file is None:
        return open_store
    # Loaded here: an application that is shipped by a process of its own needs neither.
    from logging_system.sinks.fallback import FallbackSink

    path, after_seconds = settings.fallback_file, settings.fallback_seconds
    open_files = FILE.opener(settings, path=path, redirected=True, lines=protection.lines)
    return lambda: FallbackSink(open_store(), open_files(), path, after_seconds=after_seconds, emit=emit)


def searchable_after_seconds(settings: Settings) -> float:
    """Return how long the named store takes at most to find what it has stored, in seconds.

    Args:
        settings: Those of the shipper, which name the store.
    """
    return _kind(settings).searchable_after_seconds


def _kind(settings: Settings) -> SinkKind:
    return next((each for each in SINKS if getattr(settings, each.setting)), SINKS[-1])


def _by_namespace(settings: Settings, told: Mapping[str, Any]) -> Callable[[], Any]:
    """Return what opens a sink for each namespace, behind one that shares documents out."""
    from logging_system.sinks.namespaced import NamespacedSink

    streams = {name: stream_of(settings.service_name, name) for name in settings.namespaces}
    # The default one has the stream of the settings, whatever that is called.
    streams[settings.namespace] = settings.stream_name
    openers = {
        name: ELASTICSEARCH.opener(
            settings, stream=stream, retention=settings.namespaces.get(name, ""), **told
        )
        for name, stream in streams.items()
    }

    return lambda: NamespacedSink({name: opened() for name, opened in openers.items()}, settings.namespace)


def _publishing(
    open_store: Callable[[], Any],
    encryption: Encryption,
    key_index: str,
    settings: Settings,
    emit: Callable[[Event], None],
) -> Callable[[], Sink]:
    from logging_system.keys.keyring import KeyringFile
    from logging_system.sinks.elasticsearch.key_index import KeyIndex
    from logging_system.sinks.key_publishing import KeyPublishingSink

    def opened() -> Sink:
        store = open_store()
        index = KeyIndex(store.request, key_index)
        keyring = KeyringFile(encryption.keyring.folder)
        return KeyPublishingSink(
            store, index, encryption.data_keys, keyring, stream=settings.stream_name, emit=emit
        )

    return opened


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


def _given(settings: Settings, name: str) -> Any:
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else value
