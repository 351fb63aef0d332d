"""Several gateways with a spool each: one dies for good, and its folder finds another shipper."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.error import HTTPError

import orjson
import pytest
import requests

from harness.processes.ports import free_port
from logging_system.spool.reader import SpoolReader
from tests.repository import REPOSITORY
from tests.stack.processes import (
    WAIT_SECONDS,
    Store,
    eventually,
    gateway_command,
    kill,
    ready_line,
    started,
)
from tests.stack.test_shipping import shipper

LOCUST_FILE = REPOSITORY / "containers" / "many" / "locustfile.py"
LOCUST_SECONDS_MAX = 150.0
"""Two of its processes are imported beside whatever else this machine does."""
NDJSON = {"Content-Type": "application/x-ndjson"}
PART = 20


def post_until_it_dies(url: str, client: int, acknowledged: list[int]) -> None:
    with requests.Session() as session:
        for part in range(1_000):
            numbers = [client * 1_000_000 + part * PART + each for each in range(PART)]
            body = b"".join(
                orjson.dumps({"message": "x", "labels": {"sequence": each}, "event": {"sequence": each}})
                + b"\n"
                for each in numbers
            )
            try:
                answer = session.post(f"{url}/v1/ndjson", body, headers=NDJSON, timeout=WAIT_SECONDS)
            except requests.RequestException:
                return
            if answer.status_code == 200:
                acknowledged.extend(numbers)


def stored_in(store: Store) -> Counter[int]:
    """Every stored copy by its sequence; none while the stream does not exist yet."""
    try:
        return store.sequences()
    except HTTPError as error:
        if error.code != 404:
            raise
        return Counter()


def test_what_a_gateway_acknowledged_before_it_died_for_good_is_shipped_from_its_folder_elsewhere(
    tmp_path: Path, store: Store
) -> None:
    """Nothing ships while it lives, so all it acknowledged is on its disk alone, which is then elsewhere."""
    here, elsewhere = tmp_path / "gateway-2", tmp_path / "another-machine"
    acknowledged: list[int] = []
    dying = started(gateway_command(here), stderr=subprocess.DEVNULL)
    try:
        url = ready_line(dying)["url"]
        clients = [
            threading.Thread(target=post_until_it_dies, args=(url, client, acknowledged))
            for client in range(3)
        ]
        for client in clients:
            client.start()
        eventually(lambda: len(acknowledged) >= 10 * PART, "ten requests are answered")
    finally:
        kill(dying)
    for client in clients:
        client.join(WAIT_SECONDS)
    shutil.copytree(here, elsewhere)

    with shipper(elsewhere, store.url):
        eventually(lambda: set(acknowledged) <= stored_in(store).keys(), "all of them are stored")
        stored = stored_in(store)

    assert set(stored.values()) == {1}
    # A request that was cut off by the death may have been kept, whole or in part, though nobody was told so.
    assert len(stored) - len(acknowledged) <= len(clients) * PART


# Not imported: it would take over this process's sockets.
@pytest.mark.skipif(
    importlib.util.find_spec("locust") is None,
    reason="Locust is not installed: pip install 'logquake[load]'",
)
def test_locusts_master_and_workers_load_a_gateway_by_the_shipped_file(tmp_path: Path) -> None:
    spool, tokens = tmp_path / "spool", tmp_path / "tokens"
    tokens.touch(0o600)
    tokens.write_text("a-token-of-sixteen-or-more\n")
    master_port = str(free_port())
    locust = [sys.executable, "-m", "locust", "--locustfile", str(LOCUST_FILE), "--loglevel", "WARNING"]
    load = ["--headless", "--users", "2", "--spawn-rate", "2", "--expect-workers", "1"]
    bound = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", master_port]
    environment = {**os.environ, "GATEWAY_TOKEN_FILE": str(tokens)}
    gateway = started(gateway_command(spool, "--token-file", str(tokens)), stderr=subprocess.DEVNULL)
    processes = [gateway]
    try:
        url = ready_line(gateway)["url"]
        for role in (["--host", url, *load, *bound], ["--worker", "--master-port", master_port]):
            processes.append(started([*locust, *role], env=environment, stderr=subprocess.DEVNULL))
        headers = {"Authorization": f"Bearer {tokens.read_text().strip()}"}
        deadline = time.monotonic() + LOCUST_SECONDS_MAX
        while admitted(url, headers) < 3 * PART and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        for process in reversed(processes):
            kill(process)

    reader = SpoolReader(spool)
    try:
        kept = [orjson.loads(one) for block in reader.read(1_000_000_000) for one in block.documents]
    finally:
        reader.close()
    assert len(kept) >= 3 * PART
    assert kept[0]["message"].startswith("order 0 of user ")
    assert {document["log"]["level"] for document in kept} == {"INFO"}


def admitted(url: str, headers: dict[str, str]) -> int:
    """Return how many records the gateway has on its disk."""
    return int(requests.get(f"{url}/stats", headers=headers, timeout=WAIT_SECONDS).json()["admitted"])
