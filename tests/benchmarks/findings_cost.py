"""What detection costs `watch`: CPU a record with findings on and off, alternately, in one process.

Beside it, in the same rounds, what `ship` takes to deliver the same records to the embedded store.

python -m tests.benchmarks.findings_cost --records 100000 --rounds 3
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.examples import default_masking
from logging_system.alerting.finding_detection import FindingDetection
from logging_system.alerting.state_file import prepare_alerts_folder
from logging_system.alerting.watching import Watch
from logging_system.spool.codec import PLAIN_CODECS
from logging_system.spool.writer import SpoolWriter
from tests.stack.processes import Store, kill

_A_BLOCK = 200
_SHIP_SECONDS_MAX = 300


def _write(spool: Path, records: int) -> None:
    writer = SpoolWriter(spool, spool_bytes_max=1 << 32, sync=False)
    began_seconds = time.time() - records / 5_000
    for first in range(0, records, _A_BLOCK):
        writer.append(
            [_document(began_seconds + number / 5_000, number) for number in range(first, first + _A_BLOCK)]
        )


def _document(seconds: float, number: int) -> bytes:
    return orjson.dumps(
        {
            "@timestamp": datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds"),
            "log": {"level": "error" if number % 100 == 0 else "info", "logger": f"shop.part{number % 7}"},
            "service": {"name": "shop"},
            "message": f"order {number} of customer {number * 7919 % 10_007} was paid in {number % 90} ms",
            "labels": {"duration_ms": 5 + number % 90},
        }
    )


def _cpu_seconds(spool: Path, *, with_findings: bool) -> float:
    folder = prepare_alerts_folder(spool)
    masked = default_masking()
    findings = FindingDetection(
        spool, folder, masked=masked, is_sealed=False, steady=time.monotonic, remark=print
    )
    watch = Watch(
        spool,
        folder,
        Alerts(),
        codecs=PLAIN_CODECS,
        masked=masked,
        wake=lambda: None,
        remark=print,
        findings=findings if with_findings else None,
    )
    began_seconds = time.process_time()
    while watch.look():
        pass
    took_seconds = time.process_time() - began_seconds
    watch.close()
    for path in folder.iterdir():
        path.unlink()
    return took_seconds


def _ship_cpu_seconds(spool: Path, store_url: str, records: int, stream: str) -> float:
    """Deliver the whole spool; return the CPU of the shipper from its first record to its last."""
    command = [sys.executable, "-m", "logging_system", "ship", "--lifeline", "--spool", str(spool)]
    shipper = subprocess.Popen(
        [*command, "--elasticsearch", store_url, "--stream", stream],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert shipper.stdout is not None
        shipper.stdout.readline()  # it is ready
        began_seconds = _cpu_of(shipper.pid)
        _wait_until_delivered(spool, records)
        return _cpu_of(shipper.pid) - began_seconds
    finally:
        shipper.terminate()
        shipper.wait(timeout=30)


def _wait_until_delivered(spool: Path, records: int) -> None:
    until_seconds = time.monotonic() + _SHIP_SECONDS_MAX
    while time.monotonic() < until_seconds:
        status = spool / "status-shipper.json"
        if status.exists() and orjson.loads(status.read_bytes())["delivered"] >= records:
            return
        time.sleep(0.2)
    raise TimeoutError(f"the shipper did not deliver {records} records within {_SHIP_SECONDS_MAX} s")


def _cpu_of(process_id: int) -> float:
    """Return the CPU seconds of a process so far, user and system."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    took: dict[bool, list[float]] = {True: [], False: []}
    shipped: list[float] = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ends:
        store = Store(Path(name) / "store")
        ends.callback(kill, store.process)
        for round_number in range(options.rounds):
            spool = Path(name) / f"spool-{round_number}"
            _write(spool, options.records)
            for with_findings in (False, True):
                took[with_findings].append(_cpu_seconds(spool, with_findings=with_findings))
            stream = f"logs-cost-{round_number}"
            shipped.append(_ship_cpu_seconds(spool, store.url, options.records, stream))
    off, on, ship = (
        1e6 * statistics.median(each) / options.records for each in (took[False], took[True], shipped)
    )
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"CPU a record: watch without findings {off:.1f} µs, with them {on:.1f} µs ({on / off:.2f} times), "
        f"ship {ship:.1f} µs; watch / ship {off / ship:.2f} and {on / ship:.2f}; peak {peak_mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()
