"""The store that `analyze`, `search` and `tail` read, and the namespaces of it that they are asked for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from logging_system.cli.flags import tell_warnings

if TYPE_CHECKING:
    from logging_system.analytics import Analytics, Reach, Window
    from logging_system.analytics.store_queries import ElasticsearchQueries


class StoreUnnamedError(ValueError):
    """No store is named, or what is said about it cannot be used: a mistake of who asks."""


_FLAGS = {"elasticsearch": "--store", "request_timeout_seconds": "--timeout"}


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say what is read: store, namespaces, time."""
    parser.add_argument(
        "--store", metavar="URL", action="append", help="the node to ask; or as in --settings"
    )
    parser.add_argument(
        "--settings", metavar="FILE", help="YAML file of settings, for the store's credentials"
    )
    parser.add_argument(
        "--namespace",
        metavar="NAME",
        action="append",
        default=[],
        help="repeat the flag for more; no pattern",
    )
    parser.add_argument("--all-namespaces", action="store_true", help="read every namespace of the store")
    parser.add_argument(
        "--dataset", metavar="NAME", default="*", help="only this one, such as a service. Default: each"
    )
    parser.add_argument(
        "--since", metavar="TIME", default="15m", help="15m, 2h, 7d ago, or a date. Default: %(default)s"
    )
    parser.add_argument("--until", metavar="TIME", default="now", help="the same. Default: %(default)s")
    parser.add_argument(
        "--time-zone", metavar="ZONE", default="UTC", help="IANA name, as Europe/Berlin. Default: %(default)s"
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        default="30",
        help="how long the store may take for one answer. Default: %(default)s",
    )


def reach_of(options: argparse.Namespace) -> Reach:
    """Return which data streams the flags ask for.

    Raises:
        ValueError: They ask for none, for a pattern, or for all and for some.
    """
    from logging_system.analytics.reach import Reach

    if options.all_namespaces:
        if options.namespace:
            raise ValueError("give --namespace or --all-namespaces, not both")
        return Reach.everything(dataset=options.dataset)
    if not options.namespace:
        raise ValueError("give --namespace NAME, such as default; or --all-namespaces")
    return Reach.of(options.namespace, dataset=options.dataset)


def times_from(options: argparse.Namespace, now: datetime) -> tuple[Window, Reach]:
    """Return the time and the data streams that the flags ask for.

    Args:
        options: The flags.
        now: The present moment.

    Raises:
        ValueError: They name no time, or none at all lies between; or see `reach_of`.
    """
    from logging_system.analytics.windows import Window, read_moment, zone_of

    zone_of(options.time_zone)
    since, until = (read_moment(text, now, options.time_zone) for text in (options.since, options.until))
    return Window(since, until, options.time_zone), reach_of(options)


@contextmanager
def reading(options: argparse.Namespace, reach: Reach, now: datetime, **others: Any) -> Iterator[Analytics]:
    """Yield answers of the store, with the credentials and certificates of the settings; closed at the end.

    Args:
        options: The flags.
        reach: The data streams.
        now: The present moment.
        others: Further arguments of `Analytics`.

    Raises:
        StoreUnnamedError: None is named, or what is said about it cannot be used.
        OSError: A file that it needs cannot be read.
    """
    from logging_system.analytics.analytics import Analytics

    with reading_store(options) as queries:
        yield Analytics(queries, reach, zone=options.time_zone, clock=lambda: now, **others)


@contextmanager
def reading_store(options: argparse.Namespace) -> Iterator[ElasticsearchQueries]:
    """Yield the store itself, see `reading`."""
    from logging_system.analytics.analytics import PREFERENCE
    from logging_system.analytics.store_queries import ElasticsearchQueries
    from logging_system.config.loading import load_settings
    from logging_system.monitoring.event_words import log_in_words
    from logging_system.shipping.sink_factory import ELASTICSEARCH
    from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

    given = {
        "settings": options.settings,
        "elasticsearch": options.store,
        "request_timeout_seconds": options.timeout,
    }
    loaded = load_settings(given, written=lambda name: _FLAGS.get(name, f"--{name}"))
    if loaded.problems:
        raise StoreUnnamedError("; ".join(map(str, loaded.problems)))
    tell_warnings(loaded, log_in_words)
    if not loaded.settings.elasticsearch:
        raise StoreUnnamedError("no store is named; give --store URL, or --settings with `elasticsearch`")
    store = ELASTICSEARCH.opener(loaded.settings, emit=log_in_words)()
    if not isinstance(store, ElasticsearchSink):
        raise TypeError("the sink of Elasticsearch is another class")
    try:
        yield ElasticsearchQueries(store.request, preference=PREFERENCE)
    finally:
        store.close()
