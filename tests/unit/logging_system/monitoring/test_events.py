"""Each kind of event: the real thing emits it, and every subscriber shows it."""

from __future__ import annotations

import _threading_local
import logging
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import orjson
import pytest

from logging_system.cli.ship import _Shipping
from logging_system.config.loading import load_settings
from logging_system.config.settings import Settings
from logging_system.config.tracing import tracing_of
from logging_system.delivery.outcomes import SendOutcome, Unknown
from logging_system.encryption.encryption import Encryption
from logging_system.handler import SpoolHandler
from logging_system.handler.attachment import Attachment
from logging_system.installation import Installation, installed_handler
from logging_system.keys.providers.file import FileProvider
from logging_system.monitoring.counters import LiveCounters
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.event_words import DROP_REASONS, WordsInLog
from logging_system.monitoring.events import KINDS, WatchBehind, WatchCaughtUp
from logging_system.monitoring.prometheus import SpoolCollector, exposition
from logging_system.monitoring.status_files import WATCH_NAME, HandlerStatusFile
from logging_system.monitoring.writer_watch import WriterWatch
from logging_system.shipping.in_process import InProcessShipper
from logging_system.shipping.shipper import STATUS_NAME, Shipper
from logging_system.shipping.sink_factory import limits_of, sink_opener
from logging_system.sinks.fallback import PROBE_SECONDS, FallbackSink
from logging_system.sinks.file import FileSink
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from logging_system.spool.retention import Retention
from logging_system.spool.writer import SpoolWriter
from tests.repository import DOCS
from tests.unit.logging_system.encryption.sealed import Unreliable, key_file

SECONDS = 20.0
METRICS = DOCS / "reference" / "logging-metrics.md"
REFERENCE = DOCS / "reference" / "logging-events.md"


def eventually(true: Callable[[], object]) -> None:
    deadline_seconds = time.monotonic() + SECONDS
    while not true() and time.monotonic() < deadline_seconds:
        time.sleep(0.01)
    assert true()


def record(text: str = "m") -> logging.LogRecord:
    return logging.makeLogRecord({"name": "app", "msg": text, "levelno": logging.INFO, "levelname": "INFO"})


@pytest.fixture
def stream() -> Iterator[EventStream]:
    made = EventStream(WordsInLog())
    yield made
    made.close(SECONDS)


def shown(stream: EventStream, caplog: pytest.LogCaptureFixture, kind: str, words: str) -> None:
    """Check that an event of this kind was counted, and told in these words."""
    stream.close(SECONDS)
    assert stream.counts().get(kind, 0) >= 1, stream.counts()
    assert words in caplog.text


def in_status(folder: Path, pattern: str, kind: str) -> None:
    """Check that the status file and the metrics count it; a handler's worker may write it anew meanwhile."""
    (path,) = folder.glob(pattern)

    def agree() -> bool:
        counted = orjson.loads(path.read_bytes())["events"][kind]
        page = exposition(SpoolCollector(folder, folder / STATUS_NAME))[0].decode()
        return counted >= 1 and bool(re.search(rf'_events_total{{kind="{kind}"}} {counted}\.0', page))

    eventually(agree)


def in_shipper_status(stream: EventStream, folder: Path, *kinds: str) -> None:
    """Check that a shipper with this stream counts what it saw, in its status file and the metrics."""
    shipper = Shipper(spool(folder), sink(folder), events=stream)
    shipper.stop()
    shipper.run()
    for kind in kinds:
        in_status(folder, STATUS_NAME, kind)


def test_every_kind_is_in_the_reference_and_is_seen_by_every_subscriber() -> None:
    words = {re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in KINDS}
    rows = set(re.findall(r"^\| `([a-z_]+)`", REFERENCE.read_text(), re.MULTILINE))
    lines = [line for line in Path(__file__).read_text().splitlines() if not line.startswith("def ")]
    told = {word for line in lines if " shown(" in line for word in re.findall(r'"([a-z_]+)"', line)}
    counted = {word for line in lines if "in_" in line for word in re.findall(r'"([a-z_]+)"', line)}

    assert rows == words
    assert words - told == set()
    assert words - counted == set()


def test_every_reason_for_a_drop_has_words() -> None:
    section = METRICS.read_text().split("| reason | ")[1].split("\n\n")[0]

    assert set(re.findall(r"^\| `([a-z_]+)`", section, re.MULTILINE)) == DROP_REASONS.keys()


def test_a_full_spool_and_what_it_drops_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    handler = SpoolHandler(spool=tmp_path, service="s", spool_bytes_max=5_000, durability="write")
    for _ in range(40):
        handler.handle(record("x" * 400))
    handler.flush(SECONDS)
    handler.close()

    shown(handler.events, caplog, "spool_full", "The spool is full and refuses records")
    shown(handler.events, caplog, "records_dropped", "dropped in the last second: spool full.")
    in_status(tmp_path, "status-handler-*.json", "records_dropped")
    in_status(tmp_path, "status-handler-*.json", "spool_full")
    assert handler.events.counts()["records_dropped"] == sum(handler.stats().dropped.values())


def test_a_spool_that_fills_up_and_is_emptied_is_told(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    handler = SpoolHandler(spool=tmp_path / "other", service="s")
    counters = handler.stats()
    handler.close()
    writer = SpoolWriter(tmp_path / "spool", spool_bytes_max=20_000, sync=False)
    watch = WriterWatch(stream, writer, tmp_path / "spool")
    watch.look(counters)
    while writer.used_bytes < 18_000:
        writer.append([b"x" * 300])
    watch.look(counters)
    writer.seal()
    for segment in (tmp_path / "spool").glob("*.segment"):
        segment.unlink()
    watch.look(counters)

    shown(stream, caplog, "spool_nearly_full", "The spool is nearly full: 18,")
    shown(stream, caplog, "spool_has_room", "The spool has room again: 0 of 20,000 bytes used.")
    assert stream.counts() == {"spool_nearly_full": 1, "spool_has_room": 1}
    folder = tmp_path / "spool"
    status = HandlerStatusFile(folder, writer.epoch.hex(), "s", time.monotonic, watch=watch)
    status.report(LiveCounters(), closing=True)
    in_status(folder, "status-handler-*.json", "spool_nearly_full")
    in_status(folder, "status-handler-*.json", "spool_has_room")


def test_records_that_give_way_to_newer_ones_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handler = SpoolHandler(
        spool=tmp_path,
        service="s",
        durability="write",
        retention=Retention(bytes_max=40_000),
        spool_bytes_max=40_000,
    )
    for _ in range(60):
        handler.handle(record("x" * 4_000))
        handler.flush(SECONDS)
    handler.close()

    shown(handler.events, caplog, "records_evicted", "deleted from the spool by retention")
    in_status(tmp_path, "status-handler-*.json", "records_evicted")


def test_a_callback_that_raises_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_records: object) -> None:
        raise ValueError("the application's own trouble")

    handler = SpoolHandler(spool=tmp_path, service="s", on_durable=fail)
    handler.handle(record())
    handler.close()

    shown(handler.events, caplog, "callback_failed", "on_durable raised an exception.")
    in_status(tmp_path, "status-handler-*.json", "callback_failed")


def test_a_folder_that_cannot_be_one_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    handler = SpoolHandler(spool=tmp_path / "file", service="s", close_seconds=0.5)
    handler.handle(record())
    handler.close()

    shown(handler.events, caplog, "disk_trouble", "Disk error while writing the spool: EEXIST, File exists")
    in_shipper_status(handler.events, tmp_path / "other", "disk_trouble")


def test_a_handler_taken_off_the_root_logger_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handler = SpoolHandler(spool=tmp_path, service="s")
    Attachment(handler, handler.events.emit).look(for_the_last_time=True)
    handler.close()

    shown(handler.events, caplog, "handler_detached", "The handler was taken off the root logger")
    in_status(tmp_path, "status-handler-*.json", "handler_detached")


def test_threads_that_are_replaced_after_the_handler_has_its_own_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Idle:
        def start(self) -> None:
            pass

        def leave_parent(self) -> None:
            pass

        def finish(self, epoch: bytes, deadline_seconds: float, *, for_good: bool) -> None:
            pass

    handler = SpoolHandler(spool=tmp_path, service="s", in_process=Idle())
    with monkeypatch.context() as gevents:
        gevents.setattr(threading, "local", _threading_local.local)  # another, as gevent's is
        handler.handle(record())
        assert handler.flush()
        handler.close()

    shown(handler.events, caplog, "threads_replaced", "Call install() after monkey.patch_all()")
    in_status(tmp_path, "status-handler-*.json", "threads_replaced")


def test_a_formatter_and_a_changed_name_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keywords = {"service": "my-shop", "spool": tmp_path, "file": tmp_path / "out", "shipper": "none"}
    loaded = load_settings({**keywords, "elasticsearch": "http://127.0.0.1:9"})
    installation = Installation(loaded, on_durable=None)
    installation.handler.setFormatter(logging.Formatter())
    installation.close()

    words = "The service my-shop is written logs-my_shop-default in the name of the stream"
    shown(installation.handler.events, caplog, "name_changed", words)
    shown(installation.handler.events, caplog, "formatter_unused", "does not use the formatter")
    in_status(tmp_path, "status-handler-*.json", "name_changed")
    in_status(tmp_path, "status-handler-*.json", "formatter_unused")


def test_a_system_without_threads_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    usual_bytes = threading.stack_size(1 << 47)  # more than there are addresses
    try:
        handler = SpoolHandler(spool=tmp_path, service="s", close_seconds=0.5)
        shipper = InProcessShipper(
            tmp_path, lambda _emit: lambda: sink(tmp_path), limits=limits_of(Settings())
        )
        shipper.start()
    finally:
        threading.stack_size(usual_bytes)
    handler.close()
    shipper.events.close(SECONDS)

    shown(handler.events, caplog, "thread_refused", "The system has no thread for the worker")
    shown(shipper.events, caplog, "thread_refused", "The system has no thread for the shipper")
    in_status(tmp_path, "status-handler-*.json", "thread_refused")


def test_what_an_operator_should_know_of_the_store_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(
        {"elasticsearch": "https://127.0.0.1:1", "verify": False, "service": "shop"}
    ).settings
    shipper = InProcessShipper(tmp_path, partial(sink_opener, settings), limits=limits_of(settings))
    shipper._open_sink().close()

    shown(shipper.events, caplog, "store_remark", "logs-shop-default: certificate verification is off")
    in_shipper_status(shipper.events, tmp_path, "store_remark")


def sink(folder: Path) -> FileSink:
    return FileSink(folder / "out.ndjson", rotate_bytes=64 * 1024, rotate_files=3)


class Failing(FileSink):
    """A file sink that is not there at first, and then does not answer a few times."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "out.ndjson", rotate_bytes=1 << 20, rotate_files=3)
        self.prepare_failures = 1
        self.send_failures = 7

    def prepare(self) -> str | None:
        self.prepare_failures -= 1
        return "connection refused" if self.prepare_failures >= 0 else super().prepare()

    def send(self, items: object) -> SendOutcome:
        self.send_failures -= 1
        return Unknown("connection reset") if self.send_failures >= 0 else super().send(items)  # type: ignore[arg-type]


def spool(folder: Path, *documents: bytes) -> Path:
    writer = SpoolWriter(folder, spool_bytes_max=1 << 30, sync=False)
    for document in documents:
        writer.append([document])
    writer.seal()
    return folder


def ship_until(shipper: Shipper, done: Callable[[], object]) -> None:
    thread = threading.Thread(target=shipper.run)
    thread.start()
    try:
        eventually(done)
    finally:
        shipper.stop()
        thread.join(SECONDS)


def test_a_store_that_goes_away_and_comes_back_is_told(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    folder = spool(tmp_path / "spool", b'{"n":1}')
    shipper = Shipper(folder, Failing(tmp_path), events=stream)
    ship_until(shipper, lambda: shipper.counters().delivered and "breaker_closed" in stream.counts())

    words = "The store is not available; records wait in the spool: connection"
    shown(stream, caplog, "store_unavailable", words)
    shown(stream, caplog, "store_available", "The store is available again.")
    shown(stream, caplog, "breaker_opened", "one small request at a time: connection reset")
    shown(stream, caplog, "breaker_closed", "The store accepts requests again.")
    in_status(folder, STATUS_NAME, "store_unavailable")
    in_status(folder, STATUS_NAME, "store_available")
    in_status(folder, STATUS_NAME, "breaker_opened")
    in_status(folder, STATUS_NAME, "breaker_closed")


def test_a_store_that_is_not_there_is_in_the_status_file(tmp_path: Path, stream: EventStream) -> None:
    folder = spool(tmp_path / "spool")
    store = Failing(tmp_path)
    store.prepare_failures = 1_000
    shipper = Shipper(folder, store, events=stream)
    ship_until(shipper, lambda: stream.latest("store"))
    status = orjson.loads((folder / STATUS_NAME).read_bytes())

    assert (
        status["store_trouble"] == "The store is not available; records wait in the spool: connection refused"
    )


def test_dead_letters_are_told(tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture) -> None:
    folder = spool(tmp_path / "spool", orjson.dumps({"text": "x" * 70_000}))
    shipper = Shipper(folder, sink(tmp_path), events=stream)
    ship_until(shipper, lambda: shipper.counters().dead_lettered)

    shown(stream, caplog, "dead_letters_written", "1 record refused by the store for good")
    in_status(folder, STATUS_NAME, "dead_letters_written")


def test_a_disk_that_refuses_the_shipper_is_told_and_in_the_status_file(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    folder = spool(tmp_path / "spool", b'{"n":1}')
    status = tmp_path / "nowhere" / "status.json"
    shipper = Shipper(folder, sink(tmp_path), events=stream, status_path=status)

    def mended() -> bool:
        if "disk_trouble" not in stream.counts():
            return False
        status.parent.mkdir(exist_ok=True)
        return True

    ship_until(shipper, mended)

    shown(stream, caplog, "disk_trouble", "Disk error while writing the status file: ENOENT, No such file")
    assert "while writing the status file" in orjson.loads(status.read_bytes())["disk_trouble"]


def test_a_folder_taken_by_another_process_is_told(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    folder, removed = spool(tmp_path / "spool"), tmp_path / "removed"
    shipper = Shipper(folder, sink(tmp_path), events=stream)
    other = SpoolReader(tmp_path / "taken")
    folder.rename(removed)
    (tmp_path / "taken").rename(folder)
    shutil.rmtree(removed)
    try:
        with pytest.raises(SpoolBusyError):
            shipper.run()
    finally:
        other.close()

    shown(stream, caplog, "spool_taken_over", f"{folder} was removed and taken by another process; 0 records")
    in_shipper_status(stream, tmp_path / "next", "spool_taken_over")


def test_a_fallback_is_told_when_it_begins_and_ends(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    now_seconds = 0.0
    store = Failing(tmp_path)
    store.prepare_failures = 2
    files = FileSink(tmp_path / "fallback.ndjson", rotate_bytes=1 << 20, rotate_files=3, redirected=True)
    path = tmp_path / "fallback.ndjson"
    both = FallbackSink(store, files, path, after_seconds=60, emit=stream.emit, monotonic=lambda: now_seconds)
    both.prepare()
    now_seconds = 60.0
    both.prepare()
    now_seconds += PROBE_SECONDS
    both.send([])

    shown(stream, caplog, "fallback_begun", f"not available for 60 s; records go to {path} until it is")
    shown(stream, caplog, "fallback_ended", f"Those of the outage are in {path}.")
    in_shipper_status(stream, tmp_path, "fallback_begun", "fallback_ended")


def test_a_thread_that_cannot_ship_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> FileSink:
        raise ValueError("no such store")

    shipper = InProcessShipper(
        tmp_path, lambda _emit: refuse, limits=limits_of(Settings()), poll_seconds=0.05
    )
    shipper.start()
    eventually(lambda: "shipping_failed" in shipper.events.counts())
    shipper.finish(b"", time.monotonic() + 1, for_good=True)

    shown(shipper.events, caplog, "shipping_failed", f"records stay in {tmp_path}: ValueError: no such store")
    in_shipper_status(shipper.events, tmp_path, "shipping_failed")


def test_what_waits_at_the_end_is_told_with_its_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = SpoolWriter(tmp_path, spool_bytes_max=1 << 20, sync=False)
    writer.append([b"{}"] * 3)
    settings = Settings(elasticsearch=["http://127.0.0.1:9"], service="s")
    shipper = InProcessShipper(tmp_path, partial(sink_opener, settings), limits=limits_of(settings))
    shipper.start()
    eventually(lambda: shipper.events.latest("store"))
    shipper.finish(writer.epoch, time.monotonic() + 1, for_good=True)
    writer.seal()

    words = f"3 records were not delivered when this process ended and wait in {tmp_path}; the next process"
    shown(shipper.events, caplog, "records_waiting", words)
    assert "delivers them: http://127.0.0.1:9: " in caplog.text
    assert shipper.events.counts()["records_waiting"] == 3
    in_shipper_status(shipper.events, tmp_path, "records_waiting")


def test_a_spool_folder_that_cannot_be_used_is_told_with_the_one_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    loaded = load_settings({"service": "s", "spool": tmp_path / "file", "shipper": "none"})
    installation = Installation(loaded, on_durable=None)
    installation.close()

    words = f"Cannot write to {tmp_path}/file: EEXIST, File exists; records go to {installation.spool}."
    shown(installation.handler.events, caplog, "spool_unwritable", words)
    in_status(installation.spool, "status-handler-*.json", "spool_unwritable")


def test_a_key_that_is_not_there_is_told_as_that_and_not_as_a_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = Encryption(FileProvider(tmp_path / "none.json"), tmp_path / "keyring", "logs")
    handler = SpoolHandler(spool=tmp_path, service="s", close_seconds=0.2, codecs=keys.codecs())
    handler.handle(record("x"))
    handler.close()

    shown(handler.events, caplog, "key_unavailable", "The encryption key is not available and nothing is")
    in_status(tmp_path, "status-handler-*.json", "key_unavailable")
    # The worker may learn a moment after `close` has given up that there is no more time.
    eventually(lambda: handler.stats().dropped == {"key_unavailable": 1})


def test_a_rotation_of_the_key_and_what_stands_in_its_way_are_told(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Unreliable(key_file(tmp_path))
    keys = Encryption(provider, tmp_path / "keyring", "logs", rotation_seconds=1e-9)
    keys.sealer("block").seal(b"x", b"")
    for lease in (tmp_path / "keyring" / "leases").iterdir():
        lease.unlink()  # that writer is gone
    provider.fail()
    keys.schedule().look(stream.emit)
    provider.mend()
    keys.schedule().look(stream.emit)

    shown(stream, caplog, "key_trouble", "The rotation of key logs cannot go on and is tried again: gone")
    shown(stream, caplog, "key_rotated", "Key logs was rotated (schedule); version 2 is active.")
    in_shipper_status(stream, tmp_path, "key_trouble", "key_rotated")


def test_settings_read_again_are_told_with_what_cannot_be_used(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    keywords = {"spool": tmp_path, "file": tmp_path / "out.ndjson", "service": "s"}
    changes: list[dict[str, object]] = [{"gzip": True, "status_port": 0}, {"connections": 0}]
    before = load_settings(keywords).settings
    shipping = _Shipping(
        tmp_path, before, sink(tmp_path), lambda: load_settings({**keywords, **changes.pop(0)}), stream
    )
    shipping._take_over_settings()
    shipping._take_over_settings()

    shown(stream, caplog, "settings_reloaded", "Settings read again; changed: gzip, status_port.")
    shown(stream, caplog, "settings_problem", "status_port=: changed; restart to change it")
    in_shipper_status(stream, tmp_path, "settings_reloaded", "settings_problem")
    assert "connections=: must be at least 1; the settings stay as they were" in caplog.text


def test_a_shipper_that_waits_for_its_folder_says_so(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture
) -> None:
    holder = SpoolReader(tmp_path)
    settings = Settings(spool=tmp_path, file=tmp_path / "out.ndjson")
    shipping = _Shipping(tmp_path, settings, sink(tmp_path), lambda: load_settings({}), stream)
    thread = threading.Thread(target=shipping._next_shipper)
    thread.start()
    eventually(lambda: "spool_busy" in stream.counts())
    shipping.stop()
    thread.join(SECONDS)
    holder.close()

    shown(stream, caplog, "spool_busy", "Waiting for the spool folder: ")
    in_shipper_status(stream, tmp_path, "spool_busy")


def test_a_bad_setting_of_an_application_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    loaded = load_settings({"service": "s", "spool": tmp_path, "durability": "disk", "shipper": "none"})
    installation = Installation(loaded, on_durable=None)
    installation.close()

    shown(installation.handler.events, caplog, "settings_problem", "durability=: must be 'memory'")
    in_status(tmp_path, "status-handler-*.json", "settings_problem")


def test_a_second_installation_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = installed_handler(service="a", spool=tmp_path, shipper="none")
    same = installed_handler(service="b", spool=tmp_path, shipper="none")
    first.close()

    assert same is first
    shown(first.events, caplog, "installed_twice", "install() was called again with another service")
    in_status(tmp_path, "status-handler-*.json", "installed_twice")


def test_spans_of_the_pipeline_that_are_dropped_or_cannot_be_made_are_told(
    tmp_path: Path, stream: EventStream, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.sdk.trace")
    asked = Settings(service="shop", traces_file=tmp_path / "missing" / "spans.jsonl", traces_sampled=1.0)
    tracing = tracing_of(asked, stream.emit)
    ids = {"trace": {"id": "a" * 32}, "span": {"id": "b" * 16}}
    with tracing.spool_append([orjson.dumps(ids)]):
        pass
    tracing.close(SECONDS)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    tracing_of(asked, stream.emit)

    in_shipper_status(stream, tmp_path, "spans_dropped", "tracing_unavailable")
    shown(stream, caplog, "spans_dropped", "records are not affected: the exporter could not deliver them.")
    shown(stream, caplog, "tracing_unavailable", "no spans of itself, though the settings ask for them: ")


def test_a_watch_that_falls_behind_and_catches_up_is_told_and_counted(
    stream: EventStream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stream.emit(WatchBehind(lag_seconds=12.4, one_in=10))
    stream.emit(WatchCaughtUp(lasted_seconds=31.0))

    shown(stream, caplog, "watch_behind", "12 s behind what is logged. Detection reads one in 10 records")
    shown(stream, caplog, "watch_caught_up", "caught up after 31 s")
    (tmp_path / WATCH_NAME).write_bytes(orjson.dumps({"events": stream.counts()}))
    in_status(tmp_path, WATCH_NAME, "watch_behind")
    in_status(tmp_path, WATCH_NAME, "watch_caught_up")
