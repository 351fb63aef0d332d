"""Who does what in the harness. Read this first, then `runner.py`.

What users declare is in `declarations.py`, what happened is a fact (`facts.py`), what comes out is a result
(`result.py`), and what judges is in `judging/checker.py`. Behaviour is a Protocol, one small file a kind.
Nothing here knows a store, a proxy or a logging library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from harness.model.declarations import Arguments, Part, Scalar, Scenario
from harness.model.facts import RequestsCounted


class Status(Enum):
    """What a judgement may say. No evidence is never PASS."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    WARN = "WARN"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    NOT_RUN = "NOT_RUN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


MESSAGE, ARGUMENT, EXTRA, EXCEPTION, URL = "message", "argument", "extra", "exception", "url"
"""The paths that a secret may take into a stack: in the message, as an argument of it, beside it in a field,
in an exception, or in the query of a URL within the message."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A made-up secret that comes with a record, and the path it takes.

    `text` is what an exception says; `value` is what a field called `key` holds; `from_character` to
    `to_character` is what of the line is handed over as an argument of the message.

    Attributes:
        kind: what sort of secret it is, by the word in the stack file, e.g. `card`.
    """

    kind: str
    path: str
    text: str
    key: str
    value: str
    from_character: int
    to_character: int


class SpanIds(NamedTuple):
    """The span that a record is logged in, in lower-case hexadecimal.

    Attributes:
        trace_id: 32 digits.
        span_id: 16 digits.
    """

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """One log line on its way in. The line ends in its identity, so every stored copy can be verified.

    `level` is one of Python's words, `DEBUG` to `CRITICAL`; `logger` is the name of who logs. `secret` is the
    canary that the record carries, where it carries one, and `span` the span that it is logged in. `tenant`
    is whose record it is, and `other_tenant` one whose it is not; both are empty where there are none.

    Attributes:
        sequence: its number within the scenario, from 0.
    """

    sequence: int
    line: str
    level: str = "INFO"
    logger: str = "logquake.application"
    secret: Secret | None = None
    span: SpanIds | None = None
    tenant: str = ""
    other_tenant: str = ""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One copy read back: `copy` names the place (`index/_id`), `line` is the text.

    `unreadable` says why no line can be had from it (torn, undecodable); `line` is then what is there.
    `values` are those of the other fields asked for, None where the document lacks one.
    """

    copy: str
    line: str
    unreadable: str = ""
    values: tuple[Scalar | None, ...] = ()


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One copy as it is stored: `body` is its JSON on one line; `unreadable` says why it is none."""

    copy: str
    body: bytes
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A text that stands elsewhere than where an archive was told to look.

    `changes` are the arguments of the archive that would name the place, by their words; an empty value
    stands for one to remove.

    Attributes:
        copy: the place, as in `StoredDocument`.
    """

    copy: str
    text: str
    changes: Mapping[str, str]


# --- judgement -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """One objective's judgement in one scenario, with what a person needs to follow it.

    Attributes:
        objective: the checker's word.
        dimension: the part of the score that it counts for.
        status: the judgement.
        summary: one sentence with the number that decided.
        value: what was measured, in `unit`; None where it is no number.
        unit: e.g. `ms`, `records`; empty for a bare number.
        limit: the most, or least, that the stack promises; None where there is none.
        evidence: further sentences.
        counterexample: the smallest story that shows the failure, a line each.
        vetoes: reasons for which the gate fails whatever the score is.
    """

    objective: str
    dimension: str
    status: Status
    summary: str
    value: float | None = None
    unit: str = ""
    limit: float | None = None
    evidence: tuple[str, ...] = ()
    counterexample: tuple[str, ...] = ()
    vetoes: tuple[str, ...] = ()
    samples: int | None = None
    """How many observations the value rests on; None where it is a count of the whole."""


# --- behaviour -------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time and patience. Every wait of the harness goes through it, so each one ends when it must."""

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC in nanoseconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; raises InterruptedRunError or TimeIsUpError as soon as the run must end.

        Args:
            seconds: how long.
        """
        ...


class Deployment(Protocol):
    """A set of processes that the run starts and always stops: services, or the stack's own."""

    def start(self) -> None:
        """Start everything; raises UnavailableError or StackError, leaving nothing half started behind."""
        ...

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once all serve; raises StackError after the timeout, with the end of the culprit's log.

        Args:
            timeout_seconds: for all of them together.
        """
        ...

    def targets(self) -> Mapping[str, object]:
        """Return what a fault can take hold of, by the name scenarios use."""
        ...

    def exited(self) -> Sequence[tuple[str, int]]:
        """Return (name, return code) of each process that should live and ended by itself."""
        ...

    def stop(self) -> None:
        """Stop everything. Idempotent, bounded, called on every path."""
        ...


class Intake(Protocol):
    """How records enter the stack. Lives in the application process and is used by many producer threads."""

    def open(self, acknowledge: Callable[[Iterable[int]], None]) -> None:
        """Get ready; `acknowledge` takes the sequences the stack has become responsible for, if it tells."""
        ...

    def send(self, record: Record) -> None:
        """Hand one record over; an exception is a refusal."""
        ...

    def close(self) -> None:
        """Let go of the stack the way an exiting application does."""
        ...


@runtime_checkable
class CarriesSecrets(Protocol):
    """A kind of intake that has more paths for a secret than its line; asked of its class."""

    @staticmethod
    def secret_paths(arguments: Arguments) -> Sequence[str]:
        """Return the paths it has with these arguments, those within the line included."""
        ...


@runtime_checkable
class WritesFiles(Protocol):
    """A kind of intake (the class, no instance of it) whose records enter by files that logquake writes."""

    @staticmethod
    def files_of(arguments: Mapping[str, object]) -> Sequence[str]:
        """Return patterns of the files it writes with these arguments: what is in there was only sent."""
        ...


@runtime_checkable
class Batching(Protocol):
    """An intake that can hand several records over in one call, which acknowledges or refuses all of them.

    Attributes:
        records_per_request: How many at most. Only records that are due already share a call: none is held
            back to wait for company.
    """

    records_per_request: int

    def send_together(self, records: Sequence[Record]) -> None:
        """Hand records over in one call; an exception is a refusal of all of them."""
        ...


class Archive(Protocol):
    """Where the stack's records end up. A run has an index of its own, which is read whole."""

    def count(self) -> int:
        """Return how many documents are visible now; raises StackError when it cannot be told."""
        ...

    def refresh(self) -> None:
        """Make everything stored so far visible to `count` and `read`."""
        ...

    def read(self, fields: Sequence[str] = ()) -> Iterator[StoredDocument]:
        """Yield every stored copy; raises StackError when the archive cannot be read whole.

        `fields` names others than the line's own, dotted where they lie deeper, whose values come along.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class RawArchive(Archive, Protocol):
    """An archive that also shows documents as they are stored, before anything is decoded."""

    @property
    def field(self) -> str:
        """Where the line stands in a document, dots parting its keys."""
        ...

    def raw(self) -> Iterator[RawDocument]:
        """Yield every stored copy whole; raises StackError when the archive cannot be read whole."""
        ...


class Follower(Protocol):
    """A reader of what comes into an archive: each reading goes on where the one before it stopped."""

    def read(self) -> Iterator[StoredDocument]:
        """Yield the copies that were stored or changed since the last reading; raises StackError.

        Some may come again. One that was deleted is never told, and one that was stored out of order may be
        missed: only a reading of the whole archive says that a record is not there.
        """
        ...


@runtime_checkable
class Followable(Archive, Protocol):
    """An archive that can show what has come in since it was last looked at."""

    def follow(self, *, from_now: bool = False) -> Follower:
        """Return a follower whose first reading yields what is there, or only what comes `from_now` on."""
        ...


@runtime_checkable
class Locatable(Archive, Protocol):
    """An archive that can tell that it does not exist, which a reading shows as empty."""

    def absent(self) -> str:
        """Name what does not exist, and where to look; empty where it exists. Raises StackError.

        Returns:
            What does not exist and where to look, for a person; empty where it exists.
        """
        ...


@runtime_checkable
class Neighboured(Archive, Protocol):
    """An archive beside which records may lie that nobody sees: in an index or file of a like name.

    Asked also where most records are in their place, to say of each of the missing which neighbour holds it;
    so a neighbour is an archive, read as this one is, and there are few. `Findable` is asked where nothing
    is in its place, and looks at a little of everything in whatever form it lies there.
    """

    def neighbours(self) -> Sequence[tuple[str, Archive]]:
        """Return those of the likest names, a few at most, each with its name; raises StackError."""
        ...


@runtime_checkable
class Findable(Archive, Protocol):
    """An archive that can look beside the place that it was told: its name may be a slip.

    What it yields tells what to write in the stack file, and not which records lie there (`Neighboured`):
    it may be another field or another format of the very same documents, and only some of them are looked at.
    """

    def elsewhere(self, word: str, folder: str) -> Iterator[Sighting]:
        """Yield texts that hold a word, from other places that the archive's arguments could name. Bounded.

        Args:
            word: what every line of the run holds.
            folder: the stack's own folder of the run.

        Raises:
            StackError: it cannot be looked.
        """
        ...


@runtime_checkable
class Rereadable(Archive, Protocol):
    """An archive whose bytes may be parted into documents in other ways; its own may be a slip."""

    def otherwise(self) -> Sequence[tuple[Mapping[str, str], Archive]]:
        """Return the archive read in each other way, with the arguments that ask for it."""
        ...


@runtime_checkable
class Removable(Protocol):
    """An archive that can delete what this run stored in it."""

    def remove(self, run_id: str) -> None:
        """Delete the run's own index by its exact name, which holds `run_id`; raises StackError."""
        ...


class Counters(Protocol):
    """The stack's own word about its records."""

    def read(self, keys: Sequence[str]) -> Mapping[str, float]:
        """Return the value of each of the stack's own keys that is there now; raises StackError."""
        ...


@dataclass(frozen=True, slots=True)
class DatedCount:
    """A counter's value, and how old the stack's newest word about it was when it was read, in seconds.

    Attributes:
        age_seconds: since the stack wrote it down.
    """

    value: float
    age_seconds: float


@runtime_checkable
class Dated(Counters, Protocol):
    """Counters that a stack writes down now and then: what is read is older than the moment of reading."""

    def read_dated(self, keys: Sequence[str]) -> Mapping[str, DatedCount]:
        """Return the value of each key that is there now, with its age; raises StackError.

        Args:
            keys: the stack's own names of counters.
        """
        ...


@runtime_checkable
class Listable(Counters, Protocol):
    """Counters that can tell their names."""

    def keys(self) -> Sequence[str]:
        """Return all keys that are there now; raises StackError."""
        ...


class Schedule(Protocol):
    """When records are due. Open loop: a slow stack does not make the next record due later."""

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return the due times after the start of sending, in nanoseconds, ascending.

        Args:
            seconds: how long sending lasts.
            rng: where every random choice comes from, so that a seed repeats them.
        """
        ...


@runtime_checkable
class Levelled(Schedule, Protocol):
    """A schedule that says of each record which level it is sent with."""

    def levels(self, offsets_ns: Sequence[int]) -> str:
        """Return the first letter of each record's level: D, I, W, E or C.

        Args:
            offsets_ns: when the records are due after the start of sending, ascending.
        """
        ...


@runtime_checkable
class Shaped(Schedule, Protocol):
    """A schedule that says of each record which shape its line has."""

    def shapes(self, offsets_ns: Sequence[int]) -> str:
        """Return a letter for each record, see `harness/evidence/shaped_lines.py`.

        Args:
            offsets_ns: when the records are due after the start of sending, ascending.
        """
        ...


@dataclass(frozen=True, slots=True)
class Undo:
    """How to take a fault back from outside, readable by a later process that knows nothing of the run.

    Attributes:
        action: the word of an undo action, as `harness/cleanup/undo_actions.py` has them.
        arguments: what it takes: addresses, paths, process ids; nothing that only this process knows.
    """

    action: str
    arguments: Arguments


class Fault(Protocol):
    """One way to hurt one target. It asks for a capability, never for a kind of target.

    Attributes:
        needs: the protocol, such as `Severable`, that a target must fit; a step on any other target is a
            mistake in the file.
    """

    needs: ClassVar[type]

    def undo(self, target: Any) -> Undo:
        """Say how to take it back; this is on disk before `inject` begins.

        Args:
            target: what fits `needs`.

        Returns:
            The action and its arguments.
        """
        ...

    def inject(self, target: Any, rng: Random) -> AbstractContextManager[None]:
        """Hurt the target on entry, take it back on exit; both raise FaultError where they cannot.

        Entry and exit each run on a thread of its own, so that other faults end on time whatever they take;
        after 300 s nobody waits for them any longer.

        Args:
            target: what fits `needs`.
            rng: where every random choice comes from, so that a seed repeats them.

        Returns:
            A context manager: hurt inside of it, unhurt after it.
        """
        ...

    def evidence(self, target: Any) -> tuple[bool, str]:
        """Observe from outside, right after injection: (landed, what was seen).

        Asked again just before the healing where the first look proved nothing. It runs on a thread of its
        own; what it has not seen when the fault is healed counts for nothing.

        Args:
            target: what fits `needs`.

        Returns:
            Whether it landed, and what was seen, for a person.
        """
        ...


@runtime_checkable
class Poisons(Protocol):
    """A fault by which the store refuses some records for good, so that their place is the dead letters.

    Attributes:
        deliberation_seconds: how long a stack may take to find out that a refusal is for good: 0 where the
            answer says so. A record refused later than that before the fault is taken back may be stored too.
    """

    deliberation_seconds: float

    def poisoned(self, target: Any) -> Iterable[int | None]:
        """Return the sequences refused for good so far.

        Asked twice so long before the fault is taken back, and again when all is over. None stands for
        records of which nobody can tell which they were.

        Args:
            target: what fits the fault's `needs`.

        Raises:
            FaultError: it cannot be told.
        """
        ...


@runtime_checkable
class Destroys(Protocol):
    """A fault that destroys bytes or keys of the stack for good; what that costs is judged by the places."""

    def destroyed(self, target: Any) -> Iterable[str]:
        """Return one text a place that is destroyed now, seen from outside; raises FaultError.

        Args:
            target: what fits the fault's `needs`.
        """
        ...


@runtime_checkable
class NeedsSmallDisk(Protocol):
    """A fault that fills the disk of its target's files, which is a small one before the stack starts."""

    @property
    def disk_mib(self) -> int:
        """How large that disk is, in MiB."""
        ...


@runtime_checkable
class Cumulative(Protocol):
    """A fault whose effect is counted as long as it is on: only the last look says how much it was."""

    def evidence_in_all(self, target: Any) -> tuple[bool, str]:
        """Observe without waiting, just before the fault is taken back: (landed, what was seen in all).

        Asked twice, since the first answer tells how long before the healing the second must be asked for.

        Args:
            target: what fits the fault's `needs`.

        Returns:
            Whether it landed, and what was seen in all, for a person.

        Raises:
            FaultError: it cannot be observed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tally:
    """How far the sending has come: counts of records.

    Attributes:
        due: those that the schedule wanted so far.
        sent: those whose log call began.
        answered: those whose log call came back normally.
        refused: those whose log call came back with an error.
        acknowledged: those that the stack owes.
    """

    due: int = 0
    sent: int = 0
    answered: int = 0
    refused: int = 0
    acknowledged: int = 0


OVER = "over"
"""The phase of a scenario's last progress: nothing more of it will be told."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person watching wants to know now.

    Attributes:
        scenario: its name.
        phase: what the run does, e.g. `steady`, `drain`; `OVER` at the end.
        fault: the fault that is on, with its target; empty where none is.
        tally: how far the sending has come.
        stored: how many documents the archive counted last.
        seconds_left: how long the phase takes at most.
    """

    scenario: str
    phase: str
    fault: str
    tally: Tally
    stored: int
    seconds_left: float
    waiting: str = ""
    """What the drain waits for, e.g. `12 records to be acknowledged`; empty where nothing is waited for."""


PROBES = 20
"""How many records of each wave are kept back to prove the stack alive."""


@dataclass(frozen=True, slots=True)
class PageSpec:
    """Where a load that brings a page of its own serves it, with the live page beside it.

    Attributes:
        socket_path: of the socket at which the live page's desk is asked.
        host: the address to listen on.
        port: the port.
        names: further names that the page may be asked under.
    """

    socket_path: str
    host: str
    port: int
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """What a load is to send, whatever its kind.

    Attributes:
        run_id: the scenario's; every process carries it, every line ends in it.
        seed: of generated lines.
        offsets_ns: when records are due after sending begins, ascending; their sequences count from 0.
        producers: how many threads or users send.
        input_path: a log file whose lines are sent; empty for generated lines.
        acknowledged_by: what acknowledges a record: `return`, `callback` or `http_2xx`.
        intake: how records enter the stack, its placeholders replaced.
        history_bytes_max: the cap of the load's own history.
        probes: how many more records, numbered after the scheduled ones, each call of `probe` sends.
        waves: how often `probe` may be called.
        code_folders: where the stack's own classes may lie, beside what is installed.
        fields: the names of the stored fields that are compared with what was sent; those of them that a load
            varies, it tells in `Due` and `Sent`.
        page: where a load that has a page of its own serves it; None where nobody asked for one.
        secrets: the kinds of canary that some records carry.
        secret_paths: the paths that these take through the intake.
        environment: variables of the processes that hold the intake, on top of the harness's own.
        levels: the first letter of each scheduled record's level; empty where the schedule decides none.
        shapes: the letter of each scheduled record's shape; empty where the schedule decides none.
        wall_clock_path: the file that says how far the clock of the processes that send is moved; empty where
            it is the machine's.
        tenants: of how many parts of the records each tenant is (`declarations.tenant_of`); empty = none is.
    """

    run_id: str
    seed: int
    offsets_ns: Sequence[int]
    producers: int
    input_path: str
    acknowledged_by: str
    intake: Part
    history_bytes_max: int
    probes: int = PROBES
    waves: int = 1
    code_folders: Sequence[str] = ()
    fields: Sequence[str] = ()
    page: PageSpec | None = None
    secrets: Sequence[str] = ()
    secret_paths: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    levels: str = ""
    shapes: str = ""
    wall_clock_path: str = ""
    tenants: Mapping[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Return how many records there are, probes included."""
        return len(self.offsets_ns) + self.waves * self.probes


@runtime_checkable
class Counting(Protocol):
    """A load whose own tool counts requests, beside the facts that are judged."""

    def counted(self, at_ns: int) -> Sequence[RequestsCounted]:
        """Return what it counts now, one fact for each sort of request.

        Args:
            at_ns: the moment that the facts get.
        """
        ...


class LoadKind(Protocol):
    """How a kind of load is made; what else its constructor takes are arguments of the scenario file."""

    def __call__(self, spec: LoadSpec, folder: Path, history: Path, clock: Clock) -> Load:
        """Make a load; nothing is started or written yet.

        Args:
            spec: what to send.
            folder: a private folder to work in, which is removed with the run.
            history: the folder of the history, which takes the facts of what was due and sent.
            clock: for every wait.
        """
        ...


@runtime_checkable
class ChoosyLoad(Protocol):
    """A kind of load that cannot drive just any stack, or has targets of its own; asked of its class."""

    @staticmethod
    def require(scenario: Scenario, intake: Part, folders: Sequence[Path]) -> str:
        """Refuse what it cannot do.

        Args:
            scenario: what names the load, with its arguments.
            intake: how records enter the stack.
            folders: where files that it names may lie.

        Returns:
            A digest of the files that decide what it does; empty where there are none.

        Raises:
            ScenarioError: it does not drive this intake, or its arguments cannot be used.
            UnavailableError: this machine lacks what it needs.
        """
        ...

    @staticmethod
    def target_names(load: Part) -> Sequence[str]:
        """Return what scenarios call its own targets.

        Args:
            load: the load as the scenario file names it.
        """
        ...


class Load(Deployment, Protocol):
    """What sends the records: it begins when told, counts what became of them, and writes the facts."""

    def begin(self, at_ns: int) -> None:
        """Let sending begin at that moment.

        Args:
            at_ns: of CLOCK_MONOTONIC; a little ahead.
        """
        ...

    def probe(self, at_ns: int) -> range:
        """Send the next wave of the records kept back to prove the stack alive; return their sequences.

        Args:
            at_ns: when the first of them is due; of CLOCK_MONOTONIC.
        """
        ...

    def tally(self) -> Tally:
        """Return how far the oracle has seen the sending come."""
        ...

    def owed(self) -> frozenset[int]:
        """Return the sequences acknowledged so far."""
        ...

    def under_way(self, sender: str) -> int:
        """Return how many log calls have begun and have no word of the stack yet.

        Args:
            sender: whose: the application's, which are all, or those of one worker of the load.
        """
        ...

    def unsent(self, sender: str) -> int:
        """Return how many of a sender's records, as planned so far, have no log call that has begun."""
        ...

    def finish(self) -> float | None:
        """End the application and let the oracle write its last facts; bounded.

        Returns:
            How long the application took to exit, in seconds, at least this long where it had to be made to;
            None where it did not run any more, or holds nothing of the stack.
        """
        ...


@runtime_checkable
class PausableLoad(Load, Protocol):
    """A load that can be paused: what falls due meanwhile is never sent, and told as `Withheld`."""

    def pause(self, at_ns: int) -> None:
        """Withhold what falls due from that moment on, which lies a little ahead.

        Args:
            at_ns: of CLOCK_MONOTONIC.
        """
        ...

    def resume(self, at_ns: int) -> None:
        """Send what falls due from that moment on.

        Args:
            at_ns: of CLOCK_MONOTONIC.
        """
        ...
