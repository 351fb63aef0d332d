"""A run by hand: faults that a person starts and heals, pauses, snapshots, an end; on a fake clock."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from harness.cleanup.undo_journal import UndoJournal, open_undos
from harness.evidence.history import Recorder, read_history
from harness.evidence.lines import digest, stamp
from harness.evidence.readback import OutletSpec
from harness.judging.checker import Charge
from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.timeline import timeline
from harness.live.desk import Verb, Wish
from harness.model.declarations import Promises, Step
from harness.model.errors import FaultError, InterruptedRunError, ScenarioError
from harness.model.facts import (
    Acknowledged,
    Answered,
    ArchiveRead,
    Broke,
    Due,
    FaultChanged,
    FaultSeen,
    FreshSent,
    PhaseChanged,
    Poisoned,
    Sent,
)
from harness.model.protocols import Status, StoredDocument
from harness.model.registry import Family, Kind
from harness.reporting.redaction import Redaction
from harness.runs.interactive import ByHand, InteractiveRunner
from harness.runs.live_desk import FAULTS_MAX, LiveDesk
from harness.runs.runner import Wiring
from tests.unit.harness.runs.stage import (
    QUICK_SECONDS,
    RUN,
    SECOND,
    FakeFault,
    FakeLoad,
    Hurtable,
    SharedClock,
    Stage,
)

TARGET = "elasticsearch"
HURT = Wish(Verb.START, "hurt", TARGET, seconds=3.0)


@dataclass
class HurtByHand(FakeFault):
    """The stage's fault as a family has it: made from its word and arguments."""

    strength: int = 1
    refusal = "it cannot be begun"
    log = []  # type: ignore[var-annotated]  # noqa: RUF012 - one log a test, emptied by the fixture

    def __post_init__(self):
        if self.strength < 1:
            raise ScenarioError("strength must be at least 1")
        super().__init__(type(self).log, breaks_on_exit=self.strength == 13)

    def evidence_in_all(self, target):
        return self.evidence(target)

    def inject(self, target, rng):
        if self.strength == 12:
            raise FaultError(self.refusal)
        return super().inject(target, rng)


FAULTS = Family("fault", {"hurt": Kind(f"{__name__}:HurtByHand", "it hurts")})


class PausableFakeLoad(FakeLoad):
    def __init__(self, log, clock):
        super().__init__(log, clock)
        self.pauses = []

    def pause(self, at_ns):
        self.pauses.append(("pause", at_ns - self._clock.now_ns()))

    def resume(self, at_ns):
        self.pauses.append(("resume", at_ns - self._clock.now_ns()))


class HandStage(Stage):
    """The stage, where `script` says what is wished for at which second of the sending."""

    def __init__(self, tmp_path, clock=None):
        super().__init__(tmp_path, clock)
        HurtByHand.log = self.log
        self.load = PausableFakeLoad(self.log, self.clock)
        self.archive._load = self.load
        self.scenario = replace(self.scenario, steps=(), sending_seconds=20.0)
        self.desk = LiveDesk(FAULTS)
        self.script = []
        self.input: tuple[str, ...] = ()
        self.answers = []
        self.seen = []
        self.judged = []
        self.tmp_path = tmp_path

    def act(self, progress):
        """Stand in for the person: wish what is due, and note what the page shows."""
        now = (self.clock.now_ns() - self.load.began_ns) / SECOND if self.load.began_ns else -1.0
        while self.script and self.script[0][0] <= now:
            _, wish = self.script.pop(0)
            self.answers.append(wish() if callable(wish) else self.desk.ask(wish))
        self.seen.append(self.desk.state())

    def judge(self, number, history, scenario):
        self.judged.append((number, read_history(history), scenario))
        card = self.tmp_path / "card.html"
        card.write_text("<p>card</p>")
        return "PASS", "well", card

    def run(self):
        recorder = Recorder(self.folder / "harness.jsonl")
        wiring = Wiring(
            services=self.services,
            stack=self.stack,
            load=self.load,
            outlets=OutletSpec(
                archive=lambda: self.archive, expected_line=lambda n: stamp(f"line {n}", RUN, n), run_id=RUN
            ),
            faults=(),
            recorder=recorder,
            journal=UndoJournal(self.journals, RUN, "7:70"),
            clock=self.clock,
            seed=1,
            watch=self.act,
            quick_seconds=QUICK_SECONDS,
        )
        by_hand = ByHand(
            desk=self.desk,
            steps=(Step("hurt", TARGET, 1.0, 2.0),),
            stack="stack",
            history=self.folder,
            snapshots=self.tmp_path / "s",
            judge=self.judge,
            redaction=Redaction(self.input, self.tmp_path),
        )
        self.runner = InteractiveRunner(self.scenario, wiring, by_hand)
        try:
            self.runner.run()
        finally:
            recorder.close()

    def states(self):
        return [(event.step, event.state) for event in self.facts(FaultChanged)]


@pytest.fixture
def stage(tmp_path):
    return HandStage(tmp_path)


WHOLE = ["injecting", "injected", "healing", "healed"]


def test_a_fault_by_hand_leaves_the_facts_of_a_step_and_is_healed_after_its_time(stage):
    stage.script = [(5.0, HURT)]

    stage.run()

    assert stage.states() == [(0, state) for state in WHOLE]
    # At the beginning, and what it came to in all.
    assert [event.landed for event in stage.facts(FaultSeen)] == [True, True]
    (step,) = stage.runner.scenario.steps
    assert (step.fault, step.target) == ("hurt", TARGET)
    assert 5.0 <= step.at_seconds <= 5.5
    assert 3.0 <= step.for_seconds <= 3.5
    assert not stage.target.hurt


def test_the_undo_is_on_disk_while_the_fault_is_on_and_gone_afterwards(stage):
    undos = []
    stage.script = [(5.0, HURT), (6.0, lambda: undos.extend(open_undos(stage.journals)))]

    stage.run()

    assert [undo.undo.action for undo in undos] == ["stop_hurting"]
    assert open_undos(stage.journals) == []


def test_a_fault_is_healed_when_the_person_says_so(stage):
    stage.script = [(5.0, replace(HURT, seconds=300.0)), (7.0, Wish(Verb.HEAL, number=0))]

    stage.run()

    assert [answer.taken for answer in stage.answers] == [True, True]
    assert stage.runner.scenario.steps[0].for_seconds < 3.0
    assert stage.facts(FreshSent)[0].after == f"hurt on {TARGET}"


@dataclass
class PoisonByHand(HurtByHand):
    """Refuses record 3 for good; the stack finds out within two seconds."""

    deliberation_seconds = 2.0

    def poisoned(self, target):
        return [3]


def test_what_is_refused_until_a_person_heals_is_noted_so_early_that_the_stack_can_find_out(stage):
    stage.desk = LiveDesk(Family("fault", {"hurt": Kind(f"{__name__}:PoisonByHand", "it refuses")}))
    stage.script = [(5.0, replace(HURT, seconds=300.0)), (7.0, Wish(Verb.HEAL, number=0))]

    stage.run()

    healing_ns = next(event.at_ns for event in stage.facts(FaultChanged) if event.state == "healing")
    noted_ns = stage.facts(Poisoned)[0].at_ns
    assert (noted_ns - stage.load.began_ns) / SECOND == pytest.approx(7.0, abs=0.5)
    assert (healing_ns - noted_ns) / SECOND == pytest.approx(2.0, abs=0.5)
    assert "healing" in [each.phase for state in stage.seen for each in state.standing]


@dataclass
class UnseenByHand(HurtByHand):
    """Lands where it is looked at for the third time."""

    looks = 0

    def evidence(self, target):
        self.looks += 1
        return self.looks == 3, "a third look"

    def evidence_in_all(self, target):
        return True, "in all"


def test_a_fault_by_hand_that_is_not_proved_is_looked_at_again_until_it_is(stage):
    stage.desk = LiveDesk(Family("fault", {"hurt": Kind(f"{__name__}:UnseenByHand", "it hides")}))
    stage.script = [(5.0, replace(HURT, seconds=10.0))]

    stage.run()

    seen = stage.facts(FaultSeen)
    assert [event.landed for event in seen] == [False, False, True, True]
    seconds = [(event.at_ns - stage.load.began_ns) / SECOND for event in seen]
    assert seconds == pytest.approx([5.0, 7.0, 9.5, 15.0], abs=0.6)


@dataclass
class SlowByHand(HurtByHand):
    """Takes three seconds to begin where its strength is 5."""

    clock: ClassVar[SharedClock]

    def inject(self, target, rng):
        if self.strength == 5:
            self.clock.stand(3.0)
        return super().inject(target, rng)


@pytest.fixture
def slow(tmp_path):
    """A stage with two targets, for whose clock a fault can stand still."""
    clock = SharedClock()
    stage = HandStage(tmp_path, clock)
    stage.services._targets["other"] = Hurtable()
    stage.desk = LiveDesk(Family("fault", {"hurt": Kind(f"{__name__}:SlowByHand", "it takes its time")}))
    SlowByHand.clock = clock
    return stage


def test_a_fault_that_takes_its_time_to_begin_prolongs_no_other(slow):
    slow.script = [(5.0, HURT), (6.0, replace(HURT, target="other", arguments={"strength": 5}))]

    slow.run()

    changes = {
        (fact.step, fact.state): (fact.at_ns - slow.load.began_ns) / SECOND
        for fact in slow.facts(FaultChanged)
    }
    assert changes[0, "healing"] - changes[0, "injected"] == pytest.approx(3.0, abs=0.3)
    assert changes[1, "injected"] - changes[1, "injecting"] == pytest.approx(3.0, abs=0.3)
    assert changes[1, "healing"] - changes[1, "injected"] == pytest.approx(3.0, abs=0.3)


def test_a_fault_that_a_person_heals_before_it_is_on_is_healed_as_soon_as_it_is(slow):
    slow.script = [(5.0, replace(HURT, arguments={"strength": 5})), (6.0, Wish(Verb.HEAL, number=0))]

    slow.run()

    assert [answer.taken for answer in slow.answers] == [True, True]
    changes = {fact.state: fact.at_ns for fact in slow.facts(FaultChanged)}
    assert (changes["healing"] - changes["injected"]) / SECOND == pytest.approx(0.0, abs=0.3)
    assert not slow.target.hurt


def test_a_fault_that_stands_at_the_end_of_the_sending_is_healed(stage):
    stage.script = [(15.0, replace(HURT, seconds=300.0))]

    stage.run()

    assert stage.states()[-1] == (0, "healed")
    assert not stage.target.hurt


def test_one_target_has_one_fault_at_a_time_and_may_be_hurt_again_once_it_is_healed(stage):
    stage.script = [(5.0, HURT), (5.0, HURT), (6.0, HURT), (12.0, HURT)]

    stage.run()

    assert [answer.taken for answer in stage.answers] == [True, False, False, True]
    assert stage.answers[1].words == f"hurt is on {TARGET} already; heal it first."
    assert [step for step, _ in stage.states()] == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (Wish(Verb.START, "hurt", "nowhere"), "No fault hurt on nowhere is offered in this run."),
        (Wish(Verb.START, "other", TARGET), f"No fault other on {TARGET} is offered in this run."),
        (replace(HURT, seconds=301.0), "A fault may stand for 1 to 300 s, not 301."),
        (replace(HURT, seconds=float("nan")), "A fault may stand for 1 to 300 s, not nan."),
        (replace(HURT, arguments={"strength": 0}), "strength must be at least 1"),
        (Wish(Verb.HEAL, number=0), "That fault is not on any more."),
        (Wish(Verb.RESUME), "The load is not paused."),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(stage, wish, why):
    stage.script = [(5.0, wish)]

    stage.run()

    assert [(answer.taken, answer.words) for answer in stage.answers] == [(False, why)]
    assert stage.states() == []


def test_an_argument_that_a_fault_does_not_take_is_refused(stage):
    stage.script = [(5.0, replace(HURT, arguments={"weight": 1}))]

    stage.run()

    assert not stage.answers[0].taken
    assert "weight" in stage.answers[0].words


def test_so_many_faults_are_the_most(stage):
    stage.desk._started = FAULTS_MAX
    stage.script = [(5.0, HURT)]

    stage.run()

    assert stage.answers[0].words.startswith(f"{FAULTS_MAX} faults were started in this run")


def test_a_fault_that_does_not_begin_breaks_the_examination_and_frees_the_target(stage):
    stage.script = [(5.0, replace(HURT, arguments={"strength": 12})), (8.0, HURT)]

    stage.run()

    assert [answer.taken for answer in stage.answers] == [True, True]
    assert "it cannot be begun" in stage.facts(Broke)[0].message
    assert stage.states()[-1] == (1, "healed")


def test_a_fault_that_is_not_taken_back_breaks_the_examination_and_its_undo_stays(stage):
    stage.script = [(5.0, replace(HURT, arguments={"strength": 13}))]

    stage.run()

    assert "was not taken back" in stage.facts(Broke)[0].message
    assert len(open_undos(stage.journals)) == 1


def test_a_run_that_is_interrupted_again_while_it_heals_takes_back_everything(stage):
    """The clock of this test ends every wait from then on, also those of the healing."""
    second = Hurtable()
    stage.services._targets["other"] = second
    stage.script = [
        (5.0, replace(HURT, seconds=300.0)),
        (5.0, replace(HURT, target="other", seconds=300.0)),
        (7.0, stage.clock.interrupt),
    ]

    with suppress(InterruptedRunError):
        stage.run()

    assert (stage.target.hurt, second.hurt) == (False, False)
    assert open_undos(stage.journals) == []


def test_an_interrupted_run_takes_back_what_is_on(stage):
    stage.script = [(5.0, replace(HURT, seconds=300.0)), (7.0, stage.clock.interrupt)]

    with suppress(InterruptedRunError):
        stage.run()

    assert not stage.target.hurt
    assert stage.states()[-1] == (0, "healed")
    assert open_undos(stage.journals) == []


def test_a_pause_and_its_end_are_told_to_the_load_a_little_ahead(stage):
    stage.script = [(5.0, Wish(Verb.PAUSE)), (6.0, Wish(Verb.PAUSE)), (8.0, Wish(Verb.RESUME))]

    stage.run()

    assert stage.load.pauses == [("pause", SECOND // 2), ("resume", SECOND // 2)]
    assert [answer.taken for answer in stage.answers] == [True, False, True]
    assert [state.paused for state in stage.seen if state.seconds_left == 13.0] == [True]


def test_a_load_that_cannot_be_paused_says_so(stage):
    stage.load = FakeLoad(stage.log, stage.clock)
    stage.archive._load = stage.load
    stage.script = [(5.0, Wish(verb)) for verb in (Verb.PAUSE, Verb.SNAPSHOT, Verb.END)]

    stage.run()

    assert {answer.taken for answer in stage.answers} == {False}
    assert "cannot be paused" in stage.answers[0].words


def test_a_run_that_is_ended_by_hand_withholds_the_rest_and_is_drained_and_read(stage):
    stage.script = [(5.0, Wish(Verb.END))]

    stage.run()

    assert stage.load.pauses == [("pause", SECOND // 2)]
    assert [phase.phase for phase in stage.facts(PhaseChanged)][-4:] == [
        "drain",
        "probe",
        "read back",
        "stop",
    ]
    assert len(stage.facts(ArchiveRead)) == 1
    drained_ns = next(event.at_ns for event in stage.facts(PhaseChanged) if event.phase == "drain")
    assert (drained_ns - stage.load.began_ns) / SECOND < 8.0


def test_a_snapshot_judges_a_whole_reading_of_a_healed_and_paused_run_which_then_goes_on(stage):
    stage.script = [(4.0, replace(HURT, seconds=300.0)), (6.0, Wish(Verb.SNAPSHOT))]

    stage.run()

    ((number, events, scenario),) = stage.judged
    assert number == 1
    phases = [event.phase for event in events if isinstance(event, PhaseChanged)]
    assert phases[-4:] == ["drain", "probe", "read back", "stop"]
    assert [event.copies for event in events if isinstance(event, ArchiveRead)] != []
    assert [event.state for event in events if isinstance(event, FaultChanged)] == WHOLE
    assert [event.after for event in events if isinstance(event, FreshSent)][-1] == ""
    assert [step.fault for step in scenario.steps] == ["hurt"]
    assert [word for word, _ in stage.load.pauses] == ["pause", "resume"]
    assert stage.desk.state().snapshots[0].status == "PASS"
    assert stage.desk.scorecard(1) == "<p>card</p>"
    assert stage.desk.scorecard(2) is None


def test_the_runs_own_history_holds_nothing_of_a_snapshot_but_its_fresh_records(stage):
    stage.script = [(6.0, Wish(Verb.SNAPSHOT))]

    stage.run()

    assert len(stage.facts(ArchiveRead)) == 1
    assert [phase.phase for phase in stage.facts(PhaseChanged)].count("drain") == 1
    assert [event.after for event in stage.facts(FreshSent)] == ["a snapshot", ""]


def test_a_snapshot_of_a_paused_run_leaves_it_paused(stage):
    stage.script = [(4.0, Wish(Verb.PAUSE)), (6.0, Wish(Verb.SNAPSHOT))]

    stage.run()

    assert [word for word, _ in stage.load.pauses] == ["pause"]


def test_a_snapshot_that_cannot_be_read_is_an_error_and_the_run_goes_on(stage):
    stage.scenario = replace(stage.scenario, drain_seconds=2.0, liveness_seconds=1.0)
    stage.script = [(6.0, Wish(Verb.SNAPSHOT))]

    def act(progress, before=stage.act):
        if (
            stage.clock.now_ns() - (stage.load.began_ns or 0) > 6 * SECOND
            and not stage.archive.unreadable_until_ns
        ):
            stage.archive.unreadable_until_ns = stage.clock.now_ns() + 8 * SECOND
        before(progress)

    stage.act = act

    stage.run()

    assert stage.judged == []
    assert stage.desk.state().snapshots[0].status == "ERROR"
    assert "connection refused" in stage.desk.state().snapshots[0].words
    assert len(stage.facts(ArchiveRead)) == 1


def test_the_page_is_told_that_the_run_is_over(stage):
    stage.run()

    assert stage.desk.state().phase == "over"
    assert not stage.desk.ask(HURT).taken


def test_only_what_a_target_allows_is_offered(stage):
    stage.services._targets["deaf"] = object()

    stage.run()

    offered = next(state.offers for state in stage.seen if state.offers)
    assert {(offer.fault, offer.target) for offer in offered} == {("hurt", TARGET)}
    assert isinstance(stage.target, Hurtable)


INPUT_LINE = "user alice paid with card 4929 1234 5678 9012"


@pytest.mark.parametrize(
    ("lines", "shown"),
    [((), INPUT_LINE), ((INPUT_LINE,), "xxxx xxxxx xxxx xxxx xxxx 0000 0000 0000 0000")],
)
def test_the_page_quotes_the_lines_of_an_input_as_the_reports_do(stage, lines, shown):
    stage.input = lines
    stage.archive._extra = [StoredDocument("i/torn", INPUT_LINE)]

    stage.run()

    assert stage.desk.state().counts.excerpts == (shown,)


def test_what_a_fault_says_of_a_line_of_the_input_is_hidden(stage, monkeypatch):
    stage.input = (INPUT_LINE,)
    monkeypatch.setattr(HurtByHand, "refusal", f"no: {INPUT_LINE}")
    stage.script = [(5.0, replace(HURT, arguments={"strength": 12}))]

    stage.run()

    assert "alice paid" not in stage.desk.shown().decode()
    assert stage.desk.state().notes[0].words.startswith(f"hurt on {TARGET} did not ")


@pytest.mark.parametrize(("missing", "status"), [((), Status.PASS), ((3,), Status.FAIL)])
def test_a_snapshot_tells_a_loss_before_the_run_ends(stage, missing, status):
    stage.archive._missing = set(missing)
    stage.scenario = replace(stage.scenario, drain_seconds=5.0)
    oracle = Recorder(stage.folder / "oracle.jsonl")
    for n in range(10):
        oracle.record(Due(n, SECOND + n, 0, digest(stamp(f"line {n}", RUN, n))), Sent(n, SECOND + n))
        oracle.record(Answered(n, SECOND + 20), Acknowledged(n, SECOND + 20))
    stage.script = [(6.0, Wish(Verb.SNAPSHOT))]

    stage.run()

    ((_, events, scenario),) = stage.judged
    charge = Charge(scenario, Promises())
    verdict = AcknowledgedLost(charge).check(timeline(events))
    assert verdict.status is status
    assert verdict.value == len(missing)
