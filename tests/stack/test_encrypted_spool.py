"""A spool that is sealed, from the log call to the store: unreadable on the way, and everything arrives."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.keys.providers.file import FileProvider
from tests.stack.processes import (
    PYTHON,
    STREAM,
    WAIT_SECONDS,
    Store,
    eventually,
    finish,
    kill,
    ready_line,
    started,
)

CANARY = b"canary 4111-1111 of record"
COUNT = 300
APPLICATION = """
import json, logging, os, sys
from logging_system import install
forks = sys.argv[1] == "forks"
installation = install(**json.loads(sys.argv[2]))
log = logging.getLogger("shop")
if forks and os.fork() == 0:
    log = logging.getLogger("child")
for number in range(int(sys.argv[3])):
    log.info("canary 4111-1111 of record %d", number, extra={"card": f"canary 4111-1111 of record {number}"})
done = installation.flush(10)
stats = installation.stats().handler
installation.close()
print(json.dumps({"done": done, "dropped": stats.dropped, "admitted": stats.admitted}), flush=True)
os._exit(0)
"""


def run_application(settings: dict[str, Any], *, count: int = COUNT, forks: bool = False) -> list[Any]:
    arguments = ["forks" if forks else "-", orjson.dumps(settings).decode(), str(count)]
    finished = subprocess.run(
        [*PYTHON, "-c", APPLICATION, *arguments], capture_output=True, timeout=WAIT_SECONDS, check=True
    )
    return list(map(orjson.loads, finished.stdout.splitlines()))


def settings_file(folder: Path, **more: object) -> Path:
    path = folder / "settings.yaml"
    path.write_bytes(
        orjson.dumps({"spool": str(folder / "spool"), "service": "shop", **sealed(folder), **more})
    )
    return path


def sealed(folder: Path) -> dict[str, Any]:
    return {"encryption": {"provider": "file", "path": str(folder / "keys.json")}}


def everything_on_disk(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def shipped(folder: Path, *flags: str, until: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Ship to a file until that holds what is waited for; return the documents."""
    out = folder / "shipped" / "out.ndjson"
    command = [sys.executable, "-m", "logging_system", "ship", "--file", str(out), "--lifeline", *flags]
    process = started(command, stderr=subprocess.DEVNULL)
    try:
        ready_line(process)
        eventually(lambda: until(documents(out)), "what is waited for is shipped")
        assert finish(process) == 0
    finally:
        kill(process)
    return documents(out)


def documents(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [orjson.loads(line)["_source"] for line in path.read_bytes().split(b"\n")[:-1]]


def test_nothing_in_the_spool_folder_is_readable_and_everything_is_delivered(tmp_path: Path) -> None:
    FileProvider(tmp_path / "keys.json").create("logs")
    settings = settings_file(tmp_path)
    said = run_application({"settings": str(settings), "shipper": "none"}, forks=True)
    on_disk = everything_on_disk(tmp_path / "spool")

    assert [each["admitted"] for each in said] == [COUNT, COUNT]
    assert b"canary" not in on_disk
    assert b"4111" not in on_disk
    arrived = shipped(tmp_path, "--settings", str(settings), until=lambda found: len(found) >= 2 * COUNT)
    assert sorted((each["log"]["logger"], each["labels"]["card"]) for each in arrived) == sorted(
        (name, f"{CANARY.decode()} {number}") for name in ("child", "shop") for number in range(COUNT)
    )


def test_a_shipper_without_the_keys_waits_and_one_with_them_delivers_everything(tmp_path: Path) -> None:
    provider = FileProvider(tmp_path / "keys.json")
    provider.create("logs")
    run_application({"spool": str(tmp_path / "spool"), "shipper": "none", **sealed(tmp_path)})
    (tmp_path / "keys.json").rename(tmp_path / "taken")
    status = tmp_path / "spool" / "status-shipper.json"

    def waits(_found: object) -> bool:
        return status.exists() and orjson.loads(status.read_bytes())["unavailable_epochs"] == 1

    settings = settings_file(tmp_path)
    without = ["--spool", str(tmp_path / "spool")]
    assert shipped(tmp_path, *without, until=waits) == []
    status.unlink()
    assert shipped(tmp_path, "--settings", str(settings), until=waits) == []
    (tmp_path / "taken").rename(tmp_path / "keys.json")
    assert (
        len(shipped(tmp_path, "--settings", str(settings), until=lambda found: len(found) >= COUNT)) == COUNT
    )


@pytest.mark.parametrize(
    "encryption",
    [
        {"provider": "file", "path": "no-such-file.json"},
        {"provider": "file"},
        {"provider": "none_of_that_name"},
        "nonsense",
        7,
    ],
)
def test_without_a_key_every_record_is_dropped_and_counted_and_nothing_is_written_in_the_clear(
    tmp_path: Path, encryption: object
) -> None:
    if isinstance(encryption, dict) and "path" in encryption:
        encryption = {**encryption, "path": str(tmp_path / "no-such-file.json")}
    began_seconds = time.monotonic()
    (said,) = run_application(
        {
            "spool": str(tmp_path / "spool"),
            "shipper": "none",
            "encryption": encryption,
            "close_seconds": 0.5,
            "queue_records_max": 100,
            "durability": "memory",
        },
        count=150,
    )

    assert said["admitted"] == 0
    assert b"canary" not in everything_on_disk(tmp_path)
    assert time.monotonic() - began_seconds < WAIT_SECONDS


def test_what_cannot_be_opened_is_no_start_of_serve_and_ship(tmp_path: Path) -> None:
    for command in ("serve", "ship"):
        finished = subprocess.run(
            [
                sys.executable,
                "-m",
                "logging_system",
                command,
                "--spool",
                str(tmp_path / "spool"),
                "--encryption",
                "provider=fil,path=x",
                *(["--file", "out"] if command == "ship" else []),
            ],
            check=False,
            capture_output=True,
            timeout=WAIT_SECONDS,
        )
        assert finished.returncode == 4
        assert b'did you mean "file"' in finished.stderr


def test_the_store_holds_no_sealed_field_and_its_documents_are_decrypted_by_a_query(tmp_path: Path) -> None:
    FileProvider(tmp_path / "keys.json").create("logs")
    store = Store(tmp_path / "store")
    try:
        settings = settings_file(
            tmp_path,
            elasticsearch=store.url,
            stream=STREAM,
            encrypt_fields="labels.card,message",
            token_fields="labels.card",  # noqa: S106 - the name of a field
        )
        run_application({"settings": str(settings)}, count=20)
        eventually(lambda: found(store) == 20, "all documents are in the store")
        in_store = everything_on_disk(tmp_path / "store")
        finished = subprocess.run(
            [*PYTHON, "-m", "logging_system", "decrypt", "--settings", str(settings), "--index", STREAM],
            capture_output=True,
            timeout=WAIT_SECONDS,
            check=True,
        )
    finally:
        kill(store.process)
    documents_shown = list(map(orjson.loads, finished.stdout.splitlines()))

    assert b"canary" not in in_store
    assert b"card.token" in in_store
    assert sorted(each["message"] for each in documents_shown) == sorted(
        f"{CANARY.decode()} {number}" for number in range(20)
    )
    assert all(each["labels"]["card"] == each["message"] for each in documents_shown)


def test_serve_takes_a_new_data_key_when_it_is_told_by_a_signal(tmp_path: Path) -> None:
    FileProvider(tmp_path / "keys.json").create("logs")
    settings = settings_file(tmp_path)
    command = [*PYTHON, "-m", "logging_system", "serve", "--settings", str(settings), "--listen-port", "0"]
    process = started(command)
    folder = tmp_path / "spool" / "keys" / "data-keys"
    try:
        url = ready_line(process)["url"]

        def sent() -> int:
            headers = {"Content-Type": "application/x-ndjson"}
            request = urllib.request.Request(f"{url}/v1/ndjson", b'{"message":"m"}\n', headers)  # noqa: S310
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310 - our own
                assert answer.status == 200
            return len(list(folder.iterdir()))

        assert [sent(), sent()] == [1, 1]
        process.send_signal(signal.SIGHUP)
        eventually(lambda: sent() == 2, "a new data key is in use")
        process.terminate()
        assert finish(process) == 0
    finally:
        kill(process)


def found(store: Store) -> int:
    store.ask("POST", f"/{STREAM}/_refresh")
    hits: int = store.ask("POST", f"/{STREAM}/_count")["count"]
    return hits
