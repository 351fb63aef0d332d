"""A handler in forked children, also of forks that Python knows nothing of: each logs for itself, at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from logging_system.handler.handler import SpoolHandler
from logging_system.monitoring.events import Event, FormatterUnused
from tests.unit.logging_system.forking import fork_by_c, fork_by_python, in_a_child
from tests.unit.logging_system.handler.test_spool_handler import (
    WAIT_SECONDS,
    logger_with,
    messages,
    stuck_worker,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.parametrize("fork", [fork_by_python, fork_by_c]),
]
Fork = Callable[[], int]
CLOSE_SECONDS_MAX = 2.0
TOO_SLOW = 3


def be_quiet(logger: logging.Logger, handler: SpoolHandler) -> None:
    """Have the worker done with its work: it sleeps for a while."""
    logger.info("quiet")
    assert handler.flush(WAIT_SECONDS)


def test_a_child_stores_its_own_records_and_none_of_its_parents(tmp_path: Path, fork: Fork) -> None:
    with stuck_worker(tmp_path) as (logger, handler, gate):
        waiting = 50
        for number in range(waiting):
            logger.info("parent %d", number)

        def child() -> int:
            gate.opened.set()
            for number in range(100):
                logger.info("child %d", number)
            flushed = handler.flush(WAIT_SECONDS)
            counters = handler.stats()
            started_seconds = time.monotonic()
            handler.close()
            if time.monotonic() - started_seconds > CLOSE_SECONDS_MAX:
                return TOO_SLOW
            return 0 if flushed and (counters.offered, counters.admitted) == (100, 100) else 1

        code = in_a_child(fork, child)
        gate.opened.set()
        assert handler.flush(WAIT_SECONDS)
        in_parent = handler.stats()

    found = messages(tmp_path)
    assert code == 0
    assert in_parent.balanced
    assert in_parent.dropped == {}
    assert sorted(each for each in found if each.startswith("child")) == sorted(
        f"child {number}" for number in range(100)
    )
    assert [each for each in found if each.startswith("parent")] == [
        f"parent {number}" for number in range(waiting)
    ]
    assert len(found) == in_parent.admitted + 100


@pytest.mark.parametrize("act", ["flush", "stats", "close", "end"])
def test_a_child_that_logs_nothing_has_nothing_of_its_parents(tmp_path: Path, fork: Fork, act: str) -> None:
    with stuck_worker(tmp_path) as (logger, handler, gate):
        logger.info("parent")

        def child() -> int:
            started_seconds = time.monotonic()
            if act == "stats":
                return handler.stats().offered
            if act == "flush":
                return int(not handler.flush(WAIT_SECONDS))
            getattr(handler, act)()
            return TOO_SLOW if time.monotonic() - started_seconds > CLOSE_SECONDS_MAX else 0

        code = in_a_child(fork, child)
        gate.opened.set()

    assert code == 0
    assert messages(tmp_path).count("parent") == 1


def test_a_fork_while_others_hold_locks_costs_neither_side_a_record(tmp_path: Path, fork: Fork) -> None:
    """One thread is in a log call, the worker in its callback, the thread of events in a subscriber."""
    in_call, goes_on = threading.Event(), threading.Event()
    in_subscriber = threading.Event()

    class Slow:
        def __str__(self) -> str:
            in_call.set()
            goes_on.wait(WAIT_SECONDS)
            return "parent, slowly"

    def slow_subscriber(_: Event) -> None:
        in_subscriber.set()
        goes_on.wait(WAIT_SECONDS)

    with stuck_worker(tmp_path) as (logger, handler, gate):
        handler.events.subscribe(slow_subscriber)
        handler.events.emit(FormatterUnused())
        logging_slowly = threading.Thread(target=logger.info, args=("%s", Slow()))
        logging_slowly.start()
        assert in_call.wait(WAIT_SECONDS)
        assert in_subscriber.wait(WAIT_SECONDS)

        def child() -> int:
            gate.opened.set()
            goes_on.set()
            logger.info("child")
            handler.setFormatter(logging.Formatter())
            flushed = handler.flush(WAIT_SECONDS)
            handler.close()
            return int(not flushed)

        code = in_a_child(fork, child)
        goes_on.set()
        gate.opened.set()
        logging_slowly.join()

    assert code == 0
    assert sorted(messages(tmp_path)) == ["child", "first", "parent, slowly"]


def test_forks_by_python_while_another_thread_logs_cost_neither_side_a_record(
    tmp_path: Path, fork: Fork
) -> None:
    if fork is fork_by_c:
        pytest.skip("a child of such a fork hangs in the interpreter, whose lock the other thread waits for")
    ending = threading.Event()
    with logger_with(tmp_path) as (logger, handler):
        logged = 0

        def log_on() -> None:
            nonlocal logged
            while not ending.is_set():
                logger.info("parent %d", logged)
                logged += 1
                time.sleep(0.0002)

        def child() -> int:
            for number in range(20):
                logger.info("child %d", number)
            flushed = handler.flush(WAIT_SECONDS)
            handler.close()
            return 0 if flushed else 1

        logging_on = threading.Thread(target=log_on)
        logging_on.start()
        codes = [in_a_child(fork, child) for _ in range(10)]
        ending.set()
        logging_on.join()

    found = messages(tmp_path)
    assert codes == [0] * 10
    assert logged > 10
    assert sorted(each for each in found if each.startswith("parent")) == sorted(
        f"parent {number}" for number in range(logged)
    )
    assert sum(each.startswith("child") for each in found) == 10 * 20


def test_a_childs_child_stores_its_own_records_too(tmp_path: Path, fork: Fork) -> None:
    with logger_with(tmp_path) as (logger, handler):
        be_quiet(logger, handler)

        def grandchild() -> int:
            logger.info("grandchild")
            return int(not handler.flush(WAIT_SECONDS))

        def child() -> int:
            be_quiet(logger, handler)
            code = in_a_child(fork, grandchild)
            logger.info("child again")
            return code + int(not handler.flush(WAIT_SECONDS))

        code = in_a_child(fork, child)

    assert code == 0
    assert sorted(messages(tmp_path)) == ["child again", "grandchild", "quiet", "quiet"]


def test_threads_of_a_child_that_log_first_at_once_share_one_new_beginning(
    tmp_path: Path, fork: Fork
) -> None:
    with logger_with(tmp_path) as (logger, handler):

        def child() -> int:
            together = threading.Barrier(8)

            def log(name: int) -> None:
                together.wait()
                logger.info("child %d", name)

            threads = [threading.Thread(target=log, args=(name,)) for name in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return int(not handler.flush(WAIT_SECONDS) or handler.stats().admitted != 8)

        codes = []
        for _ in range(5):
            be_quiet(logger, handler)
            codes.append(in_a_child(fork, child))

    assert codes == [0] * 5
    assert len(messages(tmp_path)) == 5 + 5 * 8
