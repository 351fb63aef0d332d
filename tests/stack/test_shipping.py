"""The reference stack as real processes: an application, a shipper, a store, and the death of each."""

from __future__ import annotations

import shutil
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import google_crc32c
import orjson
import pytest

from logging_system.spool.reader import SpoolReader
from logging_system.spool.writer import SpoolWriter
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

APPLICATION = """
import logging, os, sys, time
from logging_system.handler import SpoolHandler
spool, acknowledged, count, per_second = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
out = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def durable(records):
    os.write(out, "".join(f"{record.sequence}\\n" for record in records).encode())
handler = SpoolHandler(spool=spool, service="test", durability="fsync", on_durable=durable)
log = logging.getLogger("app")
log.propagate = False
log.setLevel(logging.INFO)
log.addHandler(handler)
started = time.monotonic()
for sequence in range(count):
    time.sleep(max(0.0, started + sequence / per_second - time.monotonic()))
    log.info(f"line {sequence}\\nsecond", extra={"sequence": sequence})
"""


@contextmanager
def shipper(spool: Path, url: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "logging_system", "ship", "--spool", str(spool), "--stream", STREAM]
    process = started([*command, "--elasticsearch", url, "--lifeline", *options], stderr=subprocess.DEVNULL)
    try:
        assert ready_line(process) == {"ready": True, "pid": process.pid}
        yield process
    finally:
        kill(process)


@contextmanager
def application(folder: Path, count: int, per_second: float) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [str(folder / "spool"), str(folder / "acknowledged"), str(count), str(per_second)]
    process = started([sys.executable, "-c", APPLICATION, *arguments])
    try:
        yield process
    finally:
        kill(process)


def acknowledged(folder: Path) -> list[int]:
    path = folder / "acknowledged"
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def shipped(folder: Path) -> dict[str, Any]:
    path = folder / "spool" / "status-shipper.json"
    content: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return content


def delivered(folder: Path) -> int:
    return int(shipped(folder).get("delivered", 0))


def test_what_an_application_was_acknowledged_survives_its_sigkill(tmp_path: Path, store: Store) -> None:
    with application(tmp_path, 1_000_000, 5_000) as app:
        eventually(lambda: len(acknowledged(tmp_path)) > 2_000, "2,000 acknowledgements")
        kill(app)
    promised = set(acknowledged(tmp_path))
    with shipper(tmp_path / "spool", store.url):
        eventually(lambda: delivered(tmp_path) >= len(promised), "delivery")
        found = store.sequences()

        assert not promised - set(found)
        assert set(found.values()) == {1}
        eventually(lambda: shipped(tmp_path)["unclean_exits"] == 1, "the unclean exit is reported")


def test_a_shipper_killed_again_and_again_loses_and_duplicates_nothing(tmp_path: Path, store: Store) -> None:
    with application(tmp_path, 6_000, 3_000) as app:
        for _ in range(4):
            before = delivered(tmp_path)
            with shipper(tmp_path / "spool", store.url):
                # The status is written at most once a second: look at the store to die in the middle.
                eventually(lambda: bool(acknowledged(tmp_path)), "the application runs")
                time.sleep(0.3)
            assert delivered(tmp_path) >= before
        assert finish(app) == 0
    with shipper(tmp_path / "spool", store.url):
        eventually(lambda: delivered(tmp_path) == 6_000, "all delivered")
        found = store.sequences()

    assert found == Counter(range(6_000))
    assert shipped(tmp_path)["balanced"]


def test_a_store_killed_under_load_and_restarted_has_everything_once(tmp_path: Path, store: Store) -> None:
    # So many that the second kill finds it at work, also where the store takes seconds to start.
    with application(tmp_path, 12_000, 1_000) as app, shipper(tmp_path / "spool", store.url):
        for _ in range(2):
            already = len(acknowledged(tmp_path))
            eventually(lambda seen=already: len(acknowledged(tmp_path)) > seen + 1_000, "load")  # type: ignore[misc]
            kill(store.process)
            time.sleep(0.5)
            store.start()
        assert finish(app) == 0
        eventually(lambda: delivered(tmp_path) == 12_000, "all delivered")
        found = store.sequences()

        assert found == Counter(range(12_000))
        assert shipped(tmp_path)["unproved_answers"] > 0


def test_records_written_before_the_store_exists_are_delivered_once_it_does(
    tmp_path: Path, store: Store
) -> None:
    kill(store.process)
    with application(tmp_path, 50, 1_000_000) as app, shipper(tmp_path / "spool", store.url):
        assert finish(app) == 0
        eventually(lambda: shipped(tmp_path).get("store_trouble", "") != "", "the trouble is reported")
        store.start()
        eventually(lambda: delivered(tmp_path) == 50, "all delivered")


def test_sigterm_with_a_dead_store_ends_in_time_and_a_later_shipper_delivers(
    tmp_path: Path, store: Store
) -> None:
    with application(tmp_path, 500, 1_000_000) as app:
        assert finish(app) == 0
    kill(store.process)
    with shipper(tmp_path / "spool", store.url) as process:
        time.sleep(0.3)
        started_seconds = time.monotonic()
        process.send_signal(signal.SIGTERM)

        assert finish(process) == 0
        assert time.monotonic() - started_seconds < 5.0
    store.start()
    with shipper(tmp_path / "spool", store.url):
        eventually(lambda: delivered(tmp_path) == 500, "all delivered")

    assert store.sequences() == Counter(range(500))


def test_a_document_the_store_refuses_is_a_dead_letter_and_its_neighbours_arrive(
    tmp_path: Path, store: Store
) -> None:
    writer = SpoolWriter(tmp_path / "spool", spool_bytes_max=1 << 30, sync=True)
    times = ["2026-01-01T00:00:00Z", "no time at all", "2026-01-01T00:00:01Z"]
    writer.append(
        [orjson.dumps({"@timestamp": when, "labels": {"sequence": n}}) for n, when in enumerate(times)]
    )
    writer.seal()
    with shipper(tmp_path / "spool", store.url):
        eventually(lambda: shipped(tmp_path).get("dead_lettered") == 1, "the dead letter")
        eventually(lambda: delivered(tmp_path) == 2, "its neighbours")
        (letter,) = (tmp_path / "spool" / "dead-letters.ndjson").read_bytes().splitlines()

        assert orjson.loads(letter)["document"]["@timestamp"] == "no time at all"
        assert orjson.loads(letter)["status"] == 400
        assert set(store.sequences()) == {0, 2}


def test_a_lost_checkpoint_leads_to_conflicts_and_not_to_copies(tmp_path: Path, store: Store) -> None:
    spool = tmp_path / "spool"
    writer = SpoolWriter(spool, spool_bytes_max=1 << 30, sync=True)
    writer.append([orjson.dumps({"@timestamp": n, "labels": {"sequence": n}}) for n in range(500)])
    with shipper(spool, store.url):
        eventually(lambda: delivered(tmp_path) == 500, "all delivered")
    (spool / "checkpoint").write_bytes(b"")
    with shipper(spool, store.url):
        eventually(lambda: shipped(tmp_path)["conflicts"] == 500, "all delivered again")
        assert store.sequences() == Counter(range(500))
    writer.seal()


def test_the_consumed_spool_is_removed(tmp_path: Path, store: Store) -> None:
    with application(tmp_path, 500, 1_000_000) as app:
        assert finish(app) == 0
    with shipper(tmp_path / "spool", store.url):
        eventually(lambda: delivered(tmp_path) == 500, "all delivered")
        eventually(lambda: not list((tmp_path / "spool").glob("*.segment")), "segments are removed")


def test_the_end_of_standard_input_ends_the_shipper(tmp_path: Path, store: Store) -> None:
    with shipper(tmp_path / "spool", store.url) as process:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None

        assert process.wait(WAIT_SECONDS) == 0


def ship(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "logging_system", "ship", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)


def test_a_second_shipper_is_told_who_ships_already(tmp_path: Path, store: Store) -> None:
    with shipper(tmp_path / "spool", store.url) as process:
        second = ship("--spool", str(tmp_path / "spool"), "--elasticsearch", store.url, "--stream", STREAM)

        assert second.returncode == 1
        assert f"process {process.pid}" in second.stderr


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "required"),
        (["--spool", "s", "--elasticsearch", "http://localhost:9", "--stream", "Upper Case"], "--stream"),
        (["--spool", "s", "--elasticsearch", "localhost", "--stream", "logs"], "--elasticsearch"),
        (
            [
                "--spool",
                "s",
                "--elasticsearch",
                "http://a:9",
                "--stream",
                "l",
                "--request-timeout-seconds",
                "0",
            ],
            "--request-timeout-seconds",
        ),
    ],
)
def test_a_mistake_in_the_arguments_ends_with_4_and_names_the_argument(options: list[str], word: str) -> None:
    answer = ship(*options)

    assert answer.returncode == 4
    assert word in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_spool_that_cannot_be_a_folder_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = ship(
        "--spool", str(tmp_path / "file"), "--elasticsearch", "http://127.0.0.1:9", "--stream", "logs"
    )

    assert answer.returncode == 1
    assert "name a folder this user may write to" in answer.stderr


def test_a_folder_of_a_newer_version_ends_with_1_and_the_remedy(tmp_path: Path) -> None:
    header = struct.pack("<8sIQI", b"LSCHECK\0", 2, 1, 2)
    slot = header + struct.pack("<I", google_crc32c.value(header + b"{}")) + b"{}"
    (tmp_path / "checkpoint").write_bytes(slot)
    done = ship("--spool", str(tmp_path), "--elasticsearch", "http://127.0.0.1:9", "--stream", "logs-a-b")

    assert done.returncode == 1
    assert f"--spool {tmp_path}/checkpoint has format version 2; ship this folder with a newer" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "checkpoint").read_bytes() == slot


def test_a_folder_removed_and_taken_by_another_process_ends_with_1_and_says_so(
    tmp_path: Path, store: Store
) -> None:
    folder, removed, taken = tmp_path / "spool", tmp_path / "removed", tmp_path / "taken"
    options = ("--spool", str(folder), "--elasticsearch", store.url, "--stream", STREAM)
    process = started([sys.executable, "-m", "logging_system", "ship", *options], stderr=subprocess.PIPE)
    ready_line(process)
    other = SpoolReader(taken)
    folder.rename(removed)
    taken.rename(folder)
    shutil.rmtree(removed)
    try:
        _, errors = process.communicate(timeout=WAIT_SECONDS)
    finally:
        kill(process)
        other.close()

    assert process.returncode == 1
    assert f"{folder} was removed and taken by another process" in errors.decode()
    assert "is already shipped by process" in errors.decode()
    assert "Traceback" not in errors.decode()


def run_script(script: str, spool: Path) -> list[str]:
    """Run a script that logs and ends in its own way; return the messages it left in the spool."""
    prologue = (
        "import logging, multiprocessing, os, sys\n"
        "from logging_system.handler.handler import SpoolHandler\n"
        "handler = SpoolHandler(spool=sys.argv[1], service='s')\n"
        "log = logging.getLogger('app'); log.setLevel(logging.INFO); log.addHandler(handler)\n"
    )
    command = [*PYTHON, "-c", prologue + script, str(spool)]
    done = subprocess.run(command, timeout=WAIT_SECONDS, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    reader = SpoolReader(spool)
    blocks = reader.read(1 << 24)
    reader.close()
    return [orjson.loads(document)["message"] for block in blocks for document in block.documents]


def test_a_script_that_exits_at_once_leaves_its_last_record(tmp_path: Path) -> None:
    assert run_script("log.info('first'); log.info('last')", tmp_path / "spool") == ["first", "last"]


def test_a_forked_child_has_an_epoch_of_its_own_and_repeats_nothing_of_its_parent(tmp_path: Path) -> None:
    script = (
        "log.info('before')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    log.info('child'); handler.flush(); handler.close(); os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "log.info('after')\n"
    )

    assert sorted(run_script(script, tmp_path / "spool")) == ["after", "before", "child"]


@pytest.mark.parametrize("module", ["multiprocessing", "billiard"])
def test_workers_of_multiprocessing_leave_their_last_record(tmp_path: Path, module: str) -> None:
    pytest.importorskip(module)
    script = (
        f"import {module}\n"
        f"process = {module}.get_context('fork').Process\n"
        "workers = [process(target=log.info, args=(f'w{n}',)) for n in 'abc']\n"
        "[worker.start() for worker in workers]\n"
        "[worker.join() for worker in workers]\n"
    )

    assert sorted(run_script(script, tmp_path / "spool")) == ["wa", "wb", "wc"]


def test_installing_the_handler_loads_no_client(tmp_path: Path) -> None:
    script = "assert not {'elasticsearch', 'elastic_transport', 'urllib3'} & set(sys.modules)\n"

    assert run_script(script, tmp_path / "spool") == []
    assert oct((tmp_path / "spool").stat().st_mode) == oct(0o40700)
