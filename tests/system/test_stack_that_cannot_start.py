"""A stack that cannot start is told of once: before the start where possible, else at the first scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.machine import Machine

STACK = """\
version: 1
name: mine
intake: {kind: python_logging, handler: "my_handlers:INTAKE"}
acknowledged_by: return
archive: {kind: file, path: "{run.folder}/*.log"}
"""
HANDLERS = """\
import logging
class Quick(logging.Handler):
    def emit(self, record): pass
class Raises(logging.Handler):
    def __init__(self): raise ValueError("no such place: tjolahopp")
class Exits(logging.Handler):
    def __init__(self): raise SystemExit("tjolahopp")
"""
SCENARIO = """\
version: 1
name: {name}
title: A moment of sending
hypothesis: Something is seen.
schedule: {{kind: steady, rate_per_second: 50}}
sending_seconds: 3
exclusive: {exclusive}
checks: [acknowledged_lost, duplicated, corrupted]
"""
NEVER_READY = """\
processes:
  shipper:
    command: [sh, -c, "echo tjolahopp; CODE"]
    ready: {output: serving, timeout_seconds: 1}
"""


def written(folder: Path, handler: str, more: str = "", *, exclusive: bool = True) -> list[Path]:
    project = folder / "project"
    project.mkdir()
    (project / "my_handlers.py").write_text(HANDLERS)
    (project / "mine.yaml").write_text(STACK.replace("INTAKE", handler) + more)
    paths = [project / f"{name}.yaml" for name in ("one", "two")]
    for path in paths:
        path.write_text(SCENARIO.format(name=path.stem, exclusive=str(exclusive).lower()))
    return [*paths, project / "mine.yaml"]


def run(machine: Machine, *files: Path) -> tuple[int, str, str]:
    *scenarios, stack = files
    return machine.call("run", *scenarios, "--stack", stack, "--out", machine.reports, "--jobs", "2")


@pytest.mark.parametrize(
    ("handler", "more", "said"),
    [
        ("Raises", "", 'process "application" ended with exit code'),
        ("Exits", "", 'process "application" ended with exit code'),
        ("Quick", NEVER_READY.replace("CODE", "exit 9"), 'process "shipper" ended with exit code 9'),
        ("Quick", NEVER_READY.replace("CODE", "exec sleep 60"), 'process "shipper" is not ready after 1 s'),
    ],
    ids=["constructor raises", "constructor exits", "ends at once", "never ready"],
)
def test_a_stack_that_does_not_get_ready_ends_the_run_at_the_first_scenario(
    machine: Machine, tmp_path: Path, handler: str, more: str, said: str
) -> None:
    code, out, err = run(machine, *written(tmp_path, handler, more))
    one, two = machine.result()["scenarios"]

    assert code == 4
    assert (out + err).count("tjolahopp") == 1
    assert "\\n" not in out + err
    assert said in one["remarks"][0]
    assert "tjolahopp" in one["remarks"][0]
    assert str(machine.temporary) not in one["remarks"][0]
    assert (one["status"], two["status"]) == ("ERROR", "NOT_RUN")
    assert "tjolahopp" not in json.dumps(two)
    assert 'the stack did not get ready in scenario "one"' in err
    assert not list(machine.temporary.glob("logquake-*"))
    assert_its_log_is_kept_and_linked(machine, one["kept"])


def assert_its_log_is_kept_and_linked(machine: Machine, kept: dict[str, object]) -> None:
    folder = machine.reports / "latest"
    logs = [path for path in (folder / "kept" / "one").rglob("*.log") if "tjolahopp" in path.read_text()]

    assert len(logs) == 1
    assert kept["folder"] == "kept/one"
    assert 'href="kept/one/"' in (folder / "scorecard.html").read_text()
    assert "](kept/one/)" in (folder / "scorecard.md").read_text()
    assert "kept: kept/one (" in (folder / "scorecard.txt").read_text()


def test_of_scenarios_side_by_side_one_tells_the_reason(machine: Machine, tmp_path: Path) -> None:
    code, out, err = run(machine, *written(tmp_path, "Raises", exclusive=False))
    statuses = sorted(each["status"] for each in machine.result()["scenarios"])

    assert code == 4
    assert (out + err).count("tjolahopp") == 1
    assert statuses == ["ERROR", "NOT_RUN"]


def test_a_stack_that_did_get_ready_in_a_neighbour_is_told_of_alone(machine: Machine, tmp_path: Path) -> None:
    """The first to make the folder serves; the other one gives up while the first is sending."""
    code = f"mkdir {tmp_path}/taken && echo serving && exec sleep 60; sleep 2.5; exit 9"
    more = NEVER_READY.replace("CODE", code).replace("timeout_seconds: 1", "timeout_seconds: 20")

    files = written(tmp_path, "Quick", more, exclusive=False)
    for scenario in files[:2]:
        scenario.write_text(scenario.read_text() + "drain_seconds: 1\nliveness_seconds: 1\n")

    _, _, err = run(machine, *files)
    failed, judged = sorted(machine.result()["scenarios"], key=lambda each: bool(each["tally"]["sent"]))

    assert failed["status"] == "ERROR"
    assert "ended with exit code 9" in failed["remarks"][0]
    assert judged["tally"]["sent"] > 100
    assert judged["status"] != "NOT_RUN"
    assert "did not get ready in scenario" not in err


def test_a_handler_that_cannot_be_imported_is_told_by_plan_and_run_before_anything_starts(
    machine: Machine, tmp_path: Path
) -> None:
    *scenarios, stack = written(tmp_path, "Quikc")
    planned = machine.call("plan", *scenarios, "--stack", stack)
    ran = run(machine, *scenarios, stack)

    assert planned == ran
    code, out, err = ran
    assert (code, out) == (4, "")
    assert len(err.splitlines()) == 1
    assert f'{stack}:3 intake.handler: module "my_handlers"' in err
    assert not machine.reports.exists()


def test_a_missing_program_is_told_before_anything_starts(machine: Machine, tmp_path: Path) -> None:
    files = written(tmp_path, "Quick", "processes: {shipper: {command: [tjolahopp-shipper]}}\n")
    code, out, err = run(machine, *files)

    assert (code, out) == (4, "")
    assert err.count("\n") == 1
    assert f'{files[-1]}:6 processes.shipper.command[0]: no program "tjolahopp-shipper" is in PATH.' in err
