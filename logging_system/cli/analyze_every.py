"""`analyze --every`: the same question again and again, one JSON line an answer, until a signal ends it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from logging_system.cli.parser import EXIT_DONE, EXIT_FAILED, fail
from logging_system.cli.read_store import reading_store

if TYPE_CHECKING:
    from logging_system.analytics.reach import Reach
    from logging_system.analytics.refreshing import Refreshing
    from logging_system.analytics.store_queries import ElasticsearchQueries

SECONDS_MIN, SECONDS_MAX = 0.1, 3600.0
_MEMORY_BYTES = 16 * 1024 * 1024


def ask_again_and_again(options: argparse.Namespace, reach: Reach, since: datetime) -> int:
    """Print how many records of each namespace there are, every so often; returns the exit code.

    Args:
        options: The flags; `every` is the pause, in seconds.
        reach: The data streams.
        since: The time of the first record that counts.
    """
    try:
        import cachetools  # noqa: F401 - what the cache keeps its answers in
    except ImportError:
        return fail("analyze", "--every: cachetools is not installed; pip install 'logquake[analytics]'")
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ending.set())
    try:
        with reading_store(options) as queries:
            return _ask(list(_refreshing(queries, reach, since)), options.every, ending)
    except OSError as error:
        return fail("analyze", str(error))


def _refreshing(queries: ElasticsearchQueries, reach: Reach, since: datetime) -> Iterator[Refreshing]:
    from logging_system.analytics.analytics import PREFERENCE
    from logging_system.analytics.cache.answer_memory import AnswerMemory
    from logging_system.analytics.cache.cached_queries import CachedQueries
    from logging_system.analytics.cache.keys import Scope
    from logging_system.analytics.cache.snapshot_store import ElasticsearchSnapshots
    from logging_system.analytics.reach import Reach
    from logging_system.analytics.refreshing import Refreshing

    memory = AnswerMemory(_MEMORY_BYTES)
    store = ElasticsearchSnapshots(queries, preference=PREFERENCE)
    for namespace in reach.namespaces:
        cache = CachedQueries(store, scope=Scope(namespace, ""), memory=memory)
        yield Refreshing(cache, Reach((namespace,), reach.dataset), since)


def _ask(panels: list[Refreshing], every_seconds: float, ending: threading.Event) -> int:
    import orjson

    from logging_system.analytics.store_queries import StoreQueryError

    is_answered = False
    while not ending.is_set():
        for panel in panels:
            try:
                answer = panel.ask()
            except StoreQueryError as error:
                fail("analyze", str(error))
                continue
            is_answered = True
            sys.stdout.write(orjson.dumps(answer.as_json()).decode() + "\n")
        sys.stdout.flush()
        ending.wait(every_seconds)
    return EXIT_DONE if is_answered else EXIT_FAILED
