"""Several gateways with a spool each: one dies for good, and its folder finds another shipper."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections import Counter
from pathlib import Path
from urllib.error import HTTPError

import orjson
import requests

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
