"""What acts on findings is told of each by the one that watches, also of those that a crash kept back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.examples import default_masking
from logging_system.alerting.finding_detection import FindingDetection
from logging_system.alerting.watch_loop import WatchLoop
from logging_system.config.encryption import Protection
from logging_system.coordination import AICoordinationEngine
from logging_system.coordination.detection.finding_lines import finding_of_line, line_of
from logging_system.coordination.workflows.declaration import Workflows
from tests.unit.logging_system.alerting.test_finding_detection import UNREACHABLE, Detecting
from tests.unit.logging_system.coordination.engines import Place, finding

WORKFLOWS = {
    "automatic": [{"workflow": "note"}],
    "workflows": [{"name": "note", "until_over": True, "steps": [{"kind": "snapshot_diagnostics"}]}],
}
WAIT_SECONDS = 20.0


class Acting(Detecting):
    """Detection with an engine on the same folder."""

    def __init__(self, spool: Path) -> None:
        self.place = Place(spool)
        self.engine = self.place.engine(WORKFLOWS)
        super().__init__(spool)

    def started(self) -> FindingDetection:
        return FindingDetection(
            self.spool,
            self.folder,
            masked=default_masking(),
            is_sealed=False,
            steady=lambda: self.now,
            remark=self.remarks.append,
            acting=self.engine,
        )

    def crashes(self, content: dict[str, Any]) -> None:
        """Begin anew with what was saved last, as after a crash."""
        self.engine.close()
        self.engine = self.place.engine(WORKFLOWS)
        self.detection = self.started()
        self.detection.restore(orjson.loads(orjson.dumps(content)))
        self.detection.take_up(self.now)

    def states(self) -> list[str]:
        self.engine.look()
        return [run.state.value for run in self.engine.runs()]


def test_a_finding_starts_a_workflow_and_its_end_ends_it(tmp_path: Path) -> None:
    acting = Acting(tmp_path)
    acting.looks(5)
    acting.looks(5, **UNREACHABLE)
    before = acting.states()
    acting.detection.write()
    during = acting.states()
    acting.looks(60)
    acting.detection.write()

    assert (before, during, acting.states()) == ([], ["holding"], ["done"])


def test_nothing_is_told_before_its_line_is_durable(tmp_path: Path) -> None:
    acting = Acting(tmp_path)
    (acting.folder / "findings.jsonl").mkdir()
    acting.looks(5)
    acting.looks(5, **UNREACHABLE)
    acting.detection.write()
    refused = acting.engine.findings()
    (acting.folder / "findings.jsonl").rmdir()
    acting.detection.write()

    assert refused == []
    assert len(acting.engine.findings()) == 1


def test_what_lasts_is_told_again_after_a_crash_before_the_engine_took_it_in(tmp_path: Path) -> None:
    acting = Acting(tmp_path)
    acting.looks(5)
    acting.looks(5, **UNREACHABLE)
    acting.detection.write()
    content = acting.detection.content()
    (tmp_path / "coordination" / "state.json").unlink()
    (tmp_path / "coordination" / "audit.ndjson").unlink()
    acting.crashes(content)

    assert acting.states() == ["holding"]


def test_what_ended_while_nobody_told_the_engine_is_over_after_a_crash(tmp_path: Path) -> None:
    acting = Acting(tmp_path)
    acting.looks(5)
    acting.looks(5, **UNREACHABLE)
    acting.detection.write()
    assert acting.states() == ["holding"]
    by_hand = finding(finding_id="by-hand")
    acting.engine.tell(by_hand)
    acting.looks(60)
    acting.crashes({**acting.detection.content(), "waiting": []})

    assert sorted(acting.states()) == ["done", "holding"]
    assert [each.finding_id for each in acting.engine.findings()] == [by_hand.finding_id]


def test_a_line_has_all_that_a_finding_says() -> None:
    evidence = {"evidence_for": ("a",), "evidence_against": ("b",), "examples": ("x",)}
    told = finding(**evidence, templates=("t",), measures={"rate": 2.0})
    ended = finding(until_seconds=told.found_seconds + 1.5)

    for each in (told, ended):
        assert finding_of_line(orjson.loads(orjson.dumps(line_of(each, "i1")))) == each


def test_only_the_one_that_watches_acts_and_a_stand_by_does_once_it_watches(tmp_path: Path) -> None:
    loops: dict[str, WatchLoop] = {}
    engines: dict[str, AICoordinationEngine] = {}
    ready = {name: threading.Event() for name in ("first", "second")}
    acts = {name: threading.Event() for name in ready}

    def acting(name: str) -> Any:
        @contextmanager
        def opened(_template_text: object) -> Iterator[AICoordinationEngine]:
            engine = AICoordinationEngine(tmp_path, Workflows())
            engines[name] = engine
            assert engine.start()
            acts[name].set()
            try:
                yield engine
            finally:
                engine.close()

        return opened

    threads = []
    for name in ready:
        loops[name] = WatchLoop(
            *(tmp_path, Alerts(), None, Protection()),
            ready=lambda _is_standby, name=name: ready[name].set(),  # type: ignore[misc]
            acting=acting(name),
        )
        threads.append(threading.Thread(target=loops[name].run))
        threads[-1].start()
        assert ready[name].wait(WAIT_SECONDS)
    acted = {name: event.is_set() for name, event in acts.items()}
    loops["first"].stop()
    took_over = acts["second"].wait(WAIT_SECONDS)
    loops["second"].stop()
    for thread in threads:
        thread.join(WAIT_SECONDS)

    assert acted == {"first": True, "second": False}
    assert took_over
    assert not any(thread.is_alive() for thread in threads)
