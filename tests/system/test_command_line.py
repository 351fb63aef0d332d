"""The installed `logquake` command: exit codes, interruption, and what it leaves behind."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.system.machine import LOGQUAKE, QUICK, TIMEOUT_SECONDS, Machine, temporary_folder, wait_for

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, int, int, str, str]]:
    """One run from start to stop, looked at by several tests: machine, pid, exit code, output, errors."""
    with temporary_folder() as temporary:
        machine = Machine(tmp_path_factory.mktemp("whole_run"), temporary)
        # From a folder of its own and with a relative path, as most people call it.
        process = machine.start("run", QUICK, "--out", "reports", folder=machine.reports.parent)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        yield machine, process.pid, process.returncode, out, err


def least_processor_seconds(machine: Machine, *command: str) -> float:
    """Of five starts of a program; unlike the time on the wall, neighbours hardly change it."""
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        machine.start_program(*command).communicate(timeout=TIMEOUT_SECONDS)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


def test_help_is_quick(machine):
    helped = least_processor_seconds(machine, LOGQUAKE, "--help")
    started = least_processor_seconds(machine, sys.executable, "-c", "pass")

    print(f"help: {helped:.3f} s of processor time, an interpreter alone: {started:.3f} s")
    assert helped <= 10 * started


def test_a_whole_run_passes_and_leaves_nothing(whole_run):
    machine, pid, code, out, err = whole_run

    assert code == 0, err
    assert "scorecard: " in out
    assert machine.result()["score"]["low"] == 100
    assert machine.left_processes(pid) == []
    assert list(machine.temporary.iterdir()) == []
    assert machine.open_faults() == []
    assert list(machine.reports.glob("*/*/kept")) == []


def test_progress_goes_in_plain_lines_where_there_is_no_terminal(whole_run):
    _, _, _, _, err = whole_run

    assert "quick · inject [killed on elasticsearch] · sent " in err
    assert "\x1b" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_mid_fault_undoes_stops_everything_and_exits_with_2(machine, number):
    process = machine.start("run", QUICK, "--out", machine.reports)
    wait_for(machine.open_faults)
    process.send_signal(number)
    _, err = process.communicate(timeout=TIMEOUT_SECONDS)

    assert process.returncode == 2, err
    assert machine.left_processes(process.pid) == []
    assert list(machine.temporary.iterdir()) == []
    assert machine.open_faults() == []
    assert machine.result()["scenarios"][0]["status"] == "NOT_RUN"
    assert machine.result()["gate"]["status"] != "PASS"


def test_the_history_survives_the_harness(machine):
    process = machine.start("run", QUICK, "--out", machine.reports)
    wait_for(machine.open_faults)
    process.kill()
    process.communicate(timeout=TIMEOUT_SECONDS)
    wait_for(lambda: not machine.left_processes(process.pid))

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


def test_a_handler_that_cannot_be_imported_is_a_mistake_in_the_stack_file(machine, tmp_path):
    stack = tmp_path / "typo.yaml"
    stack.write_text(
        "version: 1\nname: typo\nneeds: [elasticsearch]\nlinks: {to_store: elasticsearch}\n"
        "intake: {kind: python_logging, handler: 'harness.selftest.shipper:HonestShiper'}\n"
        "acknowledged_by: return\n"
        "archive: {kind: elasticsearch, index: 'logs-{run.id}', url: '{elasticsearch.url}'}\n"
    )

    code, _, err = machine.call("run", QUICK, "--stack", stack, "--out", machine.reports)

    assert code == 4
    assert f"{stack}:5 intake.handler: " in err
    assert 'has no "HonestShiper". Did you mean "HonestShipper"?' in err


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
    rules.write_text('version: 1\nobjectives: {fresh_record_seconds: {fail: ">0.000001"}}\n')

    assert machine.call("gate", result)[0] == 0
    assert machine.call("gate", result.parent)[0] == 0
    assert machine.call("gate", result, "--gate", rules)[0] == 1


def test_a_waiver_lets_pass_what_it_covers_until_its_last_day(whole_run, tmp_path):
    machine = whole_run[0]
    (result,) = machine.reports.glob("*/*/result.json")
    rules = tmp_path / "gate.yaml"
    limit = "objectives: {fresh_record_seconds: {fail: '>0.000001'}}"
    waiver = "waivers: [{{id: fresh_record_seconds, until: {}, reason: slow disks}}]"

    rules.write_text(f"version: 1\n{limit}\n{waiver.format('2999-12-31')}\n")
    code, out, _ = machine.call("gate", result, "--gate", rules)
    assert code == 0
    assert "Waived until 2999-12-31 (slow disks)" in out
    rules.write_text(f"version: 1\n{limit}\n{waiver.format('2020-01-01')}\n")
    code, out, _ = machine.call("gate", result, "--gate", rules)
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
    assert all(
        word in out for word in ("black_hole", "default", "reference", "embedded", "acknowledged_lost")
    )
