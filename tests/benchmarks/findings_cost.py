"""What detection costs `watch`: CPU a record with findings on and off, alternately, in one process.

python -m tests.benchmarks.findings_cost --records 100000 --rounds 3
"""

from __future__ import annotations

import argparse
import resource
import statistics
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

_A_BLOCK = 200


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


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        spool = Path(name) / "spool"
        _write(spool, options.records)
        took: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(options.rounds):
            for with_findings in (False, True):
                took[with_findings].append(_cpu_seconds(spool, with_findings=with_findings))
    off, on = (1e6 * statistics.median(took[each]) / options.records for each in (False, True))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"off {off:.1f} µs a record, on {on:.1f} µs a record: {on / off:.2f} times; peak {peak_mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()
