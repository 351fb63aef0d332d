from __future__ import annotations

import threading
from pathlib import Path

import pytest

from logging_system.console import proposals
from logging_system.console.board import PanelError
from logging_system.console.proposals import Proposals, RefusedError
from logging_system.console.shown_text import ShownText
from logging_system.coordination import AICoordinationEngine
from logging_system.coordination.workflows.declaration import Workflow, Workflows
from logging_system.coordination.workflows.run import RunState
from tests.unit.logging_system.coordination.engines import finding

LOUDER = Workflow.model_validate(
    {
        "name": "louder",
        "until_over": True,
        "steps": [{"kind": "set_level", "logger": "{subject}", "level": "DEBUG"}],
    }
)


def proposed(spool: Path) -> AICoordinationEngine:
    engine = AICoordinationEngine(spool, Workflows(workflows=(LOUDER,)))
    engine.look()
    engine.tell(finding(since_seconds=1.0, found_seconds=1.0))
    return engine


def page(spool: Path) -> Proposals:
    return Proposals(spool, ShownText(None))


def test_a_proposal_is_shown_with_its_steps_and_what_it_waits_for(tmp_path: Path) -> None:
    engine = proposed(tmp_path)
    found = page(tmp_path).read()
    (run,) = found["runs"]

    assert (found["waiting"], found["active"]) == (1, 0)
    assert (run["workflow"], run["state"], run["can_approve"], run["can_reject"]) == (
        "louder",
        "waiting",
        True,
        True,
    )
    assert run["waits"] == "waits for a person"
    assert "shop.payment" in run["steps"][0]["says"]
    engine.close()


def test_an_approval_is_taken_by_the_engine_that_coordinates_and_done_by_it_alone(tmp_path: Path) -> None:
    engine = proposed(tmp_path)
    ending = threading.Event()

    def look_on() -> None:
        while not ending.wait(0.05):
            engine.look()

    thread = threading.Thread(target=look_on)
    thread.start()
    (run,) = engine.runs()
    said = page(tmp_path).answer(run.id, "approve", "ada (console)")
    ending.set()
    thread.join()

    assert said == "Approved. The engine has taken it in."
    assert engine.runs()[0].state is RunState.HOLDING
    authors = [event.details.get("author") for event in engine.history() if event.event == "approve"]
    assert authors == ["ada (console)"]
    with pytest.raises(RefusedError, match="It is holding already"):
        page(tmp_path).answer(run.id, "approve", "bob")
    engine.close()


def test_without_an_engine_an_answer_is_kept_and_the_console_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = proposed(tmp_path)
    (run,) = engine.runs()
    engine.close()
    monkeypatch.setattr(proposals, "TAKEN_SECONDS_MAX", 0.1)
    said = page(tmp_path).answer(run.id, "reject", "ada")
    found = page(tmp_path).read()

    assert said.startswith("Rejected, and kept. No engine took it in yet")
    assert not found["are_answers_taken"]
    assert found["runs"][0]["state"] == "waiting"
    again = AICoordinationEngine(tmp_path, Workflows())
    again.look()
    assert again.runs()[0].state is RunState.REJECTED
    again.close()


@pytest.mark.parametrize(
    ("run_id", "say", "why"), [("nothing", "approve", "no such workflow"), (None, "yes", "approve or reject")]
)
def test_what_cannot_be_said_is_refused(tmp_path: Path, run_id: str | None, say: str, why: str) -> None:
    engine = proposed(tmp_path)
    with pytest.raises(RefusedError, match=why):
        page(tmp_path).answer(run_id or engine.runs()[0].id, say, "ada")
    assert not engine.answers_wait()
    engine.close()


def test_a_folder_that_nobody_coordinated_stays_as_it_is(tmp_path: Path) -> None:
    assert page(tmp_path).read()["runs"] == []
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_state_is_told(tmp_path: Path) -> None:
    proposed(tmp_path).close()
    (tmp_path / "coordination" / "state.json").write_bytes(b"damaged")
    with pytest.raises(PanelError, match="cannot be read"):
        page(tmp_path).read()
