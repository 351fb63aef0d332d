from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.handler.handler import SpoolHandler
from logging_system.records.document import Record
from logging_system.records.processors import Chain, Drop
from logging_system.spool.reader import SpoolReader
from logging_system.spool.retention import Retention

WAIT_SECONDS = 10.0


@contextmanager
def logger_with(folder: Path, **arguments: Any) -> Iterator[tuple[logging.Logger, SpoolHandler]]:
    handler = SpoolHandler(spool=folder, service="test", **arguments)
    logger = logging.Logger("under-test", logging.DEBUG)  # not in the tree, so tests don't share it
    logger.addHandler(handler)
    try:
        yield logger, handler
    finally:
        handler.close()


def messages(folder: Path) -> list[str]:
    reader = SpoolReader(folder)
    found = []
    while blocks := reader.read(1 << 20):
        found += [orjson.loads(document)["message"] for block in blocks for document in block.documents]
    reader.close()
    return found


class Gate:
    """Holds the worker inside the durable callback until it is opened; records what was reported."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.durable: list[str] = []

    def __call__(self, records: Sequence[logging.LogRecord]) -> None:
        self.reached.set()
        assert self.opened.wait(WAIT_SECONDS)
        self.durable += [record.getMessage() for record in records]


@contextmanager
def stuck_worker(folder: Path, **arguments: Any) -> Iterator[tuple[logging.Logger, SpoolHandler, Gate]]:
    """Yield with the worker held and the queue empty."""
    gate = Gate()
    with logger_with(folder, on_durable=gate, **arguments) as (logger, handler):
        logger.info("first")
        assert gate.reached.wait(WAIT_SECONDS)
        try:
            yield logger, handler, gate
        finally:
            gate.opened.set()


def test_logged_records_are_in_the_spool_in_order_after_flush(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        for number in range(2_000):
            logger.info("line %d", number)

        assert handler.flush(WAIT_SECONDS)
        assert handler.stats().admitted == 2_000
        assert messages(tmp_path) == [f"line {number}" for number in range(2_000)]


@pytest.mark.parametrize("durability", ["memory", "write", "fsync"])
def test_the_callback_names_exactly_the_records_logged(tmp_path: Path, durability: str) -> None:
    named: list[Any] = []
    with logger_with(tmp_path, durability=durability) as (logger, handler):
        handler.on_durable = lambda records: named.extend(vars(record)["sequence"] for record in records)
        for number in range(700):
            logger.info("m", extra={"sequence": number})
        handler.flush(WAIT_SECONDS)

    assert named == list(range(700))


def test_a_record_is_in_the_spool_when_the_callback_names_it(tmp_path: Path) -> None:
    on_disk: list[list[str]] = []
    with logger_with(tmp_path, on_durable=lambda _records: on_disk.append(messages(tmp_path))) as (
        logger,
        handler,
    ):
        logger.info("here")
        handler.flush(WAIT_SECONDS)

    assert on_disk == [["here"]]


def test_for_memory_the_callback_comes_before_the_log_call_returns(tmp_path: Path) -> None:
    with logger_with(tmp_path, durability="memory") as (logger, handler):
        callers: list[threading.Thread] = []
        handler.on_durable = lambda _records: callers.append(threading.current_thread())
        logger.info("m")

        assert callers == [threading.current_thread()]


def test_a_full_queue_drops_the_newest_below_error_and_counts_it(tmp_path: Path) -> None:
    with stuck_worker(tmp_path, queue_records_max=3) as (logger, handler, gate):
        for number in range(5):
            logger.info("line %d", number)

        assert handler.stats().dropped == {"queue_full": 2}
        assert handler.stats().balanced

        gate.opened.set()
        handler.flush(WAIT_SECONDS)

        assert messages(tmp_path) == gate.durable == ["first", "line 0", "line 1", "line 2"]


def test_the_queue_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    with stuck_worker(tmp_path, queue_bytes_max=10_000) as (logger, handler, _gate):
        for _ in range(5):
            logger.info("x" * 4_000)

        assert handler.stats().dropped == {"queue_full": 3}


def test_an_error_waits_for_room_within_its_budget(tmp_path: Path) -> None:
    with stuck_worker(tmp_path, queue_records_max=1, block_seconds=WAIT_SECONDS) as (logger, handler, gate):
        logger.info("fills the queue")
        thread = threading.Thread(target=logger.error, args=("waits",))
        thread.start()
        gate.opened.set()
        thread.join(WAIT_SECONDS)
        handler.flush(WAIT_SECONDS)

        assert messages(tmp_path) == ["first", "fills the queue", "waits"]
        assert handler.stats().dropped == {}


def test_an_error_without_budget_is_dropped_and_counted(tmp_path: Path) -> None:
    with stuck_worker(tmp_path, queue_records_max=1, block_seconds=0.0) as (logger, handler, _gate):
        logger.info("fills the queue")
        logger.error("no room")

        assert handler.stats().dropped == {"queue_full": 1}


def test_a_full_spool_is_counted_and_its_records_are_never_named_durable(tmp_path: Path) -> None:
    named: list[str] = []
    with logger_with(tmp_path, spool_bytes_max=4_000) as (logger, handler):
        handler.on_durable = lambda records: named.extend(record.getMessage() for record in records)
        for number in range(60):
            logger.info("line %d", number)
            handler.flush(WAIT_SECONDS)
        stats = handler.stats()

    assert stats.dropped["spool_full"] > 0
    assert stats.balanced
    assert named == messages(tmp_path)
    assert len(named) == stats.admitted


def test_a_callback_that_raises_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    def fail(_records: Sequence[logging.LogRecord]) -> None:
        raise RuntimeError

    with logger_with(tmp_path, on_durable=fail) as (logger, handler):
        logger.info("one")
        handler.flush(WAIT_SECONDS)
        logger.info("two")
        handler.flush(WAIT_SECONDS)

        assert handler.stats().callback_errors == 2
        assert messages(tmp_path) == ["one", "two"]


def test_logging_from_the_callback_does_not_recurse_and_is_counted(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        handler.on_durable = lambda _records: logger.info("again")
        logger.info("once")
        handler.flush(WAIT_SECONDS)

        assert handler.stats().dropped == {"own_thread": 1}
        assert handler.stats().balanced
        assert messages(tmp_path) == ["once"]


def test_flush_inside_the_callback_does_not_wait_for_itself(tmp_path: Path) -> None:
    answers: list[bool] = []
    with logger_with(tmp_path) as (logger, handler):
        handler.on_durable = lambda _records: answers.append(handler.flush(WAIT_SECONDS))
        logger.info("m")

        assert handler.flush(WAIT_SECONDS)
        assert answers == [False]


class Chatty:
    """Logs while it is being formatted."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.log = log

    def __str__(self) -> str:
        self.log("from inside")
        return "chatty"


def test_a_record_logged_while_another_is_captured_follows_it(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logger.info("outer %s", Chatty(logger.info))
        handler.flush(WAIT_SECONDS)

        assert messages(tmp_path) == ["outer chatty", "from inside"]


def test_an_argument_that_logs_itself_comes_to_an_end_and_is_counted(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        chatty = Chatty(lambda _text: logger.info("again %s", chatty))
        logger.info("outer %s", chatty)
        handler.flush(WAIT_SECONDS)
        stats = handler.stats()

    assert stats.dropped["reentrant"] > 0
    assert stats.balanced
    assert stats.offered < 50


def test_a_filter_that_raises_does_not_reach_the_application(tmp_path: Path) -> None:
    class Broken(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise ValueError(record.name)

    with logger_with(tmp_path) as (logger, handler):
        handler.addFilter(Broken())
        logger.info("m")

        assert handler.stats().dropped == {"capture_error": 1}


def test_a_filter_and_the_level_keep_records_out_uncounted(tmp_path: Path) -> None:
    with logger_with(tmp_path, level=logging.WARNING) as (logger, handler):
        handler.addFilter(lambda record: "no" not in record.getMessage())
        logger.info("too low")
        logger.error("no")
        logger.error("yes")
        handler.flush(WAIT_SECONDS)

        assert handler.stats().offered == 1
        assert messages(tmp_path) == ["yes"]


class Refusing:
    """Raises for secrets and drops pings."""

    def process(self, record: Record) -> Record | Drop:
        if "secret" in str(record.document["message"]):
            raise ValueError
        return Drop("health_check") if record.document["message"] == "ping" else record


def test_a_processor_that_fails_or_drops_lets_no_text_through_and_stops_no_other(tmp_path: Path) -> None:
    with logger_with(tmp_path, chain=Chain([Refusing()])) as (logger, handler):
        logger.info("first")
        logger.info("secret")
        logger.info("ping")
        logger.info("public")
        handler.flush(WAIT_SECONDS)

        assert handler.stats().dropped == {"processor_error": 1, "processor:health_check": 1}
        assert handler.stats().balanced
        assert messages(tmp_path) == ["first", "public"]


def test_end_seals_what_was_queued_and_refuses_the_rest(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        for number in range(100):
            logger.info("%d", number)
        handler.end()
        logger.info("too late")
        handler.end()

        assert handler.stats().dropped == {"closed": 1}
        assert not list(tmp_path.glob("*.open"))
        assert len(messages(tmp_path)) == 100


def test_close_writes_counters_that_balance(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        logger.info("m")
        handler.close()
    (path,) = tmp_path.glob("status-handler-*.json")
    content = orjson.loads(path.read_bytes())

    assert content["closed"] is True
    assert content["balanced"] is True
    assert (content["offered"], content["admitted"], content["queued"]) == (1, 1, 0)


def test_an_unusable_spool_folder_does_not_stop_the_application(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with logger_with(tmp_path / "file" / "spool", queue_records_max=10, close_seconds=0.1) as (
        logger,
        handler,
    ):
        for _ in range(600):
            logger.info("m")
        stats = handler.stats()

        assert stats.balanced
        assert stats.admitted == 0
        assert stats.spool_errors


def test_an_unknown_durability_is_refused_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of memory, write, fsync"):
        SpoolHandler(spool=tmp_path, service="s", durability="disk")  # type: ignore[arg-type]


def test_producers_of_several_threads_are_all_counted(tmp_path: Path) -> None:
    start = threading.Barrier(4)
    with logger_with(tmp_path) as (logger, handler):

        def produce(name: str) -> None:
            start.wait(WAIT_SECONDS)
            for number in range(300):
                logger.info("%s-%d", name, number)

        threads = [threading.Thread(target=produce, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_SECONDS)
        handler.flush(WAIT_SECONDS)
        found = messages(tmp_path)

    assert len(set(found)) == len(found) == 1_200
    for name in "abcd":
        own = [message for message in found if message.startswith(name)]
        assert own == [f"{name}-{number}" for number in range(300)]


def test_each_record_is_named_once_at_the_class_it_asked_for(tmp_path: Path) -> None:
    named: list[tuple[str, bool]] = []

    def durable(records: Sequence[logging.LogRecord]) -> None:
        for record in records:
            named.append((record.getMessage(), threading.current_thread() is threading.main_thread()))

    with stuck_worker(tmp_path, durability="fsync") as (logger, handler, gate):
        handler.on_durable = durable
        for durability in ("memory", "write", "fsync"):
            logger.info(durability, extra={"durability": durability})
        logger.info("usual")
        in_the_call = list(named)
        gate.opened.set()
        handler.flush(WAIT_SECONDS)

        assert in_the_call == [("memory", True)]
        assert named == [("memory", True), ("write", False), ("fsync", False), ("usual", False)]
        assert messages(tmp_path) == ["first", "memory", "write", "fsync", "usual"]


def test_drop_oldest_gives_up_the_oldest_that_is_not_acknowledged(tmp_path: Path) -> None:
    with stuck_worker(tmp_path, queue_records_max=3, when_full="drop_oldest") as (logger, handler, gate):
        for number in range(5):
            logger.error("line %d", number)

        assert handler.stats().dropped == {"queue_full": 2}
        assert handler.stats().balanced

        gate.opened.set()
        handler.flush(WAIT_SECONDS)

        assert messages(tmp_path) == gate.durable == ["first", "line 2", "line 3", "line 4"]


def test_drop_oldest_keeps_what_was_acknowledged_and_drops_the_newest(tmp_path: Path) -> None:
    with stuck_worker(tmp_path, queue_records_max=2, when_full="drop_oldest") as (logger, handler, gate):
        handler.on_durable = None
        for number in range(4):
            logger.info("line %d", number, extra={"durability": "memory"})
        gate.opened.set()
        handler.flush(WAIT_SECONDS)

        assert handler.stats().dropped == {"queue_full": 2}
        assert handler.stats().acknowledged_lost == 0
        assert messages(tmp_path) == ["first", "line 0", "line 1"]


def test_drop_newest_never_waits(tmp_path: Path) -> None:
    with stuck_worker(
        tmp_path, queue_records_max=1, when_full="drop_newest", block_seconds=10 * WAIT_SECONDS
    ) as (logger, handler, _gate):
        logger.error("fills the queue")
        logger.error("no room")

        assert handler.stats().dropped == {"queue_full": 1}


def test_a_full_spool_does_not_give_up_what_was_acknowledged_in_memory(tmp_path: Path) -> None:
    named: list[str] = []
    with logger_with(tmp_path, spool_bytes_max=4_000, close_seconds=0.2) as (logger, handler):
        handler.on_durable = lambda records: named.extend(record.getMessage() for record in records)
        for number in range(60):
            logger.info("fill %d", number)
            handler.flush(WAIT_SECONDS)
        logger.info("kept", extra={"durability": "memory"})
        waits = not handler.flush(0.3)
        for path in tmp_path.glob("*.segment"):
            path.unlink()  # as the shipper does when it has delivered them

        assert waits
        assert handler.flush(WAIT_SECONDS)
        assert "kept" in messages(tmp_path)
        assert handler.stats().acknowledged_lost == 0
        assert named.count("kept") == 1


def test_what_could_not_be_stored_before_the_end_is_said_to_have_been_acknowledged(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with logger_with(tmp_path / "file" / "spool", close_seconds=1.0) as (logger, handler):
        logger.info("promised", extra={"durability": "memory"})
        logger.info("not promised")
        handler.close()

        assert handler.stats().acknowledged_lost == 1
        assert sum(handler.stats().dropped.values()) == 2
        assert handler.stats().balanced


def test_what_the_package_itself_logs_is_kept_out(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (_logger, handler):
        own = logging.Logger("logging_system.shipper")
        own.addHandler(handler)
        own.warning("the store is not ready")
        client = logging.Logger("urllib3")
        client.addHandler(handler)
        thread = threading.Thread(target=client.debug, args=("request",), name="logging_system.request-0")
        thread.start()
        thread.join(WAIT_SECONDS)
        client.warning("from the application's own use of the client")
        handler.flush(WAIT_SECONDS)

        assert messages(tmp_path) == ["from the application's own use of the client"]


def test_what_the_package_logs_is_kept_out_between_the_lines_of_others(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (logger, handler):
        own = logging.Logger("logging_system.shipper")
        other = logging.Logger("other")
        own.addHandler(handler)
        other.addHandler(handler)
        for number in range(2):
            logger.info("mine %d", number)
            own.warning("the store is not ready")
            other.warning("another's %d", number)
        handler.flush(WAIT_SECONDS)

        assert messages(tmp_path) == ["mine 0", "another's 0", "mine 1", "another's 1"]


def test_what_a_listener_passes_on_is_judged_by_the_thread_that_logged_it(tmp_path: Path) -> None:
    with logger_with(tmp_path) as (_logger, handler):
        record = logging.makeLogRecord({"name": "urllib3", "msg": "request"})
        handler.handle(logging.makeLogRecord({**vars(record), "threadName": "MainThread"}))
        handler.handle(logging.makeLogRecord({**vars(record), "threadName": "logging_system.request-0"}))
        handler.flush(WAIT_SECONDS)

        assert handler.stats().offered == 1


def test_what_was_logged_before_there_was_a_callback_is_not_named(tmp_path: Path) -> None:
    named: list[str] = []
    with stuck_worker(tmp_path) as (logger, handler, gate):
        handler.on_durable = None
        logger.info("before")
        handler.on_durable = lambda records: named.extend(record.getMessage() for record in records)
        logger.info("after")
        gate.opened.set()
        handler.flush(WAIT_SECONDS)

    assert messages(tmp_path) == ["first", "before", "after"]
    assert named == ["after"]


def test_an_unknown_policy_is_refused_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of block_errors, drop_newest, drop_oldest"):
        SpoolHandler(spool=tmp_path, service="s", when_full="wait")  # type: ignore[arg-type]


@pytest.mark.parametrize("when_full", ["block_errors", "drop_newest", "drop_oldest"])
def test_every_snapshot_balances_whatever_happens_meanwhile(tmp_path: Path, when_full: str) -> None:
    with logger_with(
        tmp_path, queue_records_max=20, when_full=when_full, block_seconds=0.001, spool_bytes_max=200_000
    ) as (logger, handler):

        def produce() -> None:
            for number in range(500):
                logger.log(logging.ERROR if number % 7 else logging.INFO, "line %d %s", number, "x" * 100)

        threads = [threading.Thread(target=produce) for _ in range(3)]
        for thread in threads:
            thread.start()
        snapshots = [handler.stats()]
        while any(thread.is_alive() for thread in threads):
            snapshots.append(handler.stats())
        handler.flush(WAIT_SECONDS)
        last = handler.stats()

    assert all(snapshot.balanced for snapshot in snapshots)
    assert all(snapshot.queued >= 0 for snapshot in snapshots)
    assert (last.offered, last.queued) == (1_500, 0)
    assert sum(last.dropped.values()) > 0


def test_with_retention_the_oldest_records_give_way_to_new_ones(tmp_path: Path) -> None:
    with logger_with(
        tmp_path, spool_bytes_max=100_000, retention=Retention(bytes_max=50_000), durability="write"
    ) as (logger, handler):
        for number in range(300):
            logger.info("line %d %s", number, "x" * 1_000)
            assert handler.flush(WAIT_SECONDS)

        assert handler.stats().dropped == {}
        assert handler.stats().admitted == 300
    kept = messages(tmp_path)
    assert 0 < len(kept) < 300
    assert kept[-1].startswith("line 299 ")
