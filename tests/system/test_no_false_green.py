"""Whatever goes wrong with the examination itself, the installed command never exits with 0, and says why."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.system.machine import (
    LOGQUAKE,
    REPOSITORY,
    TIMEOUT_SECONDS,
    Machine,
    fill,
    wait_for,
    why_no_small_disk,
)

EXIT_INTERRUPTED = 2
EXIT_INTERNAL = 3
EXIT_INCONCLUSIVE = 6
EXIT_UNAVAILABLE = 7

ONCE = ("--repeats", "0")
"""Where repeating what was inconclusive changes nothing that a test is about."""

SCENARIO = """\
version: 1
name: short
title: Short
hypothesis: Nothing acknowledged is lost.
schedule: {schedule}
producers: 2
sending_seconds: {sending_seconds}
drain_seconds: 8
liveness_seconds: 8
checks: [acknowledged_lost, fresh_record_seconds]
"""
STEP = "steps:\n  - {{fault: {fault}, target: elasticsearch, at_seconds: 2, for_seconds: 0.5, {more}}}\n"


class Bench:
    """A machine with a short scenario that passes unless something goes wrong."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self._folder = folder

    def scenario(self, fault: str = "", *, seconds: float = 2.6, schedule: str = "", more: str = "") -> Path:
        text = SCENARIO.format(
            schedule=schedule or "{kind: steady, rate_per_second: 100}", sending_seconds=seconds
        )
        if fault:
            text += STEP.format(fault=f"tests.system.plug_ins:{fault}", more=more or "acknowledged_min: 1")
        path = self._folder / "short.yaml"
        path.write_text(text)
        return path

    def stack(self, *changes: tuple[str, str]) -> Path:
        text = (REPOSITORY / "scenarios/stacks/reference.yaml").read_text()
        for old, new in (("name: reference", "name: changed"), *changes):
            assert old in text
            text = text.replace(old, new, 1)
        path = self._folder / "changed.yaml"
        path.write_text(text)
        return path

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return self.machine.start(
            "run", *arguments, "--out", self.machine.reports, PYTHONPATH=str(REPOSITORY)
        )

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        return self.finish(self.start(*arguments))

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Return the exit code and all that was said; whatever happened, nothing may be left."""
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert self.machine.left_processes(process.pid) == []
        assert list(self.machine.temporary.iterdir()) == []
        return process.returncode, f"{out}\n{err}"

    def remarks(self) -> str:
        result = self.machine.result()
        return "\n".join([*result["scenarios"][0]["remarks"], *result["broke"]])


@pytest.fixture
def bench(machine: Machine, tmp_path: Path) -> Bench:
    return Bench(machine, tmp_path)


@pytest.mark.alone
def test_the_same_bench_passes_when_nothing_goes_wrong(bench):
    code, said = bench.run(bench.scenario("Harmless"))

    assert code == 0, said


def test_a_fault_that_cannot_be_injected(bench):
    code, _ = bench.run(bench.scenario("InjectionRaises"))

    assert code == EXIT_INCONCLUSIVE
    assert bench.machine.result()["scenarios"][0]["status"] == "ERROR"
    assert "RuntimeError: it could not be injected" in bench.remarks()


def test_a_fault_that_cannot_be_taken_back(bench):
    code, _ = bench.run(bench.scenario("UndoRaises"))

    assert code == EXIT_INCONCLUSIVE
    assert bench.machine.result()["scenarios"][0]["status"] == "ERROR"
    assert "it could not be taken back" in bench.remarks()
    assert bench.machine.open_faults() == []


def test_a_fault_nobody_can_take_back_stays_in_the_journal_and_the_run_says_so(bench):
    code, _ = bench.run(bench.scenario("UndoRaises", more="known: false"))

    assert code == EXIT_INCONCLUSIVE
    assert "the run left something" in bench.remarks()
    assert "close_the_valve" in bench.remarks()
    assert len(bench.machine.open_faults()) == 1


def test_a_fault_that_nobody_saw_land(bench):
    code, _ = bench.run(bench.scenario("Unseen"))

    assert code == EXIT_INCONCLUSIVE
    assert "was not proved to have landed" in bench.remarks()


def test_a_steady_state_that_never_held(bench):
    silent = bench.stack(("logging_system.handler:SpoolHandler", "tests.system.handlers:Quick"))
    text = silent.read_text()
    silent.write_text(
        "\n".join(
            line for line in text.splitlines() if not line.startswith(("  spool:", "  service:", "  dur"))
        )
    )

    code, _ = bench.run(bench.scenario(), "--stack", silent, *ONCE)

    assert code != 0
    assert "there was no steady state" in bench.remarks()


@pytest.mark.alone
def test_a_workload_that_the_harness_itself_stalled(bench):
    # Once: what was inconclusive for a passing cause may well pass when it is repeated.
    process = bench.start(bench.scenario(seconds=6), *ONCE)
    wait_for(lambda: bench.machine.sent() > 50)
    application = bench.machine.process(process.pid, "application")
    assert application is not None
    os.kill(application, signal.SIGSTOP)
    time.sleep(3.0)
    os.kill(application, signal.SIGCONT)
    code, said = bench.finish(process)

    assert code == EXIT_INCONCLUSIVE, said
    assert "The load stalled" in bench.remarks()


def test_an_archive_that_cannot_be_read(bench):
    stack = bench.stack(('url: "{elasticsearch.url}"', "url: http://127.0.0.1:9"))

    code, said = bench.run(bench.scenario(), "--stack", stack, *ONCE)

    assert code == EXIT_INCONCLUSIVE, said
    assert bench.machine.result()["scenarios"][0]["status"] == "ERROR"
    assert "the archive cannot be read" in bench.remarks()


def test_an_archive_under_a_wrong_name(bench):
    stack = bench.stack(("index: logs-logquake-{run.id}", "index: logs-logquak-{run.id}"))

    code, said = bench.run(bench.scenario(), "--stack", stack, *ONCE)

    assert code == EXIT_INCONCLUSIVE, said
    assert bench.machine.result()["scenarios"][0]["status"] == "ERROR"
    assert "archive.index: write `index: logs-logquake-{run.id}`" in bench.remarks()


def test_a_signal_in_mid_fault_although_its_undo_fails(bench):
    process = bench.start(bench.scenario("UndoRaises"))
    wait_for(bench.machine.open_faults)
    process.send_signal(signal.SIGTERM)
    code, said = bench.finish(process)

    assert code == EXIT_INTERRUPTED, said
    assert bench.machine.result()["scenarios"][0]["status"] == "NOT_RUN"
    assert bench.machine.result()["gate"]["status"] != "PASS"


def test_nothing_sent(bench):
    code, _ = bench.run(bench.scenario(schedule="{kind: 'tests.system.plug_ins:NoRecords'}"), *ONCE)

    assert code == EXIT_INCONCLUSIVE
    assert "nothing was sent" in bench.remarks()


@pytest.mark.alone
def test_a_history_that_reached_its_cap(bench):
    code, said = bench.run(bench.scenario(), "--history-mib-max", "0.02")

    assert code == EXIT_INCONCLUSIVE, said
    assert bench.machine.result()["scenarios"][0]["status"] == "ERROR"
    assert "cap" in bench.remarks() or "oracle" in bench.remarks()


@pytest.mark.parametrize("name", ["oracle", "elasticsearch", "application"])
def test_a_part_that_dies_unasked(bench, name):
    process = bench.start(bench.scenario())
    wait_for(lambda: bench.machine.sent() > 50)
    pid = bench.machine.process(process.pid, name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    code, said = bench.finish(process)

    assert code in {1, EXIT_INTERNAL, EXIT_INCONCLUSIVE}, said
    assert bench.machine.result()["gate"]["status"] != "PASS"
    assert f'"{name}" ended by itself with -9' in bench.remarks()


@pytest.mark.alone
def test_a_result_that_cannot_be_written_after_a_pass(bench):
    process = bench.start(bench.scenario())
    wait_for(lambda: bench.machine.sent() > 50)
    (run,) = bench.machine.reports.glob("*/*")
    (run / "result.json").mkdir()
    code, said = bench.finish(process)

    assert code == EXIT_UNAVAILABLE
    assert "the result cannot be written" in said


@pytest.mark.alone
def test_a_reader_that_goes_away_changes_no_verdict_and_is_told_where_the_scorecard_is(bench):
    process = bench.start(bench.scenario())
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    code, said = bench.finish(process)

    assert bench.machine.result()["gate"]["status"] == "PASS"
    assert code == 0, said
    assert "the output could not be written: its reader has closed it; the scorecard is" in said


def test_too_few_descriptors_are_found_before_anything_starts(bench):
    process = bench.machine.start_program(
        "sh", "-c", 'ulimit -n 100; exec "$@"', "sh", LOGQUAKE, "run", bench.scenario()
    )
    code, said = bench.finish(process)

    assert code == EXIT_UNAVAILABLE
    assert "open files: 100 allowed" in said
    assert "ulimit -n" in said


@pytest.mark.skipif(bool(why := why_no_small_disk()), reason=why)
def test_a_disk_that_fills_up_under_the_harness(bench):
    reports = bench.machine.reports
    reports.mkdir()
    process = bench.machine.start_program(
        *("unshare", "--mount", "sh", "-c"),
        f'mount -t tmpfs -o size=80m tmpfs {reports} && exec "$@"',
        *("sh", LOGQUAKE, "run", bench.scenario(), "--out", reports),
    )
    # The harness has mounts of its own; its view of the file system is seen through its process.
    inside = Path(f"/proc/{process.pid}/root{reports}")
    wait_for(lambda: list(inside.glob("*/*/history/*/tally.json")))
    fill(inside / "ballast")
    code, said = bench.finish(process)

    assert code == EXIT_UNAVAILABLE, said
    assert "No space left on device" in said
