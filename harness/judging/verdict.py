"""From facts to a scenario's verdicts: the checkers, and the rules that stand above each of them.

A pass counts only if the examination was one: steady state held before the fault, every fault was proved to
have landed, the stack did not go silent while it was on, and nothing of the harness broke. Otherwise PASS
becomes what it is worth; a FAIL stays a FAIL, except where the harness itself broke and nothing can be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.judging.checker import Charge, Checker
from harness.judging.generator import generator_remarks
from harness.judging.outcomes import DROPPED
from harness.judging.steady import steadiness
from harness.judging.timeline import Entry, Timeline, Window
from harness.judging.unreached import unreached
from harness.judging.wording import count, sentence
from harness.model.declarations import is_sender
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Tally, Verdict

STALL_SECONDS_MAX = 2.0
PROLONGED_SECONDS = 1.0
"""A fault that lasts longer than planned by no more than this is not worth a remark."""

_BADNESS = (
    Status.NOT_APPLICABLE,
    Status.PASS,
    Status.WARN,
    Status.NOT_RUN,
    Status.INCONCLUSIVE,
    Status.ERROR,
    Status.FAIL,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A scenario's verdicts, its status (their worst), what to know beside them, and the counts."""

    status: Status
    verdicts: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    tally: Tally
    found: int


def worst(statuses: Sequence[Status]) -> Status:
    """Return the worst status; nothing at all is NOT_RUN.

    Args:
        statuses: in any order.
    """
    return max(statuses, key=_BADNESS.index, default=Status.NOT_RUN)


def judge(timeline: Timeline, charge: Charge, checkers: Sequence[Checker]) -> Judgement:
    """Judge one scenario; the timeline is made once, and every checker sees the same one.

    Args:
        timeline: of the scenario.
        charge: the scenario and what the stack declares.
        checkers: those that `checks_of` planned.

    Returns:
        A verdict a checker, in their order; the worst status of them, the remarks, and how far the records
        came. Where the stack file names what is not there, or nothing came near a fault, each is ERROR.
    """
    if timeline.misnamed:
        return _unexamined(timeline, checkers, [each.remedy for each in timeline.misnamed])
    if problem := unreached(timeline, charge):
        return _unexamined(timeline, checkers, [problem])
    caps = _caps(timeline, charge)
    verdicts = tuple(_capped(_check(checker, timeline), caps) for checker in checkers)
    return Judgement(
        worst([verdict.status for verdict in verdicts]),
        verdicts,
        (
            *(remark for _, remark in caps),
            *_prolonged(timeline, charge),
            *_exits(timeline),
            *_withheld(timeline),
            *_unsent(timeline),
            *generator_remarks(timeline),
        ),
        _tally(timeline),
        len(timeline.copies),
    )


def _unexamined(timeline: Timeline, checkers: Sequence[Checker], reasons: Sequence[str]) -> Judgement:
    """Return the judgement of a stack of which nothing is known, by what its file says, and why."""
    remarks = tuple(map(sentence, reasons))
    judgement = not_run(checkers, Status.ERROR, remarks[0])
    return replace(
        judgement,
        remarks=(*remarks, *(remark for _, remark in _broken(timeline)), *_exits(timeline)),
        tally=_tally(timeline),
        found=len(timeline.copies),
    )


def not_run(checkers: Sequence[Checker], status: Status, remark: str, summary: str = "") -> Judgement:
    """Return the judgement of a scenario that has no history to judge.

    Args:
        checkers: what would have judged it.
        status: of each verdict.
        remark: why, in full; told once.
        summary: why, in short, which each verdict repeats; the remark's first line unless given.
    """
    said = summary or remark.partition("\n")[0]
    verdicts = tuple(Verdict(checker.objective, checker.dimension, status, said) for checker in checkers)
    return Judgement(status, verdicts, (remark,), Tally(), 0)


def _withheld(timeline: Timeline) -> Iterator[str]:
    """Say what a person's pauses of the load kept back: neither lost nor late."""
    if timeline.withheld_ns:
        moments = timeline.withheld_ns.values()
        first, last = timeline.seconds(min(moments)), timeline.seconds(max(moments))
        yield (
            f"{count(len(moments), 'record')} of the schedule, due from {first} to {last}, not sent while "
            "the load was paused."
        )


def _tally(timeline: Timeline) -> Tally:
    entries = timeline.entries.values()
    return Tally(
        due=len(entries),
        sent=sum(entry.sent_ns is not None for entry in entries),
        answered=sum(entry.answered_ns is not None for entry in entries),
        refused=sum(entry.refused_ns is not None for entry in entries),
        acknowledged=sum(entry.acknowledged_ns is not None for entry in entries),
    )


def _exits(timeline: Timeline) -> list[str]:
    return [f'Process "{each.process}" ended by itself with {each.returncode}.' for each in timeline.exits]


def _unsent(timeline: Timeline) -> list[str]:
    """Tell what workers of the load took with them that had ended by themselves: not sent is not lost."""
    workers = [worker for entry in timeline.scheduled() if (worker := timeline.never_sent_by(entry))]
    if not workers:
        return []
    unsent = count(len(workers), "record was", "records were")
    return [f"{unsent} due and never sent: {', '.join(sorted(set(workers)))} had ended."]


def _prolonged(timeline: Timeline, charge: Charge) -> Iterator[str]:
    """Say which faults lasted longer than planned, since a step within them had the same target."""
    steps = charge.scenario.steps
    windows = dict(timeline.fault_windows)
    for number, window in timeline.fault_windows:
        step = steps[number]
        planned_end_ns = window.from_ns + int((step.for_seconds + PROLONGED_SECONDS) * SECOND_NS)
        within = [
            windows[inner]
            for inner, each in enumerate(steps[number + 1 :], start=number + 1)
            if each.target == step.target and inner in windows and window.holds(windows[inner].from_ns)
        ]
        if late := [each for each in within if each.to_ns > planned_end_ns]:
            lasted_seconds = (window.to_ns - window.from_ns) / SECOND_NS
            yield (
                f"{window.label} was on for {lasted_seconds:.1f} s, {step.for_seconds:g} s planned: "
                f"{late[0].label} within it has the same target, and was healed that late."
            )


def _check(checker: Checker, timeline: Timeline) -> Verdict:
    try:
        return _valid(checker.check(timeline))
    except Exception as error:  # a checker's own defect must become a visible ERROR, not a missing verdict
        return Verdict(
            checker.objective,
            checker.dimension,
            Status.ERROR,
            f"The checker itself broke: {type(error).__name__}: {error}",
        )


def _valid(verdict: object) -> Verdict:
    """Return the verdict; raises TypeError where a plug-in check returned something else."""
    if not isinstance(verdict, Verdict):
        raise TypeError(f"check() must return a Verdict, not {type(verdict).__name__}")
    if not isinstance(verdict.status, Status):
        raise TypeError(f"the verdict's status must be a Status, not {verdict.status!r}")
    return verdict


def _capped(verdict: Verdict, caps: Sequence[tuple[Status, str]]) -> Verdict:
    for cap, remark in caps:
        if cap is Status.ERROR or verdict.status in {Status.PASS, Status.WARN}:
            # A remark may quote the end of a log, which is told once and not with every verdict.
            said = f"{remark.partition(chr(10))[0]} ({verdict.summary})"
            return replace(verdict, status=cap, summary=said, vetoes=())
    return verdict


def _caps(timeline: Timeline, charge: Charge) -> list[tuple[Status, str]]:
    """Return what a pass is worth at most, and why; the gravest first, empty where the examination held."""
    return [
        *_broken(timeline),
        *(
            (Status.NOT_RUN, sentence(f"Step {event.step + 1} was skipped: {event.reason}"))
            for event in timeline.skipped
        ),
        *_unproved(timeline, charge),
        *_unsteady(timeline, charge),
        *_stalled(timeline, charge),
        *_silent(timeline, charge),
    ]


def _broken(timeline: Timeline) -> list[tuple[Status, str]]:
    return [(Status.ERROR, sentence(f"{event.where}: {event.message}")) for event in timeline.broke]


def _unproved(timeline: Timeline, charge: Charge) -> list[tuple[Status, str]]:
    skipped = {event.step for event in timeline.skipped}
    caps = []
    for number, step in enumerate(charge.scenario.steps):
        seen = timeline.seen.get(number, [])
        if number in skipped or any(event.landed for event in seen):
            continue
        saw = seen[-1].proof if seen else "nothing was observed"
        caps.append(
            (
                Status.INCONCLUSIVE,
                sentence(f"{step.fault} on {step.target} was not proved to have landed: {saw}"),
            )
        )
    return caps


def _unsteady(timeline: Timeline, charge: Charge) -> list[tuple[Status, str]]:
    problem = steadiness(timeline, charge).problem()
    return [(Status.INCONCLUSIVE, problem)] if problem else []


def _stalled(timeline: Timeline, charge: Charge) -> list[tuple[Status, str]]:
    """Find calls that came late, or never, although neither the stack nor a fault held their producer up."""
    hurt = [
        (window, charge.scenario.steps[number].target)
        for number, window in timeline.fault_windows
        if is_sender(charge.scenario.steps[number].target)
    ]
    late = [
        (entry, seconds)
        for entry, seconds in _idle_seconds(timeline)
        if seconds > STALL_SECONDS_MAX
        and not any(
            window.holds(entry.due_ns) and timeline.sends(target, entry.producer) for window, target in hurt
        )
    ]
    if not late:
        return []
    entry, seconds = max(late, key=lambda pair: pair[1])
    how = "was never made" if entry.sent_ns is None else f"came {seconds:,.1f} s late"
    return [
        (
            Status.INCONCLUSIVE,
            f"The load stalled: the call of record {entry.sequence}, due at "
            f"{timeline.seconds(entry.due_ns)}, {how} although no earlier call held its producer up. "
            "The stack was not under the planned load.",
        )
    ]


def _idle_seconds(timeline: Timeline) -> Iterator[tuple[Entry, float]]:
    """Yield how long each due call was not made while its producer had nothing else to do."""
    free_ns: dict[int, int] = {}
    finished_ns = timeline.phases.get("read back", timeline.ended_ns)
    for entry in sorted(timeline.entries.values(), key=lambda entry: entry.due_ns):
        free = free_ns.get(entry.producer, 0)
        if entry.sent_ns is None:
            yield entry, (finished_ns - max(entry.due_ns, free)) / SECOND_NS
            continue
        yield entry, (entry.sent_ns - max(entry.due_ns, free)) / SECOND_NS
        # A call that never came back holds its producer for good, unless a later call shows that it did not.
        free_ns[entry.producer] = entry.returned_ns or finished_ns


def _silent(timeline: Timeline, charge: Charge) -> list[tuple[Status, str]]:
    """Find faults during which the stack took in too little that it ever said a word of.

    When it says that word does not matter, as long as it comes before the drain ends: a stack that
    acknowledges only what is stored cannot say it while the store is away.
    """
    caps = []
    for number, window in timeline.fault_windows:
        step = charge.scenario.steps[number]
        sent = [entry for entry in timeline.scheduled() if _sent_within(timeline, entry, number, window)]
        answered = sum(
            (at_ns := entry.acknowledged_ns or entry.refused_ns) is not None and at_ns < timeline.probing_ns
            for entry in sent
        )
        gone = sum(not timeline.kept(entry.sequence) for entry in sent) if answered < len(sent) else 0
        counted = min(len(sent) - answered, gone, max(0, int(timeline.counter(DROPPED) or 0)))
        if answered + counted < step.acknowledged_min:
            caps.append(
                (
                    Status.INCONCLUSIVE,
                    f"{count(answered + counted, 'record', 'records')} sent while {window.label} was on "
                    f"{'was' if answered + counted == 1 else 'were'} acknowledged, refused or counted as "
                    f"dropped (at least {step.acknowledged_min:,} required): a silent stack proves nothing.",
                )
            )
    return caps


def _sent_within(timeline: Timeline, entry: Entry, number: int, window: Window) -> bool:
    """Return whether a record was sent during a fault, or would have been had no call held its producer up.

    While the application itself is hurt nobody calls, and what is sent later was not sent during the fault.
    """
    if entry.sent_ns is None:
        return False
    held_up = not is_sender(timeline.fault_targets[number]) and window.holds(entry.due_ns)
    return held_up or window.holds(entry.sent_ns)
