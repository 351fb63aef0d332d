"""Scenario files as tests of a user's own pytest, run for real: every outcome, two workers, nothing left."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from tests.system.machine import Machine, temporary_folder, wait_for

SECONDS_MAX = 200

HANDLER = '''\
import json
import logging
import urllib.request


class Stores(logging.Handler):
    """Stores each record before the log call returns; forgets one in the scenario of a certain number."""

    def __init__(self, url, index, forgets_in):
        super().__init__()
        self._url = f"{url}/{index}/_doc"
        self._forgets = index.endswith(forgets_in)

    def emit(self, record):
        if self._forgets and record.__dict__.get("sequence") == 50:
            return
        body = json.dumps({"message": record.getMessage()}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()
'''
STACK = """\
version: 1
name: mine
needs: [elasticsearch]
links: {to_store: elasticsearch, unused: elasticsearch}
intake:
  kind: python_logging
  handler: mine_logs:Stores
  url: "{to_store.url}"
  index: "mine-{run.id}"
  forgets_in: "-02"
acknowledged_by: return
archive: {kind: elasticsearch, url: "{elasticsearch.url}", index: "mine-{run.id}"}
"""
SCENARIO = """\
version: 1
name: {name}
title: A link is hurt
hypothesis: Nothing acknowledged is lost.
exclusive: {exclusive}
schedule: {{kind: steady, rate_per_second: 50}}
producers: 2
sending_seconds: 3
drain_seconds: 4
steps:
  - {{fault: {fault}, target: {target}, at_seconds: 2, for_seconds: 0.5}}
checks: [acknowledged_lost, corrupted]
"""
OWN_TESTS = """\
def test_a_slow_link_loses_nothing(logquake_stack, fault, log_oracle):
    with fault("latency", "to_store", latency_ms=100) as proof:
        log_oracle.send(5)
    assert proof.landed, proof.seen
    assert log_oracle.assert_conserved(within_seconds=20).acknowledged == 5
    assert logquake_stack.urls["to_store"].startswith("http://127.0.0.1:")


def test_a_line_that_was_never_logged_is_missing(log_oracle):
    log_oracle.send(["order 17 paid"])
    log_oracle.mark("order 18 paid")
    log_oracle.assert_conserved(within_seconds=2)


def test_a_line_that_was_stored_twice_is_a_duplicate(logquake_stack, log_oracle):
    import urllib.request

    line = log_oracle.mark("order 19 paid")
    for _ in range(2):
        url = f"{logquake_stack.urls['elasticsearch']}/mine-{logquake_stack.run_id}/_doc?refresh=true"
        body = f'{{"message": "{line}"}}'.encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()
    log_oracle.assert_conserved(within_seconds=2)


def test_a_mistyped_fault(fault):
    with fault("latancy", "to_store"):
        pass


def test_a_target_that_cannot_be_killed(fault):
    with fault("killed", "to_store"):
        pass


def test_a_fault_is_healed_though_the_test_fails(logquake_stack, fault):
    import urllib.request

    try:
        with fault("connection_reset", "to_store"):
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert urllib.request.urlopen(logquake_stack.urls["to_store"], timeout=5).status == 200
"""


class Session(NamedTuple):
    """What one pytest session said and left."""

    code: int
    text: str
    folder: Path
    left: list[object]

    def result(self) -> dict:
        (path,) = self.folder.glob("reports/pytest/*/result.json")
        content: dict = json.loads(path.read_text())
        return content


def write_project(folder: Path, **faults: tuple[str, str]) -> None:
    (folder / "mine_logs.py").write_text(HANDLER)
    (folder / "mine.yaml").write_text(STACK)
    (folder / "scenarios").mkdir()
    for name, (fault, target) in faults.items():
        text = SCENARIO.format(
            name=name, fault=fault, target=target, exclusive=str(name == "a_alone").lower()
        )
        (folder / "scenarios" / f"{name}.yaml").write_text(text)


def start(machine: Machine, folder: Path, *arguments: str):
    return machine.start_program(
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, folder=folder, COLUMNS="200"
    )


def finished(machine: Machine, folder: Path, process) -> Session:
    out, err = process.communicate(timeout=SECONDS_MAX)
    scratch = machine.temporary.glob("logquake-*")
    left = [*machine.left_processes(process.pid), *scratch, *machine.open_faults()]
    return Session(process.returncode, f"{out}\n{err}", folder, left)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """One session with a scenario of each outcome and tests of the user's own, on two workers."""
    folder = tmp_path_factory.mktemp("project")
    write_project(
        folder,
        a_alone=("latency", "to_store"),
        b_loses=("latency", "to_store"),
        c_unseen=("requests_refused", "unused"),
    )
    (folder / "test_own.py").write_text(OWN_TESTS)
    with temporary_folder() as temporary:
        machine = Machine(folder, temporary)
        arguments = ("--stack", "mine.yaml", "--logquake-repeats", "0", "-n", "2", "-v", "-rA")
        yield finished(machine, folder, start(machine, folder, *arguments, "--junitxml", "junit.xml"))
        machine.stop()


pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS_MAX + 20)]


def outcomes(session: Session) -> dict[str, str]:
    """Return the word of each test by its name."""
    return {name: word for word, name in re.findall(r"\] ([A-Z]+) \S+::(\w+)", session.text)}


def test_every_scenario_has_an_outcome_of_its_own(session):
    words = {name: word for name, word in outcomes(session).items() if not name.startswith("test_")}

    assert words == {
        "a_alone": "PASSED",
        "b_loses": "FAILED",
        "c_unseen": "INCONCLUSIVE",
    }, session.text
    assert session.code == 1


def test_a_failure_shows_its_counterexample_and_no_traceback(session):
    (shown,) = re.findall(r"^_+ b_loses _+\n(.*?)^[_=]{5}", session.text, re.MULTILINE | re.DOTALL)

    assert "FAIL acknowledged_lost: 1 of" in shown
    assert "> Record 50 was due at" in shown
    assert "replay: logquake run --stack mine.yaml --backend embedded scenarios/b_loses.yaml" in shown
    assert "Traceback" not in shown
    (history,) = re.findall(r"history: (\S+)", shown)
    assert (session.folder / history / "harness.jsonl").is_file()


def test_an_inconclusive_scenario_says_why(session):
    assert "- INCONCLUSIVE: acknowledged_lost: requests_refused on unused was not" in session.text


def test_the_workers_results_are_one_result(session):
    result = session.result()

    assert {one["scenario"]["name"]: one["status"] for one in result["scenarios"]} == {
        "a_alone": "PASS",
        "b_loses": "FAIL",
        "c_unseen": "INCONCLUSIVE",
    }
    assert result["gate"]["status"] == "FAIL"
    assert "scorecard: reports/pytest/" in session.text
    assert "3 scenarios: 1 fail, 1 inconclusive, 1 pass" in session.text


def test_the_junit_file_tells_each_status(session):
    cases = ElementTree.parse(session.folder / "junit.xml").iter("testcase")  # noqa: S314 - our own file
    told = {
        case.get("name"): found.get("value")
        for case in cases
        if (found := case.find("properties/property[@name='logquake_status']")) is not None
    }

    assert told == {"a_alone": "PASS", "b_loses": "FAIL", "c_unseen": "INCONCLUSIVE"}


def test_faults_and_oracle_judge_the_users_own_tests(session):
    words = {name: word for name, word in outcomes(session).items() if name.startswith("test_")}

    assert words == {
        "test_a_slow_link_loses_nothing": "PASSED",
        "test_a_line_that_was_never_logged_is_missing": "FAILED",
        "test_a_line_that_was_stored_twice_is_a_duplicate": "FAILED",
        "test_a_mistyped_fault": "FAILED",
        "test_a_target_that_cannot_be_killed": "FAILED",
        "test_a_fault_is_healed_though_the_test_fails": "PASSED",
    }, session.text
    for said in (
        "acknowledged_lost: 1 of 2 acknowledged records cannot be read back. (2 s allowed)",
        "duplicated: 1 of 1 stored records have more than 1 copy. (2 s allowed)",
        'fault("latancy") fault: no fault "latancy". Did you mean "latency"?',
        'target "to_store": this target does not support being killed',
    ):
        assert said in session.text


def test_nothing_is_left(session):
    assert session.left == []


def test_an_interrupt_heals_the_fault_and_leaves_nothing(machine, tmp_path):
    write_project(tmp_path, long=("latency", "to_store"))
    path = tmp_path / "scenarios" / "long.yaml"
    path.write_text(
        path.read_text().replace("0.5", "30").replace("sending_seconds: 3", "sending_seconds: 60")
    )
    process = start(machine, tmp_path, "--stack", "mine.yaml", "-q")
    wait_for(machine.open_faults, SECONDS_MAX)

    process.send_signal(signal.SIGINT)
    ended = finished(machine, tmp_path, process)

    assert ended.code == pytest.ExitCode.INTERRUPTED, ended.text
    assert ended.left == []
    assert [one["status"] for one in ended.result()["scenarios"]] == ["NOT_RUN"]
