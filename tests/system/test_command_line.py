"""The installed `logquake` command: exit codes, interruption, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.deployments.procfs import kill, started_by_a_harness

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
QUICK = HERE / "scenarios" / "quick.yaml"
LOGQUAKE = str(Path(sys.executable).parent / "logquake")
TIMEOUT_SECONDS = 60


class Machine:
    """One user's machine: state folder, temporary folder and reports of its own."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.reports = folder / "reports"
        self.temporary = temporary
        self.journals = folder / "state" / "logquake" / "undo"
        self._environment = {
            **os.environ,
            "TMPDIR": str(self.temporary),
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def start(
        self, *arguments: str | Path, folder: Path = REPOSITORY, **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [LOGQUAKE, *map(str, arguments)],
            cwd=folder,
            env={**self._environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments: str | Path, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        return process.returncode, out, err

    def open_faults(self) -> list[Path]:
        return list(self.journals.glob("*.jsonl"))

    def left_processes(self, harness: int) -> list[int]:
        return [
            pid
            for pid, variables in started_by_a_harness()
            if variables["LOGQUAKE_HARNESS"].startswith(f"{harness}:")
        ]

    def result(self) -> dict:
        (path,) = self.reports.glob("*/*/result.json")
        return json.loads(path.read_text())


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    # Not below pytest's own folder, which is closed to the user that servers run as under root.
    with tempfile.TemporaryDirectory(prefix="machine-") as temporary:
        Path(temporary).chmod(0o755)
        yield Machine(tmp_path, Path(temporary))


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, int, int, str, str]]:
    """One run from start to stop, looked at by several tests: machine, pid, exit code, output, errors."""
    with tempfile.TemporaryDirectory(prefix="machine-") as temporary:
        machine = Machine(tmp_path_factory.mktemp("whole_run"), Path(temporary))
        # From a folder of its own and with a relative path, as most people call it.
        process = machine.start("run", QUICK, "--out", "reports", folder=machine.reports.parent)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        yield machine, process.pid, process.returncode, out, err


def _wait_for(condition, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def test_help_is_quick(machine):
    seconds = []
    for _ in range(5):
        started = time.monotonic()
        assert machine.call("--help")[0] == 0
        seconds.append(time.monotonic() - started)

    assert min(seconds) <= 0.2


def test_a_whole_run_passes_and_leaves_nothing(whole_run):
    machine, pid, code, out, err = whole_run

    assert code == 0, err
    assert "scorecard: " in out
    assert machine.result()["score"]["low"] == 100
    assert machine.left_processes(pid) == []
    assert list(machine.temporary.iterdir()) == []
    assert machine.open_faults() == []


def test_progress_goes_in_plain_lines_where_there_is_no_terminal(whole_run):
    _, _, _, _, err = whole_run

    assert "quick · inject [killed on elasticsearch] · sent " in err
    assert "\x1b" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_mid_fault_undoes_stops_everything_and_exits_with_2(machine, number):
    process = machine.start("run", QUICK, "--out", machine.reports)
    _wait_for(machine.open_faults)
    process.send_signal(number)
    _, err = process.communicate(timeout=TIMEOUT_SECONDS)

    assert process.returncode == 2, err
    assert machine.left_processes(process.pid) == []
    assert list(machine.temporary.iterdir()) == []
    assert machine.open_faults() == []
    assert machine.result()["scenarios"][0]["status"] == "NOT_RUN"
    assert machine.result()["gate"]["status"] != "PASS"


def test_what_a_killed_harness_leaves_is_named_by_doctor(machine):
    process = machine.start("run", QUICK, "--out", machine.reports)
    _wait_for(machine.open_faults)
    process.kill()
    process.communicate(timeout=TIMEOUT_SECONDS)
    # Our own programs end with the harness's pipe; only a stack's process could outlive it.
    _wait_for(lambda: not machine.left_processes(process.pid))

    code, out, _ = machine.call("doctor")

    assert code == 1
    assert "did not note that step quick.0 was taken back: restart_process" in out
    (scratch,) = machine.temporary.iterdir()
    assert str(scratch) in out


@pytest.mark.servers
def test_real_servers_a_killed_harness_leaves_are_named_by_doctor(machine):
    process = machine.start("run", QUICK, "--backend", "local", "--out", machine.reports)
    try:
        _wait_for(machine.open_faults, seconds=60)
        process.kill()
        process.communicate(timeout=TIMEOUT_SECONDS)
        _, out, _ = machine.call("doctor")
        left = machine.left_processes(process.pid)

        assert left
        assert all(f"kill {pid}" in out for pid in left)
    finally:
        for pid in machine.left_processes(process.pid):
            kill(pid, 10.0)


def test_the_history_survives_the_harness(machine):
    process = machine.start("run", QUICK, "--out", machine.reports)
    _wait_for(machine.open_faults)
    process.kill()
    process.communicate(timeout=TIMEOUT_SECONDS)
    _wait_for(lambda: not machine.left_processes(process.pid))

    (oracle,) = machine.reports.glob("*/*/history/quick/oracle.jsonl")
    (harness,) = machine.reports.glob("*/*/history/quick/harness.jsonl")
    assert '"Acknowledged"' in oracle.read_text()
    assert '"injecting"' in harness.read_text()


def test_reaching_max_minutes_is_inconclusive_never_a_pass(machine):
    code, _, err = machine.call("run", QUICK, "--max-minutes", "0.08", "--out", machine.reports)

    assert code == 6, err
    assert "time limit" in err
    assert machine.result()["gate"]["status"] == "INCONCLUSIVE"


def test_an_unknown_scenario_is_a_usage_error_with_a_suggestion(machine):
    code, _, err = machine.call("run", "black_hol")

    assert code == 4
    assert 'Did you mean "black_hole"?' in err


def test_a_mistake_in_a_file_is_named_with_its_line(machine, tmp_path):
    path = tmp_path / "quick.yaml"
    path.write_text(QUICK.read_text().replace("target: elasticsearch", "target: elastcsearch"))

    code, _, err = machine.call("run", path)

    assert code == 4
    assert f"{path}:10 steps[0].target" in err
    assert 'Did you mean "elasticsearch"?' in err


def test_an_unknown_option_exits_with_4_not_with_a_codes_namesake(machine):
    assert machine.call("run", "--no-such-option")[0] == 4


def test_a_suite_that_lists_nothing_exits_with_5(machine, tmp_path):
    suite = tmp_path / "nothing.yaml"
    suite.write_text("version: 1\nname: nothing\ntitle: Nothing\nscenarios: []\n")

    code, _, err = machine.call("run", "--suite", suite)

    assert code == 5
    assert "lists no scenario" in err


def test_a_missing_input_exits_with_4(machine):
    code, _, err = machine.call("run", QUICK, "--input", "no/such.log")

    assert code == 4
    assert "no/such.log" in err


def test_servers_that_are_not_installed_exit_with_7_and_the_remedy(machine, tmp_path):
    code, _, err = machine.call(
        "run", QUICK, "--backend", "local", "--out", machine.reports, LOGQUAKE_CACHE=str(tmp_path / "empty")
    )

    assert code == 7
    assert "servers install" in err or "make servers" in err


def test_a_handler_that_cannot_be_imported_is_an_error_never_a_pass(machine, tmp_path):
    stack = tmp_path / "typo.yaml"
    text = (REPOSITORY / "tests/detection/stacks/losing.yaml").read_text()
    stack.write_text(
        text.replace("name: losing", "name: typo").replace("bad_handlers:Loses", "bad_handlers:Lose")
    )

    code, out, _ = machine.call("run", QUICK, "--stack", stack, "--out", machine.reports)

    assert code == 6
    assert "has no" in out


def test_the_same_seed_gives_the_same_plan_and_another_seed_another(machine):
    first, again = machine.call("plan", "--seed", "7"), machine.call("plan", "--seed", "7")
    other = machine.call("plan", "--seed", "8")

    assert first == again
    assert first[0] == 0
    assert "plan hash" in first[1]
    assert first[1] != other[1]


def test_a_finished_run_can_be_gated_again(whole_run, tmp_path):
    machine = whole_run[0]
    (result,) = machine.reports.glob("*/*/result.json")
    rules = tmp_path / "gate.yaml"
    rules.write_text('version: 1\nobjectives: {recovery.fresh_record_seconds: {fail: ">0.000001"}}\n')

    assert machine.call("gate", result)[0] == 0
    assert machine.call("gate", result.parent)[0] == 0
    assert machine.call("gate", result, "--rules", rules)[0] == 1


def test_a_waiver_lets_pass_what_it_covers_until_its_last_day(whole_run, tmp_path):
    machine = whole_run[0]
    (result,) = machine.reports.glob("*/*/result.json")
    rules = tmp_path / "gate.yaml"
    limit = "objectives: {recovery.fresh_record_seconds: {fail: '>0.000001'}}"
    waiver = "waivers: [{{id: recovery.fresh_record_seconds, until: {}, reason: slow disks}}]"

    rules.write_text(f"version: 1\n{limit}\n{waiver.format('2999-12-31')}\n")
    code, out, _ = machine.call("gate", result, "--rules", rules)
    assert code == 0
    assert "Waived until 2999-12-31 (slow disks)" in out
    rules.write_text(f"version: 1\n{limit}\n{waiver.format('2020-01-01')}\n")
    code, out, _ = machine.call("gate", result, "--rules", rules)
    assert code == 1
    assert "expired on 2020-01-01" in out


def test_a_damaged_result_is_a_usage_error(machine, tmp_path):
    damaged = tmp_path / "result.json"
    damaged.write_text('{"schema_version": 1, "run_id"')

    code, _, err = machine.call("gate", damaged)

    assert code == 4
    assert str(damaged) in err


def test_list_names_what_there_is(machine):
    code, out, _ = machine.call("list")

    assert code == 0
    assert all(word in out for word in ("black_hole", "default", "reference", "embedded", "conservation"))
