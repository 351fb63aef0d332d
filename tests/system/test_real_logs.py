"""Real log files, byte for byte: those in the folder `LOGHUB_DIR`; without it these tests skip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.deployments.installed import SERVERS, find
from harness.evidence.lines import read_lines
from tests.repository import REPOSITORY

pytestmark = pytest.mark.alone

LOGQUAKE = Path(sys.executable).parent / "logquake"


@pytest.fixture(scope="session")
def loghub() -> Path:
    folder = os.environ.get("LOGHUB_DIR")
    if not folder:
        pytest.skip("LOGHUB_DIR is not set; it names the folder with the Loghub-2k log sets")
    return Path(folder)


def test_every_line_of_every_set_is_read_unchanged(loghub):
    for path in sorted(loghub.glob("*.log")):
        lines = read_lines(path, 1_000_000)
        whole = path.read_bytes()
        written = [line.removesuffix(b"\r") for line in whole.removesuffix(b"\n").split(b"\n")]

        assert [line.encode() for line in lines] == written, path


@pytest.mark.servers
@pytest.mark.timeout(240)
def test_two_thousand_real_lines_survive_a_reset_and_the_real_stores_sigkill(loghub, tmp_path):
    missing = [name for name in SERVERS if find(name) is None]
    if missing and os.environ.get("LOGQUAKE_REQUIRE_SERVERS") == "1":
        pytest.fail(f"not installed: {', '.join(missing)}; run `make servers`")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; `make servers` installs them")
    command = [LOGQUAKE, "run", "resets_then_store_killed", "--backend", "local"]
    command += ["--input", loghub / "OpenSSH.log", "--out", tmp_path]
    finished = subprocess.run(
        list(map(str, command)), cwd=REPOSITORY, capture_output=True, text=True, timeout=220, check=False
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    (path,) = tmp_path.glob("*/*/result.json")
    (scenario,) = json.loads(path.read_text())["scenarios"]
    summaries = {verdict["objective"]: verdict["summary"] for verdict in scenario["verdicts"]}
    # Beside the 2,000 lines of the file, 20 fresh records after each of the two healings and after the drain.
    kept = "All 2,060 acknowledged records were read back."
    assert summaries["acknowledged_lost"] == kept
    assert summaries["corrupted"] == (
        "All 2,060 stored copies equal what was sent, byte for byte; "
        "time, level, logger and sequence are as sent."
    )
    assert all(band["landed"] for band in scenario["bands"])
