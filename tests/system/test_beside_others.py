"""Scenarios side by side: no verdict depends on a neighbour, and what ends one in mid-run ends all."""

from __future__ import annotations

import signal
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

pytestmark = pytest.mark.alone

SCENARIO = """\
version: 1
name: {name}
title: Beside others
hypothesis: Nothing acknowledged is lost.
exclusive: false
schedule: {{kind: steady, rate_per_second: 100}}
producers: 2
sending_seconds: {sending_seconds}
drain_seconds: 10
liveness_seconds: 10
steps:
  - {{fault: {fault}, target: to_store, at_seconds: 3, for_seconds: {for_seconds}}}
"""
STACK = """\
version: 1
name: shipper
needs: [elasticsearch]
links: {to_store: elasticsearch}
intake:
  kind: python_logging
  handler: tests.system.handlers:ForgetsOne
  url: "{to_store.url}"
  index: logs-{run.id}
  folder: "{run.folder}/shipper"
  forgets_in: "-02"
  number: 200
acknowledged_by: return
archive: {kind: elasticsearch, url: "{elasticsearch.url}", index: "logs-{run.id}"}
"""
HONEST = STACK.replace('"-02"', '"no index"')
UNSEEN = "tests.system.plug_ins:UnseenOnALink"


class Neighbours:
    """Three scenarios on one machine and a stack for them that is bad in the second alone."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self._folder = folder
        self.stack = self._write("shipper", STACK)

    def scenarios(self, for_seconds: float = 2, **faults: str) -> list[Path]:
        """Write a scenario for each fault, which is on for so long."""
        return [
            self._write(
                name,
                SCENARIO.format(
                    name=name, fault=fault, for_seconds=for_seconds, sending_seconds=for_seconds + 4
                ),
            )
            for name, fault in faults.items()
        ]

    def start(self, *arguments: str | Path):
        return self.machine.start(
            "run",
            *arguments,
            *("--stack", self.stack, "--jobs", "3", "--out", self.machine.reports),
            PYTHONPATH=str(REPOSITORY),
        )

    def finish(self, process) -> tuple[int, str]:
        """Return the exit code and all that was said; whatever happened, nothing may be left."""
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert self.machine.left_processes(process.pid) == []
        assert list(self.machine.temporary.iterdir()) == []
        assert self.machine.open_faults() == []
        return process.returncode, f"{out}\n{err}"

    def statuses(self) -> dict[str, str]:
        return {one["scenario"]["name"]: one["status"] for one in self.machine.result()["scenarios"]}

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / f"{name}.yaml"
        path.write_text(text)
        return path


@pytest.fixture
def neighbours(machine: Machine, tmp_path: Path) -> Neighbours:
    return Neighbours(machine, tmp_path)


def test_a_loss_is_found_where_it_is_and_not_beside_it(neighbours):
    files = neighbours.scenarios(
        resets="connection_reset", loses="connection_reset", refused="requests_refused"
    )

    code, said = neighbours.finish(neighbours.start(*files))

    assert code == 1, said
    assert neighbours.statuses() == {"resets": "PASS", "loses": "FAIL", "refused": "PASS"}, said
    result = neighbours.machine.result()
    failed = [
        verdict["objective"]
        for one in result["scenarios"]
        for verdict in one["verdicts"]
        if verdict["status"] != "PASS"
    ]
    assert failed == ["acknowledged_lost"]
    assert result["surroundings"]["jobs"] == "3"
    began = [one.split(" · ")[0] for one in said.splitlines() if " · steady · " in one]
    over = [one.split(" · ")[0] for one in said.splitlines() if " · over · " in one]
    assert set(began[:3]) == set(over) == set(neighbours.statuses())


def test_what_was_inconclusive_beside_others_is_run_again_after_them(neighbours):
    files = neighbours.scenarios(unseen=UNSEEN, resets="connection_reset")
    neighbours.stack.write_text(HONEST)

    code, said = neighbours.finish(neighbours.start(*files, "--repeats", "1"))

    assert code == 6, said
    assert neighbours.statuses() == {"unseen": "INCONCLUSIVE", "resets": "PASS"}, said
    unseen = neighbours.machine.result()["scenarios"][0]
    assert [attempt["history"] for attempt in unseen["attempts"]] == ["history/unseen"]
    assert unseen["history"] == "history/unseen-2"
    told = said.splitlines()
    after = next(number for number, line in enumerate(told) if line.startswith("resets · over · "))
    assert any(line.startswith("unseen · start · ") for line in told[after:])


def test_a_stack_that_two_scenarios_cannot_share_a_machine_with_runs_one_at_a_time(neighbours):
    neighbours.stack.write_text(f"{HONEST}one_at_a_time: true\n")

    code, said = neighbours.finish(neighbours.start(*neighbours.scenarios(one="latency", two="latency")))

    assert code == 0, said
    assert "one scenario at a time: the stack file says one_at_a_time" in said
    assert neighbours.machine.result()["surroundings"]["jobs"] == "1"
    assert said.index("one · over · ") < said.index("two · start · ")


def test_a_signal_in_mid_fault_ends_all_of_them_and_leaves_nothing(neighbours):
    process = neighbours.start(*neighbours.scenarios(30, one="connection_reset", two="black_hole"))
    wait_for(lambda: len(neighbours.machine.open_faults()) == 2)
    process.send_signal(signal.SIGTERM)
    code, said = neighbours.finish(process)

    assert code == 2, said
    assert neighbours.statuses() == {"one": "NOT_RUN", "two": "NOT_RUN"}
    assert neighbours.machine.result()["gate"]["status"] != "PASS"
    assert neighbours.machine.result()["broke"] == []


def test_the_end_of_the_runs_time_ends_all_of_them_and_leaves_nothing(neighbours):
    files = neighbours.scenarios(30, one="connection_reset", two="black_hole")

    code, said = neighbours.finish(neighbours.start(*files, "--max-minutes", "0.1"))

    assert code == 6, said
    assert neighbours.statuses() == {"one": "NOT_RUN", "two": "NOT_RUN"}
    assert "time limit" in said
    assert neighbours.machine.result()["broke"] == []


def test_what_a_killed_harness_leaves_of_all_of_them_is_ended_and_healed(neighbours):
    machine = neighbours.machine
    process = neighbours.start(*neighbours.scenarios(30, one="connection_reset", two="black_hole"))
    wait_for(lambda: len(machine.open_faults()) == 2)
    process.kill()
    process.communicate(timeout=TIMEOUT_SECONDS)
    wait_for(lambda: not machine.left_processes(process.pid))
    code, said, _ = machine.call("heal")

    assert code == 0, said
    assert machine.open_faults() == []
    assert list(machine.temporary.iterdir()) == []


@pytest.mark.skipif(bool(why := why_no_small_disk()), reason=why)
def test_a_disk_that_fills_up_ends_all_of_them(neighbours):
    machine, reports = neighbours.machine, neighbours.machine.reports
    reports.mkdir()
    process = machine.start_program(
        *("unshare", "--mount", "sh", "-c"),
        f'mount -t tmpfs -o size=80m tmpfs {reports} && exec "$@"',
        *("sh", LOGQUAKE, "run", *neighbours.scenarios(30, one="connection_reset", two="black_hole")),
        *("--stack", neighbours.stack, "--jobs", "2", "--out", reports),
        PYTHONPATH=str(REPOSITORY),
    )
    # The harness has mounts of its own; its view of the file system is seen through its process.
    inside = Path(f"/proc/{process.pid}/root{reports}")
    wait_for(lambda: len(list(inside.glob("*/*/history/*/tally.json"))) == 2)
    fill(inside / "ballast")
    code, said = neighbours.finish(process)

    assert code == 7, said
    assert "No space left on device" in said
