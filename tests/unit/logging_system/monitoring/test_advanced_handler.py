"""The monitoring handler among an application's log calls, threads, forks and signals."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.config
import logging.handlers
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import logging_system
from logging_system.monitoring.advanced_handler import ENTRIES_MAX, AdvancedMonitoringHandler
from logging_system.monitoring.findings import Finding, log_findings
from tests.unit.logging_system.forking import fork_by_c, fork_by_python, in_a_child


@pytest.fixture
def logger():
    """A logger of this test alone."""
    found = logging.getLogger(f"tests.monitored.{time.monotonic_ns()}")
    found.propagate = False
    found.setLevel(logging.DEBUG)
    yield found
    for handler in list(found.handlers):
        found.removeHandler(handler)
        handler.close()


@pytest.fixture
def monitor(logger):
    handler = AdvancedMonitoringHandler()
    logger.addHandler(handler)
    return handler


@contextlib.contextmanager
def counted_by_another_thread(monitor):
    """Another thread is at counting while the block runs, and gets no further."""
    taken, release = threading.Event(), threading.Event()

    def count():
        with monitor._lock:
            taken.set()
            release.wait(60)

    thread = threading.Thread(target=count)
    thread.start()
    taken.wait(60)
    yield
    release.set()
    thread.join()


def eventually(true, seconds=10.0):
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_what_is_logged_is_in_the_next_snapshot(logger, monitor):
    logger.info("paid", extra={"duration_ms": 20.0})
    logger.error("order %s failed", 17)
    try:
        _ = dict[str, int]()["id"]
    except KeyError:
        logger.exception("order 18 failed at %s" % "10.0.0.1:9200")  # noqa: UP031 - formatted before it comes

    snapshot = monitor.snapshot()

    window = snapshot.window(1)
    assert (snapshot.records, window.records, window.errors) == (3, 3, 2)
    assert window.operations.p50_ms == pytest.approx(20.0, rel=0.05)
    assert {(each.template, each.exception, each.count) for each in snapshot.top_errors} == {
        ("order %s failed", "", 1),
        ("order <*> failed at <*>", "KeyError", 1),
    }
    assert {each.logger for each in snapshot.top_errors} == {logger.name}
    assert monitor.snapshot().window(60).calls.count == 3
    with pytest.raises(KeyError, match="no window of 5 s; there are 1, 10, 60"):
        snapshot.window(5)


def test_the_handler_can_be_named_in_a_configuration():
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"monitor": {"class": "logging_system.AdvancedMonitoringHandler", "slow_call_ms": 5}},
            "loggers": {"tests.configured": {"handlers": ["monitor"], "level": "DEBUG", "propagate": False}},
        }
    )
    logger = logging.getLogger("tests.configured")
    (handler,) = logger.handlers

    logger.info("hello")

    assert isinstance(handler, logging_system.AdvancedMonitoringHandler)
    assert handler.snapshot().records == 1
    logger.removeHandler(handler)


def test_level_and_filters_decide_what_is_counted(logger, monitor):
    monitor.setLevel(logging.WARNING)
    monitor.addFilter(lambda record: "health" not in record.msg)
    logger.info("low")
    logger.error("health")
    logger.error("counted")

    assert monitor.snapshot().records == 1


class Explosive:
    """An argument that says nothing, of any kind, without raising."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]  # as a list has it


class OddText(str):
    __slots__ = ()

    def __getitem__(self, index):
        raise RuntimeError("no part")

    def __hash__(self):
        raise RuntimeError("no hash")


@pytest.mark.parametrize(
    "fields",
    [
        {"msg": "two %s %s", "args": (1,)},
        {"msg": "%d", "args": ("text",)},
        {"msg": Explosive(), "args": ()},
        {"msg": "failed %s", "args": (Explosive(),)},
        {"msg": OddText("failed"), "args": ()},
        {"msg": None, "args": None},
        {"name": None},
        {"name": OddText("odd")},
        {"name": "half a pair \ud800"},
        {"name": "x" * 1_000_000},
        {"msg": "y" * 10_000_000},
        {"exc_info": (None, None, None)},
        {"thread": None},
        {"duration_ms": Explosive()},
        {"created": 0.0},
        {"created": float("nan")},
    ],
)
def test_an_odd_record_is_counted_and_nothing_of_it_is_run(monitor, fields):
    usual = {"name": "shop", "levelno": logging.ERROR, "levelname": "ERROR", "msg": "failed", "args": ()}
    for _ in range(200):
        monitor.handle(logging.makeLogRecord({**usual, **fields}))

    snapshot = monitor.snapshot()
    assert (snapshot.records, snapshot.broken_records) == (200, 0)
    assert monitor.prometheus()[0]


@pytest.mark.parametrize(
    "fields", [{"levelno": "ERROR"}, {"levelno": None}, {"created": "now"}, {"exc_info": 17}]
)
def test_a_record_that_cannot_be_read_is_counted_as_broken(monitor, fields):
    monitor.handle(logging.makeLogRecord({"levelno": logging.ERROR, **fields}))
    monitor.handle(logging.makeLogRecord({"levelno": logging.ERROR}))

    snapshot = monitor.snapshot()
    assert (snapshot.records, snapshot.broken_records) == (1, 1)


def test_a_filter_that_raises_does_not_reach_the_caller(logger, monitor):
    monitor.addFilter(lambda record: 1 / 0)
    logger.info("hello")

    assert monitor.snapshot().broken_records == 1


def test_records_of_many_threads_are_all_counted(logger, monitor):
    def log():
        for number in range(5_000):
            logger.info("paid %s", number)

    threads = [threading.Thread(target=log) for _ in range(8)]
    for thread in threads:
        thread.start()
    snapshots = [monitor.snapshot().records for _ in range(20)]
    for thread in threads:
        thread.join()
    snapshot = monitor.snapshot()

    assert snapshot.records + snapshot.missed_records == 40_000
    assert snapshot.missed_records == 0
    assert snapshots == sorted(snapshots)


def test_while_another_thread_counts_log_calls_go_on_and_memory_is_bounded(logger):
    now_ns = [10**9]
    monitor = AdvancedMonitoringHandler(clock_ns=lambda: now_ns[0])
    logger.addHandler(monitor)
    with counted_by_another_thread(monitor):
        now_ns[0] += 2 * 10**9  # so long that giving it a millisecond would not help
        for _ in range(ENTRIES_MAX + 500):
            logger.info("paid")
        held = len(monitor._entries)
    for _ in range(ENTRIES_MAX // 100):
        logger.info("paid")
    snapshot = monitor.snapshot()

    assert held == ENTRIES_MAX
    assert snapshot.missed_records == 500
    assert snapshot.records == ENTRIES_MAX + ENTRIES_MAX // 100


def test_in_a_crowd_the_thread_that_counts_is_let_go_on(logger, monitor):
    """Where much waits, a log call gives the one that counts time to end, and then counts itself."""
    with counted_by_another_thread(monitor):
        for _ in range(3_000):
            logger.info("paid")
    logger.info("counts the first")

    assert len(monitor._entries) < 3_000


def test_a_signal_handler_that_logs_and_looks_in_the_middle_of_counting_waits_for_nothing(logger, monitor):
    seen = []

    def on_signal(*_):
        logger.warning("signal")
        seen.append(monitor.snapshot())

    before = signal.signal(signal.SIGALRM, on_signal)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        logged = 0
        give_up = time.monotonic() + 30
        while len(seen) < 200 and time.monotonic() < give_up:
            logger.info("paid")
            logged += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    snapshot = monitor.snapshot()

    assert len(seen) >= 200
    assert (snapshot.records, snapshot.broken_records) == (logged + len(seen), 0)


def test_a_lock_left_locked_by_an_exception_of_a_signal_handler_is_replaced(logger):
    now_ns = [10**9]
    monitor = AdvancedMonitoringHandler(clock_ns=lambda: now_ns[0])
    logger.addHandler(monitor)
    with counted_by_another_thread(monitor):
        now_ns[0] += 6 * 10**9
        for _ in range(70):
            logger.info("gives up the other")
        logger.info("is counted")

        assert monitor.snapshot().records == 71


def test_counting_that_an_exception_of_a_signal_handler_broke_off_goes_on(logger):
    now_ns = [10**9]
    monitor = AdvancedMonitoringHandler(clock_ns=lambda: now_ns[0])
    logger.addHandler(monitor)
    monitor._is_counting = True
    now_ns[0] += 6 * 10**9
    logger.info("gives up the other")
    now_ns[0] += 10**9
    logger.info("is counted")

    assert monitor.snapshot().records == 2


def test_a_filter_that_logs_is_counted_too(logger, monitor):
    def logs(record):
        if record.msg == "outer":
            logger.info("inner")
        return True

    monitor.addFilter(logs)
    logger.info("outer")

    assert monitor.snapshot().records == 2


@pytest.mark.parametrize("fork", [fork_by_python, fork_by_c])
def test_a_forked_child_begins_at_zero_and_counts(logger, monitor, fork):
    for _ in range(100):
        logger.info("of the parent")

    def of_the_child():
        logger.info("of the child")
        logger.info("of the child")
        snapshot = monitor.snapshot()
        return 0 if (snapshot.records, snapshot.missed_records) == (2, 0) else 1

    with counted_by_another_thread(monitor):
        code = in_a_child(fork, of_the_child)

    assert code == 0
    assert monitor.snapshot().records == 100


def test_the_handlers_before_it_are_what_makes_a_call_slow(logger):
    class Slow(logging.Handler):
        def emit(self, record):
            time.sleep(0.03)

    monitor = AdvancedMonitoringHandler(slow_call_ms=20.0)
    logger.addHandler(Slow())
    logger.addHandler(monitor)
    logger.info("paid")

    snapshot = monitor.snapshot()
    (finding,) = snapshot.findings
    assert (finding.kind, finding.logger) == ("slow_call", logger.name)
    assert 30.0 <= finding.value <= 5_000.0
    assert snapshot.window(1).calls.max_ms == finding.value


def test_a_record_that_comes_through_a_queue_is_no_slow_call(logger):
    monitor = AdvancedMonitoringHandler(slow_call_ms=20.0)
    waiting = queue.SimpleQueue[object]()
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    logger.info("paid")
    time.sleep(0.03)
    listener = logging.handlers.QueueListener(waiting, monitor)
    listener.start()
    listener.stop()

    snapshot = monitor.snapshot()
    assert snapshot.records == 1
    assert snapshot.findings == ()
    assert snapshot.calls.count == 0


def test_findings_reach_the_callback_on_another_thread(logger):
    told = list[tuple[str, int]]()
    monitor = AdvancedMonitoringHandler(
        on_finding=lambda finding: told.append((finding.kind, threading.get_ident()))
    )
    logger.addHandler(monitor)
    logger.info("slow", extra={"duration_ms": 2_000})
    monitor.snapshot()
    eventually(lambda: told)

    (kind, thread) = told[0]
    assert kind == "slow_operation"
    assert thread != threading.get_ident()


def test_a_callback_that_hangs_or_raises_holds_up_no_log_call_and_bounds_what_waits(logger):
    release = threading.Event()

    def hangs(finding):
        release.wait(20)
        raise RuntimeError("the callback failed")

    monitor = AdvancedMonitoringHandler(on_finding=hangs, finding_interval_seconds=0)
    logger.addHandler(monitor)
    began = time.monotonic()
    for _ in range(300):
        logger.info("slow", extra={"duration_ms": 2_000})
    monitor.snapshot()
    took_seconds = time.monotonic() - began
    release.set()
    eventually(lambda: monitor.snapshot().untold_findings >= 300)

    assert took_seconds < 5.0


def test_closing_tells_what_waits_and_waits_for_no_callback_that_hangs(logger):
    told, release = list[Finding](), threading.Event()
    quick = AdvancedMonitoringHandler(on_finding=told.append)
    logger.addHandler(quick)
    logger.info("slow", extra={"duration_ms": 2_000})
    quick.close()

    def hang(finding):
        release.wait(20)

    hangs = AdvancedMonitoringHandler(on_finding=hang)
    logger.addHandler(hangs)
    logger.info("slow", extra={"duration_ms": 2_000})
    began = time.monotonic()
    hangs.close()
    took_seconds = time.monotonic() - began
    release.set()

    assert [finding.kind for finding in told] == ["slow_operation"]
    assert took_seconds < 5.0


def test_findings_that_are_logged_make_no_findings_of_themselves(logger):
    class SlowFor(logging.Handler):
        def emit(self, record):
            time.sleep(0.03)

    records = []

    class Kept(logging.Handler):
        def emit(self, record):
            records.append(record)

    monitor = AdvancedMonitoringHandler(
        on_finding=log_findings(logger.name), slow_call_ms=20.0, finding_interval_seconds=0
    )
    for handler in (SlowFor(), monitor, Kept()):
        logger.addHandler(handler)
    logger.info("paid")
    monitor.snapshot()
    eventually(lambda: len(records) == 2)
    for _ in range(5):
        monitor.snapshot()
        time.sleep(0.02)

    assert [record.getMessage()[:20] for record in records] == ["paid", "A log call of tests."]
    assert records[1].levelno == logging.WARNING
    assert records[1].finding == "slow_call"
    assert records[1].finding_logger == logger.name
    assert records[1].finding_limit == 20.0
    assert monitor.snapshot().findings_by_kind["slow_call"] == 1


def test_both_surfaces_show_what_the_snapshot_does(logger, monitor):
    for number in range(100):
        level = logging.ERROR if number % 5 == 0 else logging.INFO
        logger.log(level, "paid %s", number, extra={"duration_ms": number})
    monitor.handle(logging.makeLogRecord({"levelno": None}))
    registry = CollectorRegistry()
    registry.register(monitor.collector())
    reader = InMemoryMetricReader()
    assert monitor.observe(MeterProvider([reader]).get_meter("test"))

    page = generate_latest(registry).decode()
    assert (
        page.split("records_per_second")[0] == monitor.prometheus()[0].decode().split("records_per_second")[0]
    )
    by_prometheus = {
        (sample.name.removesuffix("_total"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    collected: Any = reader.get_metrics_data()
    by_opentelemetry = {
        (metric.name, frozenset(point.attributes.items())): point.value
        for metric in collected.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
    }

    prefix, this = "logging_monitor_", ("logger", logger.name)
    assert by_prometheus[prefix + "records", frozenset({this, ("level", "ERROR")})] == 20
    assert by_prometheus[prefix + "records", frozenset({this, ("level", "INFO")})] == 80
    assert by_prometheus[prefix + "broken_records", frozenset()] == 1
    assert by_prometheus[prefix + "operation_seconds_bucket", frozenset({("le", "0.01")})] == 11
    assert by_prometheus[prefix + "operation_seconds_bucket", frozenset({("le", "+Inf")})] == 100
    assert by_prometheus[prefix + "operation_seconds_sum", frozenset()] == pytest.approx(4.95)
    assert by_prometheus[prefix + "error_ratio", frozenset({("window_seconds", "60")})] == 0.2
    assert len(by_opentelemetry) > 30
    for key, value in by_opentelemetry.items():
        if key[0] != prefix + "records_per_second":  # time goes on between the two
            assert by_prometheus[key] == value, key


def test_without_opentelemetry_observing_does_nothing_and_the_rest_works():
    code = """
import sys
sys.modules["opentelemetry"] = sys.modules["opentelemetry.metrics"] = None
import logging, logging_system
handler = logging_system.AdvancedMonitoringHandler()
logging.getLogger().addHandler(handler)
logging.error("failed")
print(handler.observe(), handler.snapshot().records, len(handler.prometheus()[0]) > 1000)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "False 1 True\n"


def test_importing_and_using_it_loads_nothing_heavy():
    code = """
import json, sys
import logging, logging_system
logging.getLogger().addHandler(logging_system.AdvancedMonitoringHandler())
logging.getLogger().error("failed")
logging.getLogger().handlers[0].snapshot()
heavy = "pydantic elasticsearch prometheus_client opentelemetry orjson logging_system.handler".split()
print(json.dumps([name for name in heavy if name in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert json.loads(done.stdout) == []


def test_an_application_that_ends_in_the_middle_of_findings_ends():
    code = """
import logging, logging_system
logger = logging.getLogger("shop")
logger.addHandler(logging_system.AdvancedMonitoringHandler(on_finding=logging_system.log_findings("shop.findings"),
                                                           finding_interval_seconds=0))
logging.basicConfig(format="%(message)s")
import atexit
atexit.register(lambda: logger.error("late", extra={"duration_ms": 2000}))
for _ in range(100):
    logger.info("x")
    logger.error("slow", extra={"duration_ms": 2000})
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "An operation of shop took 2000.0 ms; the limit is 1000 ms" in done.stderr
