"""How the harness grows with a run: its time and its memory for more and more records.

    python -m tests.benchmarks.large [--records 180000] [--rate 3000] [--stack NAME|FILE]

Each run sends that many records at that rate without a fault, and is judged as any other; one row is printed
for each. `--records` may be repeated. The command fails where a run is not whole, or where records were lost.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.model.protocols import Status
from harness.model.result import ScenarioResult
from harness.reporting.result_json import FILE_NAME, read_result

RECORDS = (180_000, 1_000_000)
RATE = 3_000
OBJECTIVES = ("acknowledged_lost", "duplicated", "corrupted", "fresh_record_seconds")
HEAD = "| records | sending s | whole run s | reading back s | judging s | harness MiB |"


def main(arguments: list[str]) -> int:
    """Run each size and print its row; return 1 where one of them proves something to be wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, action="append", help="how many records; may be repeated")
    parser.add_argument("--rate", type=int, default=RATE, help="records a second")
    parser.add_argument("--stack", default="reference")
    options = parser.parse_args(arguments)
    print(HEAD, "| ---: | ---: | ---: | ---: | ---: | ---: |", sep="\n", flush=True)
    failed = False
    for records in options.records or RECORDS:
        one = _run(records, options.rate, options.stack)
        print(_row(one), flush=True)
        wrong = [
            verdict.summary
            for verdict in one.verdicts
            if verdict.objective in OBJECTIVES and verdict.status is not Status.PASS
        ]
        for summary in wrong:
            print(f"{records:,} records: {summary}", file=sys.stderr)
        failed = failed or bool(wrong) or one.cost is None
    return 1 if failed else 0


def _row(one: ScenarioResult) -> str:
    cost = one.cost
    figures = (
        ("", "", "")
        if cost is None
        else (f"{cost.read_back_seconds:.0f}", f"{cost.judging_seconds:.0f}", f"{cost.memory_mib:,.0f}")
    )
    cells = (f"{one.tally.sent:,}", f"{one.scenario.sending_seconds:.0f}", f"{one.seconds:.0f}", *figures)
    return f"| {' | '.join(cells)} |"


def _run(records: int, rate: int, stack: str) -> ScenarioResult:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "large.yaml"
        file.write_text(
            "version: 1\nname: large\ntitle: A large run\n"
            "hypothesis: Each record is stored once, unchanged and in time.\n"
            f"schedule: {{kind: steady, rate_per_second: {rate}}}\n"
            f"producers: 4\nsending_seconds: {records / rate:g}\ndrain_seconds: 300\n"
        )
        logquake = str(Path(sys.executable).parent / "logquake")
        command = [logquake, "run", str(file), "--stack", stack, "--out", str(folder), "--repeats", "0"]
        # Its exit code is the gate's; what is printed here is what the result says.
        finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        found = list(folder.rglob(FILE_NAME))
        if not found:
            raise SystemExit(f"the run left no {FILE_NAME}:\n{finished.stderr[-2000:]}")
        return read_result(found[0]).scenarios[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
