"""The store that `decrypt` and `keys` ask, and its key index, as flags and settings name them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging_system.config.loading import Loaded
    from logging_system.sinks.elasticsearch.key_index import KeyIndex
    from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

_GIVEN = ("settings", "elasticsearch", "encryption", "spool", "service")
_READ = "settings_read"


def add_store_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which store and which key index are meant."""
    parser.add_argument("--elasticsearch", metavar="URL", help="the node to ask; or as in --settings")
    parser.add_argument(
        "--key-index", metavar="NAME", help="the index of wrapped data keys. Default: that of `encryption`"
    )


@contextmanager
def asked_store(options: argparse.Namespace) -> Iterator[ElasticsearchSink]:
    """Yield the store, with the credentials and certificates of the settings; it is closed at the end.

    Raises:
        ValueError: None is named, or what is said about it cannot be used.
        OSError: A file that it needs cannot be read.
    """
    from logging_system.monitoring.event_words import log_in_words
    from logging_system.shipping.sink_factory import ELASTICSEARCH
    from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

    settings = settings_read(options).settings
    if not settings.elasticsearch:
        raise ValueError("no store is named; give --elasticsearch URL, or --settings with `elasticsearch`")
    store = ELASTICSEARCH.opener(settings, emit=log_in_words)()
    if not isinstance(store, ElasticsearchSink):
        raise TypeError("the sink of Elasticsearch is another class")
    try:
        yield store
    finally:
        store.close()


def key_index_of(options: argparse.Namespace, store: ElasticsearchSink) -> KeyIndex | None:
    """Return the store's key index; None where the settings want none."""
    from logging_system.config.encryption import DEFAULT_KEY_INDEX
    from logging_system.sinks.elasticsearch.key_index import KeyIndex

    encryption = settings_read(options).settings.encryption
    of_settings = DEFAULT_KEY_INDEX if encryption is None else encryption.key_index
    name = options.key_index or of_settings
    return KeyIndex(store.request, name) if name else None


def names_store(options: argparse.Namespace) -> bool:
    """Whether flags or settings name a store."""
    return bool(settings_read(options).settings.elasticsearch)


def settings_read(options: argparse.Namespace) -> Loaded:
    """Return what flags, environment and file say of keys and store; they are read once a command."""
    from logging_system.config.loading import load_settings

    loaded: Loaded | None = getattr(options, _READ, None)
    if loaded is None:
        given = {name: getattr(options, name, None) for name in _GIVEN}
        loaded = load_settings(given, written="--{}".format)
        setattr(options, _READ, loaded)
    return loaded
