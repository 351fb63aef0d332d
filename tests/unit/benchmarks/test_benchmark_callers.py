"""What the comparison of callers rests on, with real contenders: nothing offered is unaccounted for."""

import json
import socket
import subprocess
import time

import pytest
import requests

from tests.benchmarks.callers.caller import Load, command
from tests.benchmarks.callers.contenders import CONTENDERS, STDERR_NAME, Place
from tests.benchmarks.callers.field import process, ready
from tests.benchmarks.callers.numbers import distinct_lines, first_number

LOAD = Load(slices=1, slice_calls=100, paced_calls=100, per_second=1_000.0, burst=15_000)
NOWHERE_PORT = 9


def run(name, folder):
    """Run a caller to its end; return what it said last."""
    place = Place("127.0.0.1", NOWHERE_PORT, folder, "logs-callers-1")
    with (folder / STDERR_NAME).open("w") as stderr:
        done = subprocess.run(
            command(name, place, first_number(1), LOAD),
            stdout=subprocess.PIPE,
            stderr=stderr,
            check=True,
            timeout=60,
        )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["QueueHandler + JSON file", "QueueHandler, 10,000 at most", "structlog + JSON file"]
)
def test_what_a_file_lacks_was_counted(name, tmp_path):
    _before, after = run(name, tmp_path)
    written = distinct_lines((tmp_path / CONTENDERS[name].file_name).read_bytes())

    assert written + (after["counted"] or 0) == LOAD.calls


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logging_system, ship beside it", "logging_system, in one process"])
def test_what_the_spool_lacks_was_counted(name, tmp_path):
    _before, after = run(name, tmp_path)

    assert CONTENDERS[name].left(tmp_path) + after["counted"] == LOAD.calls


@pytest.mark.slow
def test_every_figure_has_that_of_a_nullhandler_beside_it(tmp_path):
    before, _after = run("NullHandler", tmp_path)
    figures = before["figures"]

    assert {"thread_cpu_us", "process_cpu_us", "call_p99_us"} <= set(figures)
    assert {f"null_{key}" for key in figures if key != "memory_mib" and not key.startswith("null_")} <= set(
        figures
    )


def test_a_line_that_comes_twice_counts_once_and_half_a_line_not_at_all():
    with process("tests.benchmarks.callers.sink") as sink:
        ports = ready(sink)
        with socket.create_connection(("127.0.0.1", ports["tcp"])) as connection:
            connection.sendall(b'{"order": 1000001}\n{"order": 1000002}\n{"order": 1000001}\n{"order": 100')
        deadline_seconds = time.monotonic() + 10
        counts: dict[str, int] = {}
        while counts.get("1", 0) < 2 and time.monotonic() < deadline_seconds:
            counts = requests.get(f"http://127.0.0.1:{ports['otlp']}", timeout=10).json()

    assert counts == {"1": 2}
