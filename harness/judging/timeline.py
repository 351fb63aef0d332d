"""The facts of one scenario arranged by record and by time, which is how every promise is judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from harness.judging.arrangement import ARRANGE
from harness.model.declarations import APPLICATION, is_sender
from harness.model.facts import (
    ActionsRead,
    ActionTaken,
    AlertReceived,
    AlertsRead,
    AnswerGiven,
    AnswersRead,
    Broke,
    ControlCall,
    CounterRead,
    DeadLettered,
    Due,
    Event,
    FaultChanged,
    FaultSeen,
    FindingSeen,
    FindingsRead,
    Found,
    FreshLooked,
    FreshSent,
    InSpan,
    Misnamed,
    NoncesListed,
    Planted,
    ProcessExited,
    ProducersHosted,
    ReadByTenant,
    RequestsCounted,
    Sample,
    SecretSeen,
    SecretsSought,
    SpansRead,
    StepSkipped,
    TenantsRead,
    Unreadable,
    WholeElsewhere,
)
from harness.model.nanoseconds import SECOND_NS

CONTROL = "control"
"""The process that takes the same load into a NullHandler: what it shows is the harness's own share."""

_KILLABLE = "Killable"

_RANGE_MIN = 3
"""Two neighbours are named; a range is of three records or more."""


@dataclass(slots=True)
class Entry:
    """One record's life, in ns of CLOCK_MONOTONIC; None = has not happened as far as anyone knows.

    `first_seen_ns` is kept only where a check asks for it (`NeedsFirstSeen`); `level`, `logger` and
    `sent_unix_ns` only where the stack names fields for them.
    """

    sequence: int
    due_ns: int
    producer: int
    digest: str
    line_bytes: int = 0
    ascii: bool = True
    sent_ns: int | None = None
    answered_ns: int | None = None
    refused_ns: int | None = None
    acknowledged_ns: int | None = None
    first_seen_ns: int | None = None
    level: str = ""
    logger: str = ""
    sent_unix_ns: int = 0

    @property
    def returned_ns(self) -> int | None:
        """Return when the call came back, normally or not."""
        return self.answered_ns if self.answered_ns is not None else self.refused_ns


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the timeline, from ≤ t < to."""

    label: str
    from_ns: int
    to_ns: int

    def holds(self, at_ns: int) -> bool:
        """Return whether a moment lies in this window.

        Args:
            at_ns: of CLOCK_MONOTONIC, in nanoseconds.
        """
        return self.from_ns <= at_ns < self.to_ns


BEFORE, WHILE, AFTER = "before", "while", "after"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a moment lies: so many seconds before a step's fault began, after it began, or after its healing.

    `when` is `BEFORE`, `WHILE` or `AFTER`.
    """

    step: int
    when: str
    seconds: float


@dataclass(slots=True)
class FreshWave:
    """Fresh records that were sent after a fault was healed, or after the drain, and the looks for them."""

    sent: FreshSent
    looks: list[FreshLooked] = field(default_factory=list)


@dataclass(slots=True)
class Timeline:
    """Records by sequence, copies by sequence, copies nobody sent, and when what was going on.

    `copies` and `strays` are the archive's, `letters` and `stray_letters` the dead letters'; `poison` holds
    what the store refused for good; `destroyed` are the places that each step destroyed; `readings` are the
    stack's own counters and `samples` the harness's measurements, name by name, in time's order; `counted` is
    what a tool that drives the load counts itself; `hosted` has the producers of each of several workers;
    `seen` is what was observed of each step; `fresh` are the waves of fresh records in time's order; `absent`
    says where to look if no archive exists under its name; `elsewhere` are records that are in no outlet, by
    the place where they were seen; `withheld_ns` says of each record that a pause of the load kept back when
    it would have been due; `whole_elsewhere` is where lines are whole that are all damaged in place;
    `planted` are the canaries that records carry, `secrets_seen` is where one was seen, `secrets_sought` what
    was searched; `alerts` are the messages of the promised alert by channel, `alerts_read` says of each
    channel that all of them were read; `findings` are what the stack found, each when it was first written,
    and `findings_read` says that all of them were read; `answers`, `actions` and their `…_read` are the
    same of what it answered and did; `read_by_tenant` is what each tenant's own readers got, and
    `tenants_read` says that all of it was read; `in_span` are the spans that records were
    logged in, and `linked` the records that spans of the stack link to.
    """

    entries: dict[int, Entry] = field(default_factory=dict)
    copies: dict[int, list[Found]] = field(default_factory=dict)
    strays: list[Found] = field(default_factory=list)
    letters: dict[int, list[DeadLettered]] = field(default_factory=dict)
    stray_letters: list[DeadLettered] = field(default_factory=list)
    poison: dict[int, int] = field(default_factory=dict)
    readings: dict[str, list[CounterRead]] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    control_calls: list[ControlCall] = field(default_factory=list)
    kills: dict[int, tuple[str, int]] = field(default_factory=dict)
    seen: dict[int, list[FaultSeen]] = field(default_factory=dict)
    skipped: list[StepSkipped] = field(default_factory=list)
    broke: list[Broke] = field(default_factory=list)
    misnamed: list[Misnamed] = field(default_factory=list)
    destroyed: dict[int, list[str]] = field(default_factory=dict)
    counted: list[RequestsCounted] = field(default_factory=list)
    hosted: dict[str, ProducersHosted] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    phases: dict[str, int] = field(default_factory=dict)
    exits: list[ProcessExited] = field(default_factory=list)
    fault_windows: list[tuple[int, Window]] = field(default_factory=list)
    fault_targets: dict[int, str] = field(default_factory=dict)
    healed_ns: list[int] = field(default_factory=list)
    fresh: list[FreshWave] = field(default_factory=list)
    read_whole: bool = False
    absent: str = ""
    elsewhere: dict[str, list[int]] = field(default_factory=dict)
    withheld_ns: dict[int, int] = field(default_factory=dict)
    whole_elsewhere: list[WholeElsewhere] = field(default_factory=list)
    planted: dict[int, Planted] = field(default_factory=dict)
    secrets_seen: list[SecretSeen] = field(default_factory=list)
    secrets_sought: SecretsSought | None = None
    nonces_listed: NoncesListed | None = None
    alerts: dict[str, list[AlertReceived]] = field(default_factory=dict)
    alerts_read: dict[str, AlertsRead] = field(default_factory=dict)
    findings: list[FindingSeen] = field(default_factory=list)
    findings_read: FindingsRead | None = None
    answers: list[AnswerGiven] = field(default_factory=list)
    answers_read: AnswersRead | None = None
    actions: list[ActionTaken] = field(default_factory=list)
    actions_read: ActionsRead | None = None
    read_by_tenant: dict[str, list[ReadByTenant]] = field(default_factory=dict)
    tenants_read: TenantsRead | None = None
    in_span: dict[int, InSpan] = field(default_factory=dict)
    linked: set[int] = field(default_factory=set)
    spans_read: SpansRead | None = None
    letters_read_whole: bool = False
    poison_unknown: bool = False
    ended_ns: int = 0

    @property
    def began_ns(self) -> int:
        """Return when sending began; 0 where it never did."""
        return self.phases.get("steady", 0)

    @property
    def probing_ns(self) -> int:
        """Return when probing began; the end of the run where it never did."""
        return self.phases.get("probe", self.ended_ns + 1)

    def note_fault(self, event: FaultChanged) -> None:
        """Arrange that a fault moved on: its window lasts until it is healed, or for good.

        Args:
            event: one of its steps: `injecting` opens a window, `healed` closes it, `injected` dates a kill.
        """
        label = f"{event.fault} on {event.target}"
        if event.state == "injected" and event.needs == _KILLABLE:
            self.kills[event.step] = (event.target, event.at_ns)
        self.fault_targets[event.step] = event.target
        if event.state == "injecting":
            self.fault_windows.append((event.step, Window(label, event.at_ns, self.ended_ns + 1)))
        elif event.state == "healed":
            self.healed_ns.append(event.at_ns)
            self.fault_windows = [
                (step, Window(label, window.from_ns, event.at_ns) if step == event.step else window)
                for step, window in self.fault_windows
            ]

    def note_fresh(self, event: FreshSent) -> None:
        """Arrange a wave of fresh records.

        Args:
            event: a wave that was sent, of which nothing is known yet.
        """
        self.fresh.append(FreshWave(event))

    def acknowledged(self) -> list[Entry]:
        """Return the records the stack owes."""
        return [entry for entry in self.entries.values() if entry.acknowledged_ns is not None]

    def kept(self, sequence: int) -> bool:
        """Return whether a record can be read, from the archive or from the dead letters.

        Args:
            sequence: the record's number in the run.
        """
        return sequence in self.copies or sequence in self.letters

    @property
    def landed(self) -> frozenset[int]:
        """Return the numbers of the steps whose fault was proved to have landed."""
        return frozenset(step for step, seen in self.seen.items() if any(each.landed for each in seen))

    def samples_by_process(self, name: str) -> dict[str, list[Sample]]:
        """Return the samples called `<name>.<process>` of each process, in time's order."""
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): samples
            for key, samples in sorted(self.samples.items())
            if key.startswith(prefix)
        }

    def sends(self, target: str, producer: int) -> bool:
        """Return whether a producer lives in what a target is: the application, or one of several workers."""
        hosted = self.hosted.get(target)
        return hosted is None or hosted.first <= producer % hosted.of <= hosted.last

    def never_sent_by(self, entry: Entry) -> str:
        """Return the worker of the load that had ended before it sent a record; empty where none had.

        The stack cannot have got such a record. Of the application this is not known: it hosts the stack.
        """
        gone = (
            each.process for each in self.exits if is_sender(each.process) and each.process != APPLICATION
        )
        if entry.sent_ns is not None:
            return ""
        return next((worker for worker in gone if self.sends(worker, entry.producer)), "")

    def ended_by_itself(self, process: str) -> ProcessExited | None:
        """Return the first time that a process ended though nobody told it to; None where it never did."""
        return next((each for each in self.exits if each.process == process), None)

    def kills_ns(self, producer: int) -> list[int]:
        """Return when a producer's process was killed: by a fault, as far as that was proved, or as a worker.

        Why an application ended by itself nobody knows: the stack in it may have done it.
        """
        landed = self.landed
        by_faults = [
            at_ns
            for step, (target, at_ns) in sorted(self.kills.items())
            if is_sender(target) and step in landed and self.sends(target, producer)
        ]
        ended = (each for each in self.sender_exits() if each.process != APPLICATION)
        return [*by_faults, *(each.at_ns for each in ended if self.sends(each.process, producer))]

    def application_kills_ns(self) -> list[int]:
        """Return when a fault killed the application, as far as that was proved."""
        return self.kills_among_ns((APPLICATION,))

    def kills_among_ns(self, targets: Collection[str]) -> list[int]:
        """Return when a fault killed one of these targets, as far as that was proved."""
        landed = self.landed
        return [
            at_ns
            for step, (target, at_ns) in sorted(self.kills.items())
            if target in targets and step in landed
        ]

    def application_gone(self) -> Window | None:
        """Return when there was no application because it had ended by itself; None where it never did."""
        return self.gone(APPLICATION)

    def sender_exits(self) -> list[ProcessExited]:
        """Return when each process that sends had first ended by itself: the application, or workers."""
        names = dict.fromkeys(each.process for each in self.exits if is_sender(each.process))
        return [ended for name in names if (ended := self.ended_by_itself(name)) is not None]

    def gone(self, sender: str) -> Window | None:
        """Return when a process that sends was not there, having ended by itself; None where it never did.

        It begins after the last sign of life, since its end was noticed a moment after it came, and lasts
        until a later fault started it again, or for good.

        Args:
            sender: `APPLICATION`, or the name of a process of the stack that sends.
        """
        ended = self.ended_by_itself(sender)
        if ended is None:
            return None
        times = [
            at_ns
            for entry in self.entries.values()
            if self.sends(sender, entry.producer)
            for at_ns in (entry.sent_ns, entry.returned_ns)
            if at_ns is not None
        ]
        last_ns = max((at_ns for at_ns in times if at_ns <= ended.at_ns), default=ended.at_ns - 1)
        again_ns = min((at_ns for at_ns in times if at_ns > ended.at_ns), default=self.ended_ns + 1)
        name = "the application" if sender == APPLICATION else sender
        return Window(f"{name} was gone (it ended by itself with {ended.returncode})", last_ns + 1, again_ns)

    def counter(self, name: str) -> float | None:
        """Return a counter's last value after the drain; None where nothing was read so late.

        Args:
            name: one of the words of the harness for a counter, e.g. `HELD`, whatever the stack calls it.
        """
        readings = self.readings.get(name, [])
        after_ns = self.phases.get("read back")
        if not readings or after_ns is None or readings[-1].at_ns < after_ns:
            return None
        return readings[-1].value

    def scheduled(self) -> list[Entry]:
        """Return the records due by the schedule, fresh ones left out."""
        first_fresh = min((wave.sent.first for wave in self.fresh), default=None)
        return [
            entry
            for entry in self.entries.values()
            if entry.due_ns < self.probing_ns and (first_fresh is None or entry.sequence < first_fresh)
        ]

    def steady(self) -> Window:
        """Return the stretch before the first fault; all of the sending where there is none."""
        firsts = [window.from_ns for _, window in self.fault_windows]
        return Window("steady", self.began_ns, min(firsts, default=self.phases.get("drain", self.ended_ns)))

    def seconds(self, at_ns: int | None) -> str:
        """Return a moment as seconds after sending began, for a person.

        Args:
            at_ns: of CLOCK_MONOTONIC, in nanoseconds; None for what did not happen.
        """
        return "never" if at_ns is None else f"{(at_ns - self.began_ns) / SECOND_NS:.3f} s"

    def moment(self, at_ns: int) -> str:
        """Return a moment for a person: seconds after sending began, and which fault was on.

        Args:
            at_ns: of CLOCK_MONOTONIC, in nanoseconds.
        """
        return f"{self.seconds(at_ns)}, {self.what_was_on(at_ns)}"

    def call_told(self, entry: Entry) -> str:
        """Say when a record's log call began and returned."""
        if entry.sent_ns is None:
            return "Its log call was never made."
        began = f"Its log call began at {self.seconds(entry.sent_ns)}"
        if entry.returned_ns is None:
            return f"{began} and never returned."
        return f"{began} and returned at {self.seconds(entry.returned_ns)}."

    def place(self, at_ns: int) -> Place | None:
        """Return where a moment lies among the faults; None where there is no fault at all.

        It lies in the innermost fault that is on, else after the one healed last, else before the first.

        Args:
            at_ns: of CLOCK_MONOTONIC, in nanoseconds.
        """
        for number, window in reversed(self.fault_windows):
            if window.holds(at_ns):
                return Place(number, WHILE, (at_ns - window.from_ns) / SECOND_NS)
        healed = [(window.to_ns, number) for number, window in self.fault_windows if at_ns >= window.to_ns]
        if healed:
            to_ns, number = max(healed)
            return Place(number, AFTER, (at_ns - to_ns) / SECOND_NS)
        return self.next_place(at_ns)

    def next_place(self, at_ns: int) -> Place | None:
        """Return how long before the next fault a moment lies; None where no fault begins after it.

        Args:
            at_ns: of CLOCK_MONOTONIC, in nanoseconds.
        """
        coming = [(window.from_ns, number) for number, window in self.fault_windows if at_ns < window.from_ns]
        if not coming:
            return None
        from_ns, number = min(coming)
        return Place(number, BEFORE, (from_ns - at_ns) / SECOND_NS)

    def edge(self, place: Place) -> str:
        """Say what happened at the edge that a place is measured from, e.g. `the application was killed`."""
        label = next(window.label for number, window in self.fault_windows if number == place.step)
        if place.when == AFTER:
            return f"{label} was healed"
        if place.when == BEFORE and place.step in self.kills:
            target = self.fault_targets[place.step]
            return f"{f'the {target}' if target == APPLICATION else target} was killed"
        return f"{label} began"

    def what_was_on(self, at_ns: int) -> str:
        """Say how long before, in or after which fault a moment lies; between two faults, both are named.

        Args:
            at_ns: of CLOCK_MONOTONIC, in nanoseconds.
        """
        place = self.place(at_ns)
        if place is None:
            return "no fault was on"
        if place.when == WHILE:
            label = self.edge(place).removesuffix(" began")
            return f"while {label} was on, {place.seconds:.1f} s after it began"
        places = [place] if place.when == BEFORE else [place, self.next_place(at_ns)]
        return ", ".join(
            f"{each.seconds:.1f} s {each.when} {self.edge(each)}" for each in places if each is not None
        )


def timeline(events: Iterable[Event]) -> Timeline:
    """Arrange a scenario's facts, once for all that judge it.

    What refers to a record that was never due is left out, except for copies.
    """
    result = Timeline()
    later: list[Event] = []
    for event in events:
        result.ended_ns = max(result.ended_ns, getattr(event, "at_ns", 0))
        if isinstance(event, Due):
            result.entries[event.sequence] = Entry(
                event.sequence,
                event.at_ns,
                event.producer,
                event.digest,
                event.line_bytes,
                event.ascii,
                level=event.level,
                logger=event.logger,
            )
        else:
            later.append(event)
    for event in later:
        if (arrange := ARRANGE.get(type(event))) is not None:
            arrange(result, event)
    return result


def sequences_text(sequences: Sequence[int], most: int = 10) -> str:
    """Return sequences for a person: the first few ranges, and how many more records there are.

    Args:
        sequences: in any order.
        most: how many ranges are written out; of the rest the number of records is.
    """
    ordered = sorted(sequences)
    # In a run of sequences that follow each other, sequence and place differ by the same number.
    runs = [
        [sequence for _, sequence in run]
        for _, run in groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0])
    ]
    shown = ", ".join(_range_text(run[0], run[-1]) for run in runs[:most])
    left = sum(len(run) for run in runs[most:])
    return f"{shown} and {left:,} more" if left else shown


def _range_text(first: int, last: int) -> str:
    if last - first < _RANGE_MIN - 1:
        return ", ".join(str(sequence) for sequence in range(first, last + 1))
    return f"{first} to {last}"
