"""Says what a run does next, told its records, the time and what became of what it did; no input or output.

```
waiting ─▶ ready ─▶ running ─▶ holding ─▶ undoing ─▶ done, failed, rejected
   │         │         └──────────────────▲
   └─────────┴─▶ expired, rejected
```

A step is intended, durably, before it is done, and its result is durable after. Whoever finds a step intended
has taken over from one that died in between: a local step is simply done again; a shared one is asked whether
it was done; who cannot tell leaves it to a person, for a day. What is known to be done, or may be, is undone
in reverse order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from logging_system.coordination.workflows.run import DOUBTS, Run, RunState, StepRecord, StepState
from logging_system.coordination.workflows.steps.declared import DeclaredStep

DOUBT_SECONDS_MAX = 86_400.0
"""How long a person is waited for who knows whether a step was done."""
UNDO_SECONDS_MAX = 86_400.0
"""How long undoing may take; what was not undone by then is left to a person, and what it held is free."""
ATTEMPTS_MAX = 5
_RETRY_SECONDS = 2.0
_RETRY_SECONDS_MAX = 60.0
_UNSETTLED = frozenset({StepState.INTENDED, StepState.DONE, StepState.BROKEN, StepState.UNDO_INTENDED})
_FAILED = frozenset({StepState.FAILED, StepState.BROKEN, StepState.ABANDONED})


@dataclass(frozen=True, slots=True)
class Moment:
    """What a run must know of the world.

    Attributes:
        now_seconds: Seconds since 1970.
        is_over: Whether the finding is over.
        has_room: Why a run may not begin now; empty where it may.
        no_lead: Why shared steps may not be done now; empty where they may.
    """

    now_seconds: float
    is_over: bool = False
    has_room: str = ""
    no_lead: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """The run is another one now.

    Attributes:
        run: As it is.
        what: What happened, in a word, for the audit.
    """

    run: Run
    what: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A step is to be done, undone, or asked about.

    Attributes:
        place: Which step.
        undoes: Whether it is about undoing it.
        asks: Whether it is only asked whether that was done.
    """

    place: int
    undoes: bool = False
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done now.

    Attributes:
        why: What it waits for, in a sentence; empty where that is nothing special.
    """

    why: str = ""


Action = Move | Effect | Wait


def next_action(run: Run, moment: Moment) -> Action:
    """Return what a run does next.

    Args:
        run: The run.
        moment: What it must know.
    """
    match run.state:
        case RunState.WAITING | RunState.READY:
            return _before(run, moment)
        case RunState.RUNNING:
            return _running(run, moment)
        case RunState.HOLDING:
            return _holding(run, moment)
        case RunState.UNDOING:
            return _undoing(run, moment)
        case _:
            return Wait()


def _before(run: Run, moment: Moment) -> Action:
    if moment.is_over:
        return _ended(run, RunState.EXPIRED, "the finding was over before it began", moment.now_seconds)
    if moment.now_seconds >= run.proposed_seconds + run.workflow.expires_seconds:
        return _ended(run, RunState.EXPIRED, "nobody approved it in time", moment.now_seconds)
    if run.state is RunState.WAITING:
        return Wait("waits for a person")
    if moment.has_room:
        return Wait(moment.has_room)
    started = replace(run, state=RunState.RUNNING, started_seconds=moment.now_seconds, why="")
    return Move(started, "started")


def _running(run: Run, moment: Moment) -> Action:
    stopped = _why_to_stop(run, moment)
    if stopped is not None:
        return stopped
    for place, record in enumerate(run.steps):
        if record.state is not StepState.DONE and not _is_passed_over(record, run.workflow.steps[place]):
            return _next_step(run, place, moment)
    if run.workflow.until_over:
        return Move(replace(run, state=RunState.HOLDING, held_seconds=moment.now_seconds), "holding")
    return _ended(run, RunState.DONE, "all steps are done", moment.now_seconds)


def _next_step(run: Run, place: int, moment: Moment) -> Action:
    record = run.steps[place]
    if record.state is StepState.INTENDED:
        return _after_crash(run, place, moment)
    if record.state in DOUBTS:
        return _doubted(run, place, moment)
    return _to_wait_for(run, place, moment) or Effect(place)


def _to_wait_for(run: Run, place: int, moment: Moment) -> Wait | None:
    """Return what a step waits for before it is done or undone; None where that is nothing."""
    record = run.steps[place]
    if record.due_seconds > moment.now_seconds:
        return Wait(record.note)
    if not run.workflow.steps[place].is_local and moment.no_lead:
        return Wait(moment.no_lead)
    return None


def _why_to_stop(run: Run, moment: Moment) -> Move | None:
    failed = next(
        (
            each
            for each, step in zip(run.steps, run.workflow.steps, strict=True)
            if each.state in _FAILED and not _is_passed_over(each, step)
        ),
        None,
    )
    if failed is not None:
        return undo(run, RunState.FAILED, failed.note or "a step failed", moment.now_seconds)
    if moment.is_over and run.workflow.until_over:
        return undo(run, RunState.DONE, "the finding is over", moment.now_seconds)
    limit_seconds = run.workflow.timeout_seconds
    if moment.now_seconds >= run.started_seconds + limit_seconds and not run.doubts:
        why = f"the steps took more than {limit_seconds:g} s"
        return undo(run, RunState.FAILED, why, moment.now_seconds)
    return None


def _is_passed_over(record: StepRecord, step: DeclaredStep) -> bool:
    return step.may_fail and record.state in {StepState.FAILED, StepState.ABANDONED}


def _holding(run: Run, moment: Moment) -> Action:
    if moment.is_over:
        return undo(run, RunState.DONE, "the finding is over", moment.now_seconds)
    if moment.now_seconds >= run.held_seconds + run.workflow.hold_seconds:
        why = f"it held {run.workflow.hold_seconds:g} s"
        return undo(run, RunState.DONE, why, moment.now_seconds)
    return Wait("holds until the finding is over")


def undo(run: Run, ending: RunState, why: str, now_seconds: float) -> Move:
    """Return the run on its way back.

    Args:
        run: The run.
        ending: Where that leads.
        why: Why, in a sentence.
        now_seconds: Seconds since 1970.
    """
    changed = replace(run, state=RunState.UNDOING, ending=ending, why=why, undoing_seconds=now_seconds)
    return Move(changed, "undoing")


def _undoing(run: Run, moment: Moment) -> Action:
    if moment.now_seconds >= run.undoing_seconds + UNDO_SECONDS_MAX:
        return _given_up(run, moment.now_seconds)
    waits: Wait | None = None
    for place in reversed(range(len(run.steps))):
        action = _undo_step(run, place, moment)
        if isinstance(action, Wait):
            waits = waits or action
        elif action is not None:
            return action
    if waits is not None:
        return waits
    return _ended(run, run.ending, run.why, moment.now_seconds)


def _undo_step(run: Run, place: int, moment: Moment) -> Action | None:
    """Return what is to be done about a step on the way back; None where nothing is left."""
    record, step = run.steps[place], run.workflow.steps[place]
    if record.state in DOUBTS:
        return _doubted(run, place, moment)
    if record.state is StepState.INTENDED:
        return _after_crash(run, place, moment)
    if record.state not in _UNSETTLED:
        return None
    if not step.is_undoable:
        kept = replace(record, state=StepState.KEPT, changed_seconds=moment.now_seconds)
        return Move(run.with_step(place, kept), "kept")
    asks = record.state is StepState.UNDO_INTENDED and not step.is_local
    return _to_wait_for(run, place, moment) or Effect(place, undoes=True, asks=asks)


def _after_crash(run: Run, place: int, moment: Moment) -> Action:
    """Return what follows where a step was intended, and no result is known."""
    step, record = run.workflow.steps[place], run.steps[place]
    if not step.is_local:
        if record.due_seconds > moment.now_seconds:
            return Wait(record.note)
        return Effect(place, asks=True)
    if run.state is RunState.UNDOING:
        # It may be done: undoing what was not done changes nothing.
        state = StepState.DONE if step.is_undoable else StepState.KEPT
        return Move(run.with_step(place, replace(record, state=state)), "taken_up")
    return Effect(place)


def _doubted(run: Run, place: int, moment: Moment) -> Action:
    record = run.steps[place]
    if moment.now_seconds < record.changed_seconds + DOUBT_SECONDS_MAX:
        return Wait(f"step {place + 1}: {record.note}; a person must say whether it was done")
    abandoned = replace(record, state=StepState.ABANDONED, changed_seconds=moment.now_seconds)
    return Move(run.with_step(place, abandoned), "abandoned")


def _given_up(run: Run, now_seconds: float) -> Move:
    unsettled = _UNSETTLED | DOUBTS
    left = [str(place + 1) for place, each in enumerate(run.steps) if each.state in unsettled]
    why = f"{run.why}; not undone within a day: step {', '.join(left)}"
    for place, record in enumerate(run.steps):
        if record.state in unsettled:
            run = run.with_step(place, replace(record, state=StepState.ABANDONED))
    return _ended(run, RunState.FAILED, why, now_seconds)


def _ended(run: Run, state: RunState, why: str, now_seconds: float) -> Move:
    return Move(replace(run, state=state, why=why, ended_seconds=now_seconds), str(state))


@dataclass(frozen=True, slots=True)
class Succeeded:
    """It was done; or, asked about, it was."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class NotDone:
    """It was not done, for certain.

    Attributes:
        note: Why.
        again: Whether it is simply to be tried again later.
    """

    note: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody here can tell whether it was done.

    Attributes:
        note: Why.
        ask_again: Whether asking again may help.
    """

    note: str
    ask_again: bool = False


Result = Succeeded | NotDone | Unknown


def intended(run: Run, effect: Effect, token: int, memo: dict[str, object], now_seconds: float) -> Run:
    """Return the run as it must be durable before an effect.

    Args:
        run: The run.
        effect: What is about to be done.
        token: The fencing token.
        memo: What is noted before.
        now_seconds: Seconds since 1970.
    """
    record = run.steps[effect.place]
    state = StepState.UNDO_INTENDED if effect.undoes else StepState.INTENDED
    noted = replace(
        record,
        state=state,
        token=token,
        memo=record.memo if effect.undoes else memo,
        attempts=record.attempts + 1,
        changed_seconds=now_seconds,
    )
    return run.with_step(effect.place, noted)


def settled(run: Run, effect: Effect, result: Result, now_seconds: float) -> Run:
    """Return the run after an effect, or after it was asked about.

    Args:
        run: As `intended` returned it.
        effect: What was done or asked about.
        result: What is known of it.
        now_seconds: Seconds since 1970.
    """
    record = run.steps[effect.place]
    change = _settled_undo if effect.undoes else _settled_do
    attempts = record.attempts + int(effect.asks)
    later = replace(
        record, attempts=attempts, note=result.note, due_seconds=now_seconds + _pause_seconds(attempts)
    )
    is_local = run.workflow.steps[effect.place].is_local
    after = change(later, effect, result, is_local)
    return run.with_step(effect.place, replace(after, changed_seconds=now_seconds))


def _settled_do(record: StepRecord, effect: Effect, result: Result, is_local: bool) -> StepRecord:
    at_once = replace(record, due_seconds=0.0)
    match result:
        case Succeeded():
            return replace(at_once, state=StepState.DONE, attempts=0)
        case NotDone(again=True):
            return replace(record, state=StepState.PENDING)
        case NotDone():
            return replace(at_once, state=StepState.PENDING if effect.asks else StepState.FAILED)
        case Unknown(ask_again=ask_again):
            if is_local:
                return replace(at_once, state=StepState.BROKEN)
            if ask_again:
                return replace(record, state=StepState.INTENDED)
            return replace(at_once, state=StepState.IN_DOUBT)


def _settled_undo(record: StepRecord, effect: Effect, result: Result, is_local: bool) -> StepRecord:
    at_once = replace(record, due_seconds=0.0)
    match result:
        case Succeeded():
            return replace(at_once, state=StepState.UNDONE)
        case NotDone(again=again):
            if effect.asks:
                return replace(at_once, state=StepState.DONE)
            if record.attempts >= ATTEMPTS_MAX and not is_local and not again:
                return replace(at_once, state=StepState.UNDO_IN_DOUBT)
            return replace(record, state=StepState.DONE)
        case Unknown(ask_again=ask_again):
            if is_local or ask_again:
                return replace(record, state=StepState.UNDO_INTENDED)
            return replace(at_once, state=StepState.UNDO_IN_DOUBT)


def answered(run: Run, place: int, was_done: bool, now_seconds: float) -> Run:
    """Return the run after a person said whether a step in doubt was done, or undone.

    Args:
        run: The run.
        place: Which step.
        was_done: What the person says.
        now_seconds: Seconds since 1970.
    """
    record = run.steps[place]
    if record.state is StepState.UNDO_IN_DOUBT:
        state = StepState.UNDONE if was_done else StepState.DONE
    elif was_done:
        state = StepState.DONE
    else:
        state = StepState.PENDING
    note = f"a person said that it was {'' if was_done else 'not '}done"
    return run.with_step(
        place,
        replace(record, state=state, note=note, attempts=0, due_seconds=0.0, changed_seconds=now_seconds),
    )


def _pause_seconds(attempts: int) -> float:
    return min(_RETRY_SECONDS * 2.0 ** min(attempts, 10), _RETRY_SECONDS_MAX)
