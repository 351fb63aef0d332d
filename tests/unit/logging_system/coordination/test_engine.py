from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import logging_system
from logging_system.coordination import AICoordinationEngine
from logging_system.coordination.answers import Say
from logging_system.coordination.effects import STORE_WANTED
from logging_system.coordination.engine import NotCoordinatingError
from logging_system.coordination.findings import CauseClass, FindingKind
from logging_system.coordination.workflows.run import RunState, StepState
from logging_system.coordination.workflows.state_file import StateDamagedError
from logging_system.keys.audit_log import AuditError
from logging_system.spool.control import NAME, Order, SetLevel, decoded, in_force
from tests.unit.logging_system.coordination.engines import Died, Documents, Place, finding, only_run

QUIET: dict[str, Any] = {
    "name": "quiet",
    "when": {"kinds": ["spike"]},
    "until_over": True,
    "steps": [{"kind": "set_level", "logger": "{subject}", "level": "ERROR"}],
}
SCALE: dict[str, Any] = {
    "name": "scale",
    "steps": [
        {"kind": "shrink_batches", "batch_records_max": 100},
        {"kind": "command", "command": ["scale", "up"], "undo_command": ["scale", "down"]},
    ],
}
BY_ITSELF = [{"workflow": "scale"}]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def orders(place: Place) -> tuple[Order, ...]:
    path = place.folder / NAME
    return in_force(decoded(path.read_bytes()), place.now) if path.exists() else ()


def events(engine: AICoordinationEngine) -> list[str]:
    return [each.event for each in engine.history()]


def test_the_engine_is_where_a_user_looks_for_it() -> None:
    assert logging_system.AICoordinationEngine is AICoordinationEngine


def test_a_finding_becomes_a_proposal_that_does_nothing_until_a_person_approves_it(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET]})
    engine.tell(finding())
    engine.look()

    assert only_run(engine).state is RunState.WAITING
    assert orders(place) == ()

    engine.approve(only_run(engine).id, "ann")
    engine.look()

    assert only_run(engine).state is RunState.HOLDING
    (order,) = orders(place)
    assert isinstance(order, SetLevel)
    assert (order.logger, order.level) == ("shop.payment", "ERROR")
    assert events(engine) == ["proposed", "approve", "started", "intended", "done", "holding"]


def test_what_holds_until_a_finding_is_over_is_undone_then(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET], "automatic": [{"workflow": "quiet"}]})
    engine.tell(finding())
    engine.look()
    assert len(orders(place)) == 1

    engine.tell(finding(until_seconds=NOW_LATER))
    engine.look()

    assert only_run(engine).state is RunState.DONE
    assert orders(place) == ()


NOW_LATER = finding().since_seconds + 60


def test_a_rule_lets_a_workflow_run_by_itself_for_the_findings_that_it_names(place: Place) -> None:
    sure = {"workflow": "quiet", "when": {"confidence_min": 0.95}}
    engine = place.engine({"workflows": [QUIET], "automatic": [sure]})
    engine.tell(finding())
    engine.tell(finding(finding_id="f2", subject="shop.search", confidence=0.99))
    engine.look()

    assert [each.state for each in engine.runs()] == [RunState.WAITING, RunState.HOLDING]


def test_a_rejected_run_is_undone(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET], "automatic": [{"workflow": "quiet"}]})
    engine.tell(finding())
    engine.look()
    engine.reject(only_run(engine).id)
    engine.look()

    assert only_run(engine).state is RunState.REJECTED
    assert only_run(engine).steps[0].state is StepState.UNDONE
    assert orders(place) == ()


def test_what_was_done_before_a_step_that_fails_is_undone(place: Place) -> None:
    place.code = 3
    engine = place.engine({"workflows": [SCALE], "automatic": BY_ITSELF}, Documents())
    engine.look()
    engine.tell(finding())
    engine.look()

    run = only_run(engine)
    assert run.state is RunState.FAILED
    assert run.why == "scale: ended with 3"
    assert [each.state for each in run.steps] == [StepState.UNDONE, StepState.FAILED]
    assert orders(place) == ()


def test_a_step_that_may_fail_stops_nothing(place: Place) -> None:
    place.code = 3
    steps = [{"kind": "command", "command": ["x"], "may_fail": True}, {"kind": "snapshot_diagnostics"}]
    workflow = {"name": "scale", "steps": steps}
    engine = place.engine({"workflows": [workflow], "automatic": BY_ITSELF}, Documents())
    engine.look()
    engine.tell(finding())
    engine.look()

    assert only_run(engine).state is RunState.DONE


def test_a_shared_step_waits_without_a_store_and_local_ones_do_not(place: Place) -> None:
    engine = place.engine({"workflows": [SCALE], "automatic": BY_ITSELF})
    engine.tell(finding())
    engine.look()

    run = only_run(engine)
    assert [each.state for each in run.steps] == [StepState.DONE, StepState.PENDING]
    assert engine.waits_for(run.id) == STORE_WANTED
    assert place.done == []


def test_steps_that_take_too_long_are_undone(place: Place) -> None:
    engine = place.engine({"workflows": [{**SCALE, "timeout_seconds": 60}], "automatic": BY_ITSELF})
    engine.tell(finding())
    engine.look()
    place.now += 61
    engine.look()

    assert only_run(engine).state is RunState.FAILED
    assert orders(place) == ()


def test_of_two_engines_one_does_a_shared_step(tmp_path: Path) -> None:
    documents = Documents()
    places = [Place(tmp_path / "a"), Place(tmp_path / "b")]
    engines = [each.engine({"workflows": [SCALE], "automatic": BY_ITSELF}, documents) for each in places]
    for _ in range(3):
        for engine in engines:
            engine.look()
            engine.tell(finding())
            engine.look()
    engines[0].close()
    engines[1].look()
    for place in places:
        place.now += 40
    engines[1].look()

    assert places[0].done == [("scale", "up")]
    assert places[1].done == []
    assert only_run(engines[1]).state is RunState.DONE


def test_a_shared_step_that_was_under_way_in_a_crash_is_put_before_a_person(place: Place) -> None:
    documents = Documents()
    content = {"workflows": [SCALE], "automatic": BY_ITSELF}
    engine = place.engine(content, documents)
    engine.look()
    engine.tell(finding())
    place.dies = True
    engine = _reopened(engine, place, content, documents)
    with pytest.raises(Died):
        engine.look()
    place.dies = False
    engine = _reopened(engine, place, content, documents)
    engine.look()

    assert only_run(engine).steps[1].state is StepState.IN_DOUBT
    assert place.done == []

    engine.say(Say.DONE, only_run(engine).id)
    engine.look()

    assert only_run(engine).state is RunState.DONE
    assert place.done == []


def _reopened(
    engine: AICoordinationEngine, place: Place, content: dict[str, Any], documents: Documents
) -> AICoordinationEngine:
    engine.close()
    return place.engine(content, documents)


def test_two_runs_that_touch_the_same_logger_never_run_at_once(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET], "automatic": [{"workflow": "quiet"}]})
    engine.tell(finding())
    engine.tell(finding(finding_id="f2", subject="shop.payment.cards"))
    engine.look()

    first, second = engine.runs()
    assert (first.state, second.state) == (RunState.HOLDING, RunState.READY)
    assert engine.waits_for(second.id) == f"run {first.id} holds logger:shop.payment"


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"runs_per_hour": 1}, "1 runs began within the last hour; 1 may"),
        ({"runs_at_once": 1}, "1 runs are under way; 1 may be"),
        ({"namespaces_max": 1}, "1 namespaces have runs; 1 may"),
        ({"loggers_max": 1}, "2 loggers would be changed; 1 may be"),
    ],
)
def test_the_blast_radius_is_bounded(place: Place, limits: dict[str, int], why: str) -> None:
    content = {"workflows": [QUIET], "automatic": [{"workflow": "quiet"}], "limits": limits}
    engine = place.engine(content)
    engine.tell(finding())
    engine.tell(finding(finding_id="f2", subject="search", namespace="other"))
    engine.look()

    first, second = engine.runs()
    assert (first.state, second.state) == (RunState.HOLDING, RunState.READY)
    assert engine.waits_for(second.id) == why


def test_a_dry_run_says_what_would_be_done_and_does_nothing(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET, SCALE]})

    quiet, scale = engine.dry_run(finding(kind=FindingKind.DROP))

    assert quiet.why_not == "kind is drop, not spike"
    assert [each.says for each in scale.steps] == [
        "send at most 100 records in a request for 3600 s",
        "run scale up",
    ]
    assert engine.runs() == []
    assert not (place.folder / "coordination" / "state.json").exists()


def test_a_proposal_that_nobody_approves_expires(place: Place) -> None:
    engine = place.engine({"workflows": [{**QUIET, "expires_seconds": 100}]})
    engine.tell(finding())
    place.now += 101
    engine.look()

    assert only_run(engine).state is RunState.EXPIRED


def test_the_same_finding_told_again_makes_no_second_run(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET]})
    engine.tell(finding())
    engine.tell(finding(confidence=0.95))
    engine.close()
    engine = place.engine({"workflows": [QUIET]})
    engine.tell(finding())

    assert len(engine.runs()) == 1


def test_a_second_engine_on_a_folder_stands_by_and_sees_what_there_is(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET]})
    engine.tell(finding())
    second = place.engine({"workflows": [QUIET]})

    second.look()
    assert not second.coordinates
    assert len(second.runs()) == 1
    with pytest.raises(NotCoordinatingError):
        second.tell(finding())

    second.approve(only_run(second).id)
    engine.look()
    assert only_run(engine).state is RunState.HOLDING


def test_an_audit_that_was_changed_stops_everything(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET]})
    engine.tell(finding())
    path = place.folder / "coordination" / "audit.ndjson"
    path.write_bytes(path.read_bytes().replace(b"412", b"413"))

    with pytest.raises(AuditError):
        engine.verify_history()
    engine.approve(only_run(engine).id)
    with pytest.raises(AuditError):
        engine.look()
    assert orders(place) == ()


def test_a_damaged_state_is_never_begun_anew_by_itself(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET]})
    engine.tell(finding())
    engine.close()
    path = place.folder / "coordination" / "state.json"
    path.write_bytes(path.read_bytes()[:-3])

    with pytest.raises(StateDamagedError, match="is damaged"):
        place.engine({"workflows": [QUIET]})


def test_how_long_recovery_took_is_learned_for_what_was_run(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET], "automatic": [{"workflow": "quiet"}]})
    engine.tell(finding())
    engine.look()
    place.now += 50
    engine.tell(replace(finding(), until_seconds=place.now))
    engine.tell(finding(finding_id="f2", kind=FindingKind.DROP))
    place.now += 200
    engine.tell(finding(finding_id="f2", kind=FindingKind.DROP, until_seconds=place.now))

    nothing, quiet = engine.outcomes.standings("shop", CauseClass.APPLICATION, ["quiet"])
    assert (nothing.workflow, nothing.episodes) == ("nothing", 1)
    assert (quiet.workflow, quiet.episodes) == ("quiet", 1)
    assert quiet.mean_seconds < nothing.mean_seconds


def test_not_it_takes_back_what_was_measured(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET], "automatic": [{"workflow": "quiet"}]})
    engine.tell(finding())
    engine.look()
    place.now += 50
    engine.tell(finding(until_seconds=place.now))
    engine.look()
    engine.say(Say.NOT_IT, only_run(engine).id, details={"cause": "load"})
    engine.look()

    (_, quiet) = engine.outcomes.standings("shop", "application", ["quiet"])
    (_, for_load) = engine.outcomes.standings("shop", "load", ["quiet"])
    assert (quiet.episodes, quiet.opinions.not_it) == (0, 1)
    assert for_load.episodes == 1


def test_a_started_engine_takes_findings_in_on_its_own_thread(place: Place) -> None:
    engine = place.engine({"workflows": [QUIET]})
    assert engine.start()
    engine.tell(finding())
    give_up_seconds = time.monotonic() + 20
    while not engine.runs() and time.monotonic() < give_up_seconds:
        time.sleep(0.02)
    engine.close()

    assert only_run(engine).state is RunState.WAITING


def test_a_shared_step_of_a_finding_that_is_a_month_old_is_not_done_since_who_did_it_is_forgotten(
    place: Place,
) -> None:
    workflow = {"name": "scale", "steps": [{"kind": "command", "command": ["scale", "up"]}]}
    engine = place.engine({"workflows": [workflow], "automatic": BY_ITSELF}, Documents())
    engine.look()
    place.now += 30 * 86_400.0 + 1
    engine.look()
    engine.look()
    engine.tell(finding())
    engine.look()

    run = only_run(engine)
    assert (run.state, place.done) == (RunState.FAILED, [])
    assert run.why.startswith("the finding began over 30 days ago")


def test_the_engine_that_leads_removes_claims_once_nobody_can_ask_for_them(place: Place) -> None:
    workflow = {"name": "scale", "steps": [{"kind": "command", "command": ["scale", "up"]}]}
    documents = Documents()
    engine = place.engine({"workflows": [workflow], "automatic": BY_ITSELF}, documents)
    engine.look()
    engine.tell(finding())
    engine.look()
    assert (len(place.done), len(documents.found)) == (1, 2)

    place.now += 60 * 86_400.0 - 100
    engine.look()
    assert len(documents.found) == 2
    place.now += 7_200.0
    engine.look()

    assert list(documents.found) == ["lead"]
