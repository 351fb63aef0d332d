"""`logging_system.install` in real processes, against elastic_lite as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.stack.processes import WAIT_SECONDS, Store, eventually, finish, kill, ready_line, started

STREAM = "logs-shop-default"

PROLOGUE = """
import json, logging, os, signal, sys, threading, time
import logging_system
url, spool = sys.argv[1:3]
log = logging.getLogger("app")
"""


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGGING_SYSTEM_")}
    return {**kept, **more}


def command(script: str, url: str, spool: Path) -> list[str]:
    return [sys.executable, "-c", PROLOGUE + script, url, str(spool)]


def run(script: str, url: str, spool: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(script, url, spool),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env=environment(**variables),
    )


@contextmanager
def running(script: str, url: str, spool: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = started(command(script, url, spool), env=environment())
    try:
        yield process
    finally:
        kill(process)


def stored(store: Store, stream: str = STREAM) -> Counter[str]:
    """Every stored copy, by its message."""
    store.ask("POST", f"/{stream}/_refresh")
    body = {"size": 10_000, "query": {"match_all": {}}}
    hits = store.ask("POST", f"/{stream}/_search", body)["hits"]["hits"]
    return Counter(hit["_source"]["message"] for hit in hits)


def has(store: Store, *messages: str) -> bool:
    try:
        return stored(store) == Counter(messages)
    except OSError:
        return False


def test_the_three_lines_of_the_readme_bring_a_record_to_the_store(tmp_path: Path, store: Store) -> None:
    done = run(
        'logging_system.install(url, service="shop", spool=spool)\n'
        'logging.getLogger(__name__).info("paid", extra={"order": 42})\n',
        store.url,
        tmp_path / "spool",
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert stored(store) == Counter(["paid"])


@pytest.mark.parametrize("log_threads", [True, False])
def test_what_the_client_says_about_delivering_is_not_delivered(
    tmp_path: Path, store: Store, log_threads: bool
) -> None:
    done = run(
        f"logging.logThreads = {log_threads}\n"
        'handle = logging_system.install(url, service="shop", spool=spool, level="DEBUG")\n'
        "said = []\n"
        "class Said(logging.Handler):\n"
        "    def emit(self, record): said.append(record.getMessage())\n"
        "client = logging.getLogger('urllib3')\n"
        "client.addHandler(Said())\n"
        "for number in range(5):\n"
        "    log.info('line %d', number)\n"
        "    until = time.monotonic() + 20\n"
        "    while getattr(handle.stats().shipper, 'delivered', 0) <= number and time.monotonic() < until:\n"
        "        time.sleep(0.05)\n"
        "client.debug('the application asks too')\n"
        "print(handle.stats().handler.offered, len(said) > 5, logging.getLogger().level)\n",
        store.url,
        tmp_path / "spool",
    )

    assert done.stdout.split() == ["6", "True", "10"]
    eventually(
        lambda: has(store, *(f"line {number}" for number in range(5)), "the application asks too"), "all"
    )


def test_a_second_install_is_the_first_one(tmp_path: Path) -> None:
    script = (
        'first = logging_system.install("http://127.0.0.1:9", service="a", spool=spool, shipper="none")\n'
        'same = logging_system.install("http://127.0.0.1:9", service="a", spool=spool, shipper="none")\n'
        'other = logging_system.install("http://127.0.0.1:9", service="b", spool=spool, shipper="none")\n'
        "assert first is same is other\n"
        "assert logging.getLogger().handlers == [first.handler]\n"
    )
    done = run(script, "", tmp_path / "spool")

    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "logging_system: install() was called again with another service, which is not used; "
        "close() the first installation before.\n"
    )


def test_after_close_it_can_be_installed_anew(tmp_path: Path) -> None:
    script = (
        'first = logging_system.install(service="a", spool=spool, shipper="none")\n'
        "first.close()\n"
        'log.warning("between")\n'
        'second = logging_system.install(service="b", spool=spool, shipper="none")\n'
        'log.warning("m"); second.flush(5.0)\n'
        "assert first.stats().handler.offered == 0\n"
        "assert second.stats().handler.admitted == 1\n"
    )
    done = run(script, "", tmp_path / "spool")

    assert done.returncode == 0, done.stderr


def test_bad_settings_are_reported_and_counted_and_the_application_starts(tmp_path: Path) -> None:
    script = (
        'handle = logging_system.install(url, spool=spool, durability="disk", queue_recordsmax=3)\n'
        'log.info("kept"); assert handle.flush(5.0)\n'
        "print(handle.stats().settings_problems, handle.stats().handler.admitted)\n"
    )
    done = run(script, "localhost", tmp_path / "spool", LOGGING_SYSTEM_BLOCK_SECONDS="long")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "6 1\n"
    for words in (
        "install(durability=…): must be 'memory'",
        'install(queue_recordsmax=…): no such setting; did you mean "queue_records_max"?',
        "LOGGING_SYSTEM_BLOCK_SECONDS: must be a number",
        "install(elasticsearch=…): a node is written as http://host:9200",
        'not given; say service="checkout"',
        f"install(elasticsearch=…): not given; records stay in {tmp_path}/spool",
    ):
        assert words in done.stderr


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ("processors=['no_such_module:x']", "install(processors=…): no_such_module:x: cannot be imported"),
        ("processors=3", "install(processors=…): must be a list"),
        ("procesors=['add_labels']", 'install(procesors=…): no such setting; did you mean "processors"?'),
        ("settings='/no/such/file'", "/no/such/file: No such file or directory"),
    ],
)
def test_without_a_processor_that_was_asked_for_nothing_is_written(
    tmp_path: Path, keywords: str, words: str
) -> None:
    script = (
        f'handle = logging_system.install(url, service="shop", spool=spool, shipper="none", {keywords})\n'
        'log.info("secret"); assert handle.flush(5.0)\n'
        "print(handle.stats().handler.dropped, handle.stats().settings_problems)\n"
    )
    done = run(script, "http://127.0.0.1:9", tmp_path / "spool")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "{'processor_unavailable': 1} 1\n"
    problem, dropped = done.stderr.splitlines()
    assert words in problem
    assert problem.endswith(
        "; which processors a record needs is unknown, so all records are dropped and counted"
    )
    assert dropped.endswith(
        "1 record dropped in the last second: a configured processor could not be loaded."
    )
    assert not any(b"secret" in path.read_bytes() for path in (tmp_path / "spool").iterdir())


def test_processors_come_from_the_environment(tmp_path: Path) -> None:
    script = (
        'handle = logging_system.install(url, service="shop", spool=spool, shipper="none")\n'
        'log.info("paid"); assert handle.flush(5.0)\n'
    )
    spool = tmp_path / "spool"
    done = run(
        script,
        "http://127.0.0.1:9",
        spool,
        LOGGING_SYSTEM_PROCESSORS="add_labels",
        LOGGING_SYSTEM_LABELS="env=prod, version=7",
    )
    (segment,) = spool.glob("*.segment")

    assert (done.returncode, done.stderr) == (0, "")
    assert b'"labels":{"env":"prod","version":"7"}' in segment.read_bytes()


def test_settings_come_from_a_file_and_the_environment(tmp_path: Path, store: Store) -> None:
    (tmp_path / "settings.yaml").write_text(f"service: shop\nspool: {tmp_path}/spool\nlevel: warning\n")
    done = run(
        'logging_system.install(settings=url)\nlog.info("no"); log.warning("yes")\n',
        str(tmp_path / "settings.yaml"),
        tmp_path,
        LOGGING_SYSTEM_ELASTICSEARCH=store.url,
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert stored(store) == Counter(["yes"])


def test_the_default_spool_is_named_by_the_service_and_private(tmp_path: Path) -> None:
    script = 'logging_system.install(service="shop", shipper="none")\nlog.info("m")\n'
    done = run(script, "", tmp_path, XDG_STATE_HOME=str(tmp_path / "state"))
    (segment,) = (tmp_path / "state" / "logging_system" / "shop").glob("*.segment")

    assert done.returncode == 0, done.stderr
    assert oct(segment.parent.stat().st_mode) == oct(0o40700)
    assert oct(segment.stat().st_mode) == oct(0o100600)


def test_dict_config_takes_the_handler_and_may_be_applied_again(tmp_path: Path, store: Store) -> None:
    script = """
import logging.config
config = {
    "version": 1, "disable_existing_loggers": False,
    "handlers": {"store": {
        "()": "logging_system.installed_handler", "level": "INFO",
        "elasticsearch": url, "service": "shop", "spool": spool,
    }},
    "root": {"level": "INFO", "handlers": ["store"]},
}
logging.config.dictConfig(config)
log.info("one")
logging.config.dictConfig(config)
log.info("two")
"""
    done = run(script, store.url, tmp_path / "spool")

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert stored(store) == Counter(["one", "two"])


def test_of_several_processes_one_ships_and_another_takes_over(tmp_path: Path, store: Store) -> None:
    script = (
        'logging_system.install(url, service="shop", spool=spool)\n'
        "print(json.dumps({}), flush=True)\n"
        "for line in sys.stdin:\n"
        "    log.info(line.strip())\n"
    )
    spool = tmp_path / "spool"
    with running(script, store.url, spool) as first:
        ready_line(first)
        say(first, "first")
        eventually(lambda: has(store, "first"), "the first process ships")
        with running(script, store.url, spool) as second:
            ready_line(second)
            say(second, "second")
            eventually(lambda: has(store, "first", "second"), "the first ships the second's too")
            assert holder(spool) == first.pid
            first.kill()
            first.wait(WAIT_SECONDS)
            say(second, "third")
            eventually(lambda: has(store, "first", "second", "third"), "the second takes over")
            assert holder(spool) == second.pid


def say(process: subprocess.Popen[bytes], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text.encode() + b"\n")
    process.stdin.flush()


def holder(spool: Path) -> int:
    return int((spool / "shipper.lock").read_text())


@pytest.mark.parametrize("fork_when", ["at once", "shipping"])
def test_workers_forked_by_a_server_log_and_take_over_when_it_dies(
    tmp_path: Path, store: Store, fork_when: str
) -> None:
    script = (
        'logging_system.install(url, service="shop", spool=spool)\n'
        'log.info("master")\n'
        f"while {fork_when == 'shipping'} and not os.path.exists(spool + '/status-shipper.json'):\n"
        "    time.sleep(0.02)\n"
        "workers = []\n"
        "for name in 'abc':\n"
        "    worker = os.fork()\n"
        "    if not worker:\n"
        "        log.info(f'worker {name}')\n"
        "        while not os.path.exists(spool + '/go'): time.sleep(0.02)\n"
        "        log.info(f'orphan {name}')\n"
        "        time.sleep(60)\n"
        "    workers.append(worker)\n"
        "print(json.dumps({'workers': workers}), flush=True)\n"
        "time.sleep(60)\n"
    )
    spool = tmp_path / "spool"
    early = ["master", "worker a", "worker b", "worker c"]
    with running(script, store.url, spool) as master:
        workers = ready_line(master)["workers"]
        try:
            eventually(lambda: has(store, *early), "what master and workers logged")
            first_holder = holder(spool)
            master.kill()
            master.wait(WAIT_SECONDS)
            (spool / "go").touch()
            eventually(lambda: has(store, *early, "orphan a", "orphan b", "orphan c"), "a worker takes over")
            last_holder = holder(spool)
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)

    assert first_holder in ([master.pid] if fork_when == "shipping" else [master.pid, *workers])
    assert last_holder in workers


def test_a_dead_store_does_not_hold_up_the_end_and_the_spool_is_sealed(tmp_path: Path) -> None:
    script = (
        'logging_system.install(url, service="shop", spool=spool)\n'
        "for number in range(1_000): log.info('line %d', number)\n"
        "print(time.time(), flush=True)\n"
    )
    done = run(script, "http://127.0.0.1:9", tmp_path / "spool")
    ended_seconds = time.time()

    assert done.returncode == 0, done.stderr
    assert ended_seconds - float(done.stdout) <= 5.0
    assert list((tmp_path / "spool").glob("*.segment"))
    assert not list((tmp_path / "spool").glob("*.open"))


def test_a_store_that_does_not_answer_does_not_hold_up_the_end(tmp_path: Path) -> None:
    script = (
        "import socket\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"  # accepts in the kernel, never answers
        "url = f'http://127.0.0.1:{listening.getsockname()[1]}'\n"
        'logging_system.install(url, service="shop", spool=spool)\n'
        "for number in range(1_000): log.info('line %d', number)\n"
        "time.sleep(0.5)\n"
        "print(time.time(), flush=True)\n"
    )
    done = run(script, "", tmp_path / "spool")
    ended_seconds = time.time()

    assert done.returncode == 0, done.stderr
    assert ended_seconds - float(done.stdout) <= 5.0
    assert list((tmp_path / "spool").glob("*.segment"))


def test_the_handle_tells_what_the_shipper_did(tmp_path: Path, store: Store) -> None:
    script = (
        'handle = logging_system.install(url, service="shop", spool=spool)\n'
        'log.info("m")\n'
        "deadline = time.monotonic() + 20\n"
        "while time.monotonic() < deadline:\n"
        "    shipper = handle.stats().shipper\n"
        "    if shipper is not None and shipper.delivered: break\n"
        "    time.sleep(0.05)\n"
        "print(shipper.delivered, shipper.balanced, handle.stats().handler.balanced)\n"
    )

    assert run(script, store.url, tmp_path / "spool").stdout == "1 True True\n"


# The shipper process: settings file, SIGHUP, metrics.


@contextmanager
def ship(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    words = [sys.executable, "-m", "logging_system", "ship", "--settings", str(folder / "settings.yaml")]
    with (folder / "ship.log").open("ab") as log:
        process = started([*words, *options], env=environment(), stderr=log)
    try:
        yield process, ready_line(process)
    finally:
        kill(process)


def settings(folder: Path, **more: object) -> None:
    content = {"service": "shop", "spool": str(folder / "spool"), **more}
    path = folder / "settings.yaml"
    path.with_suffix(".new").write_text(json.dumps(content))
    path.with_suffix(".new").rename(path)


def test_sighup_under_load_takes_other_settings_and_loses_nothing(tmp_path: Path, store: Store) -> None:
    script = (
        'logging_system.install(service="shop", spool=spool, shipper="none")\n'
        "for number in range(3_000):\n"
        "    log.info('line %d', number)\n"
        "    time.sleep(0.001)\n"
    )
    settings(tmp_path, elasticsearch=[store.url], batch_records_max=7)
    with ship(tmp_path) as (process, _), running(script, "", tmp_path / "spool") as application:
        for batch_records in (11, 13, 17, 19):
            eventually((tmp_path / "spool" / "status-shipper.json").exists, "it ships")
            settings(tmp_path, elasticsearch=[store.url], batch_records_max=batch_records)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
        assert finish(application) == 0
        eventually(lambda: sum(stored(store).values()) >= 3_000, "all delivered")

        assert stored(store) == Counter(f"line {number}" for number in range(3_000))
        assert process.poll() is None
        status = tmp_path / "spool" / "status-shipper.json"
        eventually(lambda: orjson.loads(status.read_bytes())["events"]["settings_reloaded"] == 4, "4 reloads")
    assert "Settings read again; changed: batch_records_max." in (tmp_path / "ship.log").read_text()


def test_a_reload_leaves_no_thread_of_before(tmp_path: Path, store: Store) -> None:
    settings(tmp_path, elasticsearch=[store.url])
    log = tmp_path / "ship.log"
    delivered: list[str] = []
    with ship(tmp_path) as (process, _):

        def deliver(message: str) -> None:
            script = 'logging_system.install(service="shop", spool=spool, shipper="none")\n'
            run(f"{script}log.info('{message}')", "", tmp_path / "spool")
            delivered.append(message)
            eventually(lambda: has(store, *delivered), f"{message} arrives")

        def threads() -> int:
            return len(list(Path(f"/proc/{process.pid}/task").iterdir()))

        def reloads() -> int:
            return log.read_text().count("Settings read again")

        deliver("before")
        process.send_signal(signal.SIGHUP)
        eventually(lambda: reloads() == 1, "the first event starts the thread of the events")
        deliver("after reload 1")  # starts the thread of the requests
        before = threads()
        for number in range(2, 6):
            process.send_signal(signal.SIGHUP)
            eventually(lambda count=number: reloads() == count, "the reload")  # type: ignore[misc]
            deliver(f"after reload {number}")

        eventually(lambda: threads() <= before, f"no more than {before} threads")


def test_a_mistake_at_sighup_is_reported_and_the_settings_stay(tmp_path: Path, store: Store) -> None:
    settings(tmp_path, elasticsearch=[store.url])
    with ship(tmp_path) as (process, _):
        settings(tmp_path, elasticsearch=[store.url], connections="many")
        process.send_signal(signal.SIGHUP)
        log = tmp_path / "ship.log"
        eventually(lambda: "the settings stay as they were" in log.read_text(), "the report")
        done = run(
            'logging_system.install(service="shop", spool=spool, shipper="none"); log.info("m")',
            "",
            tmp_path / "spool",
        )
        eventually(lambda: has(store, "m"), "delivery goes on")

        assert done.returncode == 0
        assert "settings.yaml:1 connections: must be a whole number" in log.read_text()


def test_a_reload_reaches_another_store(tmp_path: Path, store: Store) -> None:
    settings(tmp_path, elasticsearch=["http://127.0.0.1:9"])
    run(
        'logging_system.install(service="shop", spool=spool, shipper="none"); log.info("m")',
        "",
        tmp_path / "spool",
    )
    with ship(tmp_path) as (process, _):
        settings(tmp_path, elasticsearch=[store.url])
        process.send_signal(signal.SIGHUP)

        eventually(lambda: has(store, "m"), "delivery to the other store")


def test_metrics_are_served_beside_shipping(tmp_path: Path, store: Store) -> None:
    import urllib.request

    settings(tmp_path, elasticsearch=[store.url])
    run(
        'logging_system.install(service="shop", spool=spool, shipper="none"); log.info("m")',
        "",
        tmp_path / "spool",
    )
    with ship(tmp_path, "--status-port", "0") as (_process, ready):

        def page() -> str:
            url = f"http://127.0.0.1:{ready['status_port']}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())

        eventually(lambda: "logging_system_shipper_delivered_total 1.0" in page(), "the delivery is counted")
        assert "logging_system_handlers_admitted_total 1.0" in page()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("connections: many\n", "settings.yaml:1 connections: must be a whole number"),
        ("elasticsearh: [http://a:9200]\n", 'no such setting; did you mean "elasticsearch"?'),
        ("service: shop\n", "--elasticsearch is required, or --file"),
        ("elasticsearch: [http://a:9200]\n", "--spool is required, or --service"),
    ],
)
def test_ship_does_not_start_with_a_bad_required_setting(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "logging_system", "ship", "--settings", str(tmp_path / "settings.yaml")],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env=environment(LOGGING_SYSTEM_SERVICE_PORT="tcp://10.0.0.1:80"),
    )

    assert done.returncode == 4
    assert words in done.stderr
    assert "Traceback" not in done.stderr
