"""What reports say and what they keep to themselves, through the installed command."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

LOGQUAKE = Path(sys.executable).parent / "logquake"
PRIVATE = "Accepted password for alice from 203.0.113.7 port 50022 ssh2"
SCENARIO = """
version: 1
name: short
title: A moment of sending
hypothesis: Something is seen.
schedule: {kind: steady, rate_per_second: 50}
producers: 2
sending_seconds: 3
"""
STACK = """
version: 1
name: changing
needs: [elasticsearch]
links: {to_store: elasticsearch}
intake:
  kind: python_logging
  handler: tests.system.handlers:StoresChanged
  url: "{to_store.url}"
  index: logs-changing-{run.id}
acknowledged_by: return
archive: {kind: elasticsearch, index: "logs-changing-{run.id}", url: "{elasticsearch.url}"}
promises: {response_p99_ms: 3000}
"""


def _call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [LOGQUAKE, *arguments]
    return subprocess.run(
        list(map(str, command)), cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not below pytest's own folder, which is closed to the user that servers run as under root.
    with tempfile.TemporaryDirectory(prefix="reports-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "changing.yaml").write_text(STACK)
        (folder / "app.log").write_text(f"{PRIVATE}\n" * 40)
        (folder / "short.yaml").write_text(f"{SCENARIO}checks: [corrupted]\n")
        yield folder


@pytest.fixture(scope="module")
def changed(folder: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One run of a log file through a stack that changes lines: what was printed, and the run's folder."""
    out = folder / "masked"
    arguments = ("--stack", folder / "changing.yaml", "--input", folder / "app.log", "--out", out)
    finished = _call("run", folder / "short.yaml", *arguments)
    (result,) = out.glob("*/*/result.json")
    return finished, result.parent


def test_no_line_of_the_input_leaves_the_history(changed):
    finished, run = changed

    assert finished.returncode == 1, finished.stdout + finished.stderr
    reports = [path for path in run.iterdir() if path.is_file()]
    assert len(reports) >= 5
    for said in (finished.stdout, finished.stderr, *(path.read_text() for path in reports)):
        assert not any(word in said for word in ("password", "alice", "203.0.113.7", "50022"))


def test_a_changed_line_is_told_by_sequence_hash_and_shape(changed):
    _, run = changed
    (one,) = json.loads((run / "result.json").read_text())["scenarios"]
    where, sent, stored = one["verdicts"][0]["counterexample"]

    assert where.startswith("A copy of record 0 is at ")
    assert where.endswith("it differs from character 1 on.")
    assert "Xxxxxxxx xxxxxxxx xxx xxxxx xxxx 000.0.000.0 xxxx 00000 xxx0" in sent
    assert "?xxxxxxx xxxxxxxx xxx xxxxx xxxx 000.0.000.0 xxxx 00000 xxx0" in stored
    assert "(masked; hash " in stored


def test_the_replay_command_names_files_as_they_were_named(changed, folder):
    finished, run = changed
    wanted = (
        f"logquake run --stack {folder}/changing.yaml --backend embedded --input {folder}/app.log "
        f"{folder}/short.yaml --seed 1"
    )

    for said in (finished.stdout, (run / "scorecard.md").read_text()):
        # A terminal folds lines, within a word where it is long.
        assert "".join(wanted.split()) in "".join(said.split())


def test_the_history_keeps_the_line_for_its_owner_only(changed):
    _, run = changed
    histories = list(run.glob("history/short/*.jsonl"))

    assert any("alice" in path.read_text() for path in histories)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (run, *histories))


def test_lines_are_shown_where_they_are_asked_for(folder):
    out = folder / "shown"
    arguments = ("--stack", folder / "changing.yaml", "--input", folder / "app.log", "--out", out)
    finished = _call("run", folder / "short.yaml", *arguments, "--show-lines")

    assert finished.returncode == 1
    assert "alice" in finished.stdout


def test_every_report_is_made_again_from_result_json_alone(changed, tmp_path):
    _, run = changed
    alone = tmp_path / "result.json"
    alone.write_bytes((run / "result.json").read_bytes())
    forms = {
        "html": "scorecard.html",
        "markdown": "scorecard.md",
        "junit": "junit.xml",
        "ctrf": "ctrf.json",
        "comment": "comment.md",
        "badge": "badge.json",
        "prometheus": "metrics.prom",
        "terminal": "scorecard.txt",
    }

    for form, name in forms.items():
        written = _call("report", alone, "--format", form, "--out", tmp_path / f"again.{form}")
        assert written.returncode == 0, written.stderr
        assert (tmp_path / f"again.{form}").read_bytes() == (run / name).read_bytes()
        assert _call("report", alone, "--format", form).stdout == (run / name).read_text()


def test_latest_leads_to_the_run(changed):
    _, run = changed

    assert (run.parent.parent / "latest").is_symlink()
    assert (run.parent.parent / "latest").resolve() == run


def test_the_result_written_again_holds_the_same(changed):
    again = _call("report", changed[1], "--format", "json")

    assert json.loads(again.stdout) == json.loads((changed[1] / "result.json").read_text())


def test_a_report_that_cannot_be_written_is_a_usage_error(changed):
    assert _call("report", changed[1], "--format", "html", "--out", "/proc/no/such/file").returncode == 4


def test_versions_of_the_services_and_the_commit_are_recorded(changed):
    surroundings = json.loads((changed[1] / "result.json").read_text())["surroundings"]

    assert surroundings["elasticsearch service"].endswith("(elastic_lite)")
    assert surroundings["proxy service"]
    assert {"kernel", "cores", "python", "logquake"} <= set(surroundings)


def test_an_inconclusive_scenario_is_repeated_twice_at_most_and_every_attempt_is_shown(folder):
    scenario = folder / "few.yaml"
    reset = (
        "{fault: connection_reset, target: to_store, at_seconds: 2, for_seconds: 0.5, acknowledged_min: 1000}"
    )
    text = f"{SCENARIO}checks: [acknowledged_lost]\nsteps: [{reset}]\n"
    scenario.write_text(text.replace("name: short", "name: few"))
    out = folder / "repeated"
    finished = _call("run", scenario, "--out", out)

    (path,) = out.glob("*/*/result.json")
    (one,) = json.loads(path.read_text())["scenarios"]
    assert finished.returncode == 6
    assert one["status"] == "INCONCLUSIVE"
    assert [attempt["history"] for attempt in one["attempts"]] == ["history/few", "history/few-2"]
    assert one["history"] == "history/few-3"
    assert all("at least 1,000 required" in attempt["reasons"][-1] for attempt in one["attempts"])
    for name in ("scorecard.html", "scorecard.md", "scorecard.txt", "junit.xml"):
        assert "attempt 2: INCONCLUSIVE after" in (path.parent / name).read_text()
