"""What `watch` holds in memory while very many alerts fire, and after a restart in their midst.

    python -m tests.benchmarks.alerts_memory [--alerts 100000]

Each alert has a service of its own, whose name nothing else has. One process reads them, tells them and
saves; another goes on from what it saved. What is printed is the most that each held at any moment (`VmHWM`),
with the interpreter and all that it imports. The command fails above the limit.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.examples import default_masking
from logging_system.alerting.state_file import NAME, prepare_alerts_folder
from logging_system.alerting.watching import Watch
from logging_system.spool.codec import PLAIN_CODECS
from logging_system.spool.writer import SpoolWriter

ALERTS = 100_000
LIMIT_MIB = 64.0
_BLOCK_RECORDS = 500
_LOOKS_SECONDS_MAX = 900.0


def main(arguments: list[str]) -> int:
    """Run both processes and print their rows; return 1 where one held more than the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--alerts", type=int, default=ALERTS, help="how many fire at once")
    parser.add_argument("--watch", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.watch:
        _watch(options.watch, options.alerts)
        return 0
    print("| process | alerts that fire | told | memory MiB | CPU s | state MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        spool = Path(name)
        rows = [_row("none fires yet", spool, 0)]
        _log(spool, options.alerts)
        rows += [_row(what, spool, options.alerts) for what in ("reads them all", "after a restart")]
    return 1 if max(rows) > LIMIT_MIB else 0


def _log(spool: Path, alerts: int) -> None:
    writer = SpoolWriter(spool, spool_bytes_max=1 << 30, sync=False)
    moment = datetime.now(UTC).isoformat()
    lines = []
    for number in range(alerts):
        service = f"service-{hashlib.sha256(b'%d' % number).hexdigest()[:12]}"
        log = {"level": "error", "logger": "shop.cart"}
        lines.append(
            orjson.dumps(
                {"@timestamp": moment, "log": log, "service": {"name": service}, "message": "refused"}
            )
        )
    for first in range(0, alerts, _BLOCK_RECORDS):
        writer.append(lines[first : first + _BLOCK_RECORDS])
    writer.seal()


def _row(what: str, spool: Path, alerts: int) -> float:
    """Let a process watch until all alerts fire, print what it held and return that in MiB."""
    command = [sys.executable, "-m", "tests.benchmarks.alerts_memory"]
    command += ["--watch", str(spool), "--alerts", str(alerts)]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=2 * _LOOKS_SECONDS_MAX)
    facts = orjson.loads(said.stdout)
    counts, seconds = f"{facts['firing']:,} | {facts['told']:,}", f"{facts['cpu_seconds']:.1f}"
    print(f"| {what} | {counts} | {facts['mib']:.0f} | {seconds} | {facts['state_mib']:.1f} |", flush=True)
    return float(facts["mib"])


def _watch(spool: Path, alerts: int) -> None:
    declared = Alerts.model_validate(
        {
            "rules": [{"kind": "error_count", "name": "errors", "threshold": 1, "window_seconds": 3600}],
            "channels": [{"name": "nowhere", "kind": "command", "command": ["/bin/true"]}],
            "group_wait_seconds": 1,
        }
    )
    folder = prepare_alerts_folder(spool)
    watch = Watch(
        spool,
        folder,
        declared,
        codecs=PLAIN_CODECS,
        masked=default_masking(),
        wake=lambda: None,
        remark=lambda text: print(text, file=sys.stderr),
    )
    give_up_seconds = time.monotonic() + _LOOKS_SECONDS_MAX
    told_by_seconds = time.monotonic() + 5
    while time.monotonic() < give_up_seconds:
        if not watch.look():
            time.sleep(0.05)
        firing = watch.status()["firing_total"]
        sent = watch.outbox.counts["nowhere"].taken
        if firing >= alerts and (sent or not alerts) and time.monotonic() > told_by_seconds:
            break
    watch.close()
    facts = {
        "firing": firing,
        "told": sent,
        "mib": _peak_mib(),
        "cpu_seconds": time.process_time(),
        "state_mib": (folder / NAME).stat().st_size / 2**20,
    }
    sys.stdout.buffer.write(orjson.dumps(facts))


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
