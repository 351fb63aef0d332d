"""SIGTERM at random moments: the end is in time and as documented, what was acknowledged arrives once.

`LOGQUAKE_SIGTERM_ROUNDS` asks for more moments of each kind than run by default, `LOGQUAKE_SIGTERM_SEED` for
others.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from logging_system.spool.writer import SpoolWriter
from tests.stack.processes import Store, eventually, finish, gateway_command, kill, ready_line, started

ROUNDS = int(os.environ.get("LOGQUAKE_SIGTERM_ROUNDS", "2"))
SEED = os.environ.get("LOGQUAKE_SIGTERM_SEED", "1")
END_SECONDS_MAX = 10.0
"""Twice what is promised: the machine may be busy. What it is for hung for ever."""

STARTING_SHARE = 0.2
STARTING_SECONDS = 0.5
RUNNING_SECONDS = 1.2
RECORDS = 3_000
DEAD = "http://127.0.0.1:9"

pytestmark = pytest.mark.timeout(60 + 60 * ROUNDS)

APPLICATION = """
import logging, os, signal, sys, threading, time
from logging_system import install  # all that is imported is, before a signal can end it halfway
url, spool, stream, acknowledged, ending = sys.argv[1:]
if ending == "exits":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
out = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def durable(records):
    os.write(out, "".join(record.getMessage() + "\\n" for record in records).encode())
install(url, service="shop", stream=stream, spool=spool, on_durable=durable)
log = logging.getLogger("app")
def work(name):
    for number in range(4_000):
        log.info("%s %d", name, number)
        time.sleep(0.001)
threading.Thread(target=work, args=("thread",), daemon=True).start()
print('{"ready": true}', flush=True)
work("main")
time.sleep(60)
"""


class SlowLine:
    """Passes bytes on to a store, and each of its answers late."""

    def __init__(self, port: int, delay_seconds: float = 0.4) -> None:
        self._port = port
        self._delay_seconds = delay_seconds
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                for source, target, delay_seconds in ((near, far, 0.0), (far, near, self._delay_seconds)):
                    threading.Thread(
                        target=self._pass, args=(source, target, delay_seconds), daemon=True
                    ).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket, delay_seconds: float) -> None:
        with suppress(OSError), source:
            while part := source.recv(1 << 16):
                time.sleep(delay_seconds)
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def slow_line(store: Store) -> Iterator[SlowLine]:
    line = SlowLine(store.port)
    yield line
    line.close()


def ship_command(spool: Path, url: str, stream: str) -> list[str]:
    command = [sys.executable, "-m", "logging_system", "ship", "--spool", str(spool)]
    return [*command, "--elasticsearch", url, "--stream", stream]


def end_at(rng: random.Random, command: list[str], codes: set[int], during: Callable[[str], None]) -> str:
    """Start a program and end it by SIGTERM at a moment that `rng` chooses.

    Args:
        rng: Where the moment comes from: sometimes while it starts, else while it runs.
        command: The program; its first line says that it is ready.
        codes: How it may end once it is ready.
        during: Called with the ready line's `url` while it runs, if it is waited for.

    Returns:
        The moment, for messages.
    """
    starting = rng.random() < STARTING_SHARE
    seconds = rng.uniform(0.0, STARTING_SECONDS if starting else RUNNING_SECONDS)
    moment = f"{seconds:.3f} s after {'its start' if starting else 'it was ready'}"
    process = started(command, stderr=subprocess.DEVNULL)
    try:
        if not starting:
            during(ready_line(process).get("url", ""))
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS_MAX)

        # Before it is ready it may not have set up its handler yet.
        assert process.poll() in codes | ({-signal.SIGTERM} if starting else set()), f"SIGTERM {moment}"
    finally:
        kill(process)
    return moment


def stored(store: Store, stream: str) -> Counter[str]:
    """Every stored copy, by its message."""
    try:
        store.ask("POST", f"/{stream}/_refresh")
        hits = store.ask("POST", f"/{stream}/_search", {"size": 10_000})["hits"]["hits"]
    except OSError:
        return Counter()
    return Counter(hit["_source"]["message"] for hit in hits)


def drained(store: Store, spool: Path, stream: str, promised: set[str]) -> Counter[str]:
    """Have another shipper deliver what is left; return every stored copy."""
    process = started(ship_command(spool, store.url, stream), stderr=subprocess.DEVNULL)
    try:
        ready_line(process)
        eventually(lambda: promised <= stored(store, stream).keys(), "what was acknowledged arrives")
        process.send_signal(signal.SIGTERM)
        assert finish(process) == 0
    finally:
        kill(process)
    return stored(store, stream)


def rounds(case: str) -> Iterator[tuple[int, random.Random]]:
    for number in range(ROUNDS):
        yield number, random.Random(f"{SEED} {case} {number}")


@pytest.mark.parametrize("state", ["healthy", "dead", "slow"])
def test_a_shipper_ended_at_any_moment_leaves_the_rest_to_the_next_one(
    tmp_path: Path, store: Store, slow_line: SlowLine, state: str
) -> None:
    url = {"healthy": store.url, "dead": DEAD, "slow": slow_line.url}[state]
    for number, rng in rounds(f"ship {state}"):
        spool, stream = tmp_path / f"spool-{number}", f"logs-sigterm-{number}"
        writer = SpoolWriter(spool, spool_bytes_max=1 << 30, sync=False)
        for first in range(0, RECORDS, 500):
            writer.append([document(str(first + place)) for place in range(500)])
        writer.seal()
        moment = end_at(rng, ship_command(spool, url, stream), {0}, lambda _: None)
        promised = {str(each) for each in range(RECORDS)}

        assert drained(store, spool, stream, promised) == Counter(promised), f"SIGTERM {moment}"


@pytest.mark.parametrize("state", ["healthy", "dead", "slow"])
@pytest.mark.parametrize("ending", ["exits", "is killed"])
def test_an_application_ended_at_any_moment_keeps_what_was_acknowledged(
    tmp_path: Path, store: Store, slow_line: SlowLine, state: str, ending: str
) -> None:
    url = {"healthy": store.url, "dead": DEAD, "slow": slow_line.url}[state]
    for number, rng in rounds(f"install {state} {ending}"):
        spool, stream = tmp_path / f"spool-{number}", f"logs-sigterm-{number}"
        path = tmp_path / f"acknowledged-{number}"
        arguments = [url, str(spool), stream, str(path), ending]
        code = 0 if ending == "exits" else -signal.SIGTERM
        moment = end_at(rng, [sys.executable, "-c", APPLICATION, *arguments], {code}, lambda _: None)
        promised = set(path.read_text().split("\n")[:-1]) if path.exists() else set()
        found = drained(store, spool, stream, promised)

        assert promised <= found.keys(), f"SIGTERM {moment}"
        assert set(found.values()) <= {1}, f"SIGTERM {moment}"


def test_a_gateway_ended_at_any_moment_keeps_what_it_answered_with_200(tmp_path: Path, store: Store) -> None:
    for number, rng in rounds("serve"):
        spool, stream = tmp_path / f"spool-{number}", f"logs-sigterm-{number}"
        promised: set[str] = set()
        clients: list[threading.Thread] = []

        def during(
            url: str, promised: set[str] = promised, clients: list[threading.Thread] = clients
        ) -> None:
            for name in ("one", "two"):
                clients.append(threading.Thread(target=send, args=(url, name, promised)))
                clients[-1].start()

        command = gateway_command(spool)
        moment = end_at(rng, command, {0}, during)
        for client in clients:
            client.join()
        found = drained(store, spool, stream, promised)

        assert promised <= found.keys(), f"SIGTERM {moment}"
        assert set(found.values()) <= {1}, f"SIGTERM {moment}"


def send(url: str, name: str, promised: set[str]) -> None:
    """Send until the gateway refuses or is gone; note what it answered with 200."""
    headers: dict[str, Any] = {"Content-Type": "application/x-ndjson"}
    with requests.Session() as session, suppress(requests.RequestException):
        for number in range(4_000):
            message = f"{name} {number}"
            answer = session.post(f"{url}/v1/ndjson", document(message), headers=headers, timeout=20)
            if answer.status_code != 200:
                return
            promised.add(message)


def document(message: str) -> bytes:
    return orjson.dumps({"@timestamp": "2026-01-01T00:00:00Z", "message": message})
