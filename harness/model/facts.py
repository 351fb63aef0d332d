"""What happened: the facts that processes append to the history and checkers judge.

Times are nanoseconds of CLOCK_MONOTONIC, which all processes of one machine share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# --- facts about records ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """The schedule wanted this record sent at `at_ns` by that producer; `digest` is of the intended line.

    `line_bytes` is the line's size in UTF-8, `ascii` whether it holds nothing but ASCII. `level` and
    `logger` are what it is sent with, told only where the stack names a field for them; the level also where
    the schedule decides it.

    Attributes:
        sequence: the record's number within the scenario, from 0; every other fact about a record names it.
    """

    sequence: int
    at_ns: int
    producer: int
    digest: str
    line_bytes: int = 0
    ascii: bool = True
    level: str = ""
    logger: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The log call for this record was entered.

    `unix_ns` is that moment by the wall clock, told only where the stack names a field for the time, else 0.

    Attributes:
        sequence: the record's number.
        at_ns: when.
    """

    sequence: int
    at_ns: int
    unix_ns: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """The log call came back normally.

    Attributes:
        sequence: the record's number.
        at_ns: when it came back.
    """

    sequence: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The log call came back with an error.

    Attributes:
        sequence: the record's number.
        at_ns: when it came back.
    """

    sequence: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The stack took responsibility for this record, at the level its promises declare. It owes it now.

    Attributes:
        sequence: the record's number.
        at_ns: when the process that sends was told.
    """

    sequence: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """The schedule wanted this record sent at `at_ns`, while the load was paused: it was never due.

    Attributes:
        sequence: the record's number.
    """

    sequence: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Found:
    """One stored copy. `sequence` is None where the text carries no identity of this run (invented or torn).

    `excerpt` holds a part of the text only where it differs from what was sent: the first characters where
    nobody knows what was sent, else what stands at the first difference, beside `expected`; that is at the
    character `differs_at`, counted from 1. `order` is the JSON array of the values that the stack's
    `order_by` fields have in this copy, null where it has none. `transformed` says that the text differs only
    by what the stack declares it may do to a line. `ambiguous` says that the identity is gone and that other
    records were sent with such a text, so that the copy may as well be one of these; `cut_at_bytes` is the
    size of a text that ends too early, 0 for any other. `fields` is the JSON object of what the
    copy has in the fields that the stack file names, null where it has none.

    Attributes:
        digest: of the stored text, to be compared with that of `Due`.
    """

    sequence: int | None
    digest: str
    copy: str
    excerpt: str = ""
    order: str = ""
    transformed: bool = False
    ambiguous: bool = False
    cut_at_bytes: int = 0
    expected: str = ""
    differs_at: int = 0
    fields: str = ""


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """One copy among the dead letters, in the form of `Found`; `reason` is the stack's own word for it.

    Attributes:
        sequence: as in `Found`, and so are the others beside `reason`: `digest`, `copy`, `excerpt`,
            `transformed`, `ambiguous`, `cut_at_bytes`, `expected` and `differs_at`.
    """

    sequence: int | None
    digest: str
    copy: str
    reason: str = ""
    excerpt: str = ""
    transformed: bool = False
    ambiguous: bool = False
    cut_at_bytes: int = 0
    expected: str = ""
    differs_at: int = 0


@dataclass(frozen=True, slots=True)
class SeenElsewhere:
    """A record that is owed and in no outlet lies in a place with a name like the archive's.

    Attributes:
        sequence: the record's number.
    """

    sequence: int
    place: str


@dataclass(frozen=True, slots=True)
class WholeElsewhere:
    """Lines that are damaged, all of them, where the stack file says, stand whole in another place.

    `place` has the keys of the archive that name it, e.g. `field: event.original`; `copy` is one of them.
    """

    place: str
    copy: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One stored copy that no line can be had from: torn, no document, or undecodable. It proves nothing.

    Attributes:
        reason: why, for a person.
        excerpt: the first characters of what is there.
    """

    copy: str
    reason: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveRead:
    """The archive was read whole; without this fact, absence proves nothing.

    `absent` says, where there is no archive under its name at all, which one that is and what to check.

    Attributes:
        at_ns: when the reading ended.
        copies: how many it showed.
    """

    at_ns: int
    copies: int
    absent: str = ""


@dataclass(frozen=True, slots=True)
class DeadLettersRead:
    """The dead letters were read whole; without this fact, nothing is known to be absent from them.

    Attributes:
        at_ns: when the reading ended.
        copies: how many it showed.
    """

    at_ns: int
    copies: int


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A fault made the store refuse this record for good: its right place is the dead letters.

    Noted while the fault is on, nothing else is right. Noted only afterwards, the refusal came so late that
    the stack could not know that it is for good, and may have sent the record again to a healed store.
    `sequence` is None where records were refused for good and nobody can tell which.

    Attributes:
        at_ns: when the fault told of it.
    """

    sequence: int | None
    at_ns: int


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A fault destroyed bytes or keys of the stack for good: one place, as it was read again afterwards.

    Attributes:
        at_ns: when it was seen.
        step: the number of the scenario's step, from 0.
    """

    at_ns: int
    step: int
    place: str


@dataclass(frozen=True, slots=True)
class Planted:
    """This record carries a canary, a made-up secret of that kind, into the stack by that path.

    Attributes:
        sequence: the record's number.
    """

    sequence: int
    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class SecretSeen:
    """A canary was seen where it must not be: it stands there in that encoding, and is never quoted.

    `place` is a file or the name of a copy in an outlet, `at_byte` where it begins in it, or where the packed
    stream does that holds it; `field` is the path of the field, where it stands in one. `is_whole` says that
    both halves of it are there; `times` counts halves.

    Attributes:
        at_ns: when it was seen.
        kind: of the secret, as in `Planted`; `path` is the one that it took in.
    """

    at_ns: int
    kind: str
    path: str
    encoding: str
    place: str
    at_byte: int
    field: str
    is_whole: bool
    times: int


@dataclass(frozen=True, slots=True)
class SecretsSought:
    """The search for canaries came to its end; without this fact, nothing is known not to be there.

    `unread` says what should have been searched and could not be, `beyond` what nobody can look into;
    `messages` counts what receivers of alerts got.

    Attributes:
        at_ns: when it ended.
        documents: how many documents were searched.
        files: how many files were.
        read_bytes: how much was read in all.
    """

    at_ns: int
    documents: int
    files: int
    read_bytes: int
    unread: str = ""
    beyond: str = ""
    messages: int = 0


@dataclass(frozen=True, slots=True)
class NoncesListed:
    """The stack's own command listed what it sealed: so many `things`, under so many `keys`.

    `reused` counts nonces under which one key seals more than one thing; `example` names one. `unread` says
    why the list is not whole.

    Attributes:
        at_ns: when the command ended.
    """

    at_ns: int
    things: int
    keys: int
    reused: int
    example: str = ""
    unread: str = ""


@dataclass(frozen=True, slots=True)
class AlertReceived:
    """A message that an alert fires, or does not any more, came to a receiver at `at_ns` by a channel.

    `key` is the same whenever one message is sent again; `fingerprint` tells alerts apart.
    """

    at_ns: int
    channel: str
    key: str
    fires: bool
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class AlertsRead:
    """All messages of a channel were read; without this fact, nothing is known not to have come.

    Of `messages` of this run, `others` tell other alerts, and `unreadable` do not say what they are:
    `example` says what one of these lacks. `unread` says why the channel could not be read.

    Attributes:
        at_ns: when they were read.
    """

    at_ns: int
    channel: str
    messages: int
    others: int = 0
    unreadable: int = 0
    example: str = ""
    unread: str = ""


@dataclass(frozen=True, slots=True)
class FindingSeen:
    """The stack wrote a finding at `at_ns`, between two looks at its file at the latest.

    `finding` is its identity, `cause` the stack's own word for where the cause lies, and `says` what the
    stack says of it, one line and bounded; empty where it says nothing.
    """

    at_ns: int
    finding: str
    cause: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class ReadToEnd:
    """What the stack tells of itself was read to its end; without it, nothing is known to be missing.

    `example` says what one of the unreadable pieces lacks; `unread` says why none could be read.

    Attributes:
        at_ns: when it was read.
        unreadable: how many lines or messages could not be read.
    """

    at_ns: int
    unreadable: int = 0
    example: str = ""
    unread: str = ""


@dataclass(frozen=True, slots=True)
class FindingsRead(ReadToEnd):
    """The stack's findings were read to their end."""


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """The stack answered at `at_ns` what was asked at `asked_ns`: so many records from `from_ns` to `to_ns`.

    `stale_ns` is how old the stack says that its answer is; 0 where it says that it is of now.

    Attributes:
        namespace: whose records they are, by the stack's word; empty where it has none.
    """

    at_ns: int
    asked_ns: int
    from_ns: int
    to_ns: int
    records: int
    stale_ns: int = 0
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class AnswersRead(ReadToEnd):
    """The stack's answers were read to their end."""


@dataclass(frozen=True, slots=True)
class ReadByTenant:
    """A tenant's own reader got this record; `place` says where: a copy of the store, or a file.

    `stored` tells what the store holds for the tenant from what a reader showed, which may leave some out.

    Attributes:
        sequence: the record's number within the scenario, from 0.
    """

    tenant: str
    sequence: int
    place: str
    stored: bool


@dataclass(frozen=True, slots=True)
class TenantsRead:
    """All was read that each tenant's readers got; `unread` says why it was not.

    Attributes:
        at_ns: CLOCK_MONOTONIC, when the reading ended.
    """

    at_ns: int
    unread: str = ""


@dataclass(frozen=True, slots=True)
class ActionTaken:
    """The stack did something about what it found: a receiver got it at `at_ns`.

    `key` names the action, `about` is what it is about.
    """

    at_ns: int
    key: str
    about: str


@dataclass(frozen=True, slots=True)
class ActionsRead(ReadToEnd):
    """The stack's actions were read to their end."""


@dataclass(frozen=True, slots=True)
class InSpan:
    """This record is logged in that span of OpenTelemetry; ids in lower-case hexadecimal.

    Attributes:
        sequence: the record's number.
        trace_id: 32 digits.
        span_id: 16 digits.
    """

    sequence: int
    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Spans of the stack link to the spans that the records `first` to `last` were logged in."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class SpansRead:
    """The stack's own spans were read, so many; they dropped so many links.

    `unread` says why they are not whole.

    Attributes:
        at_ns: when they were read.
        dropped_links: how many links spans say that they had no room for; more than none, and a record
            without a link proves nothing.
    """

    at_ns: int
    spans: int
    dropped_links: int
    unread: str = ""


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """A reading of the archive that ended at `at_ns` was the first to show the records `first` to `last`.

    Kept only where a planned check asks for it (`NeedsFirstSeen`); readings are a second apart or more.
    """

    at_ns: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FreshSent:
    """Fresh records, `first` to `last`, are due from `at_ns` on, to see how soon they arrive.

    `after` names the fault that was healed just before; it is empty for those sent after the drain.
    """

    at_ns: int
    first: int
    last: int
    after: str = ""


@dataclass(frozen=True, slots=True)
class FreshLooked:
    """A look at the archive from `began_ns` to `at_ns` found so many of the fresh records from `first` on.

    What it did not find was not there when it began; what it found was there when it ended. How long it took
    says nothing of the stack.
    """

    at_ns: int
    began_ns: int
    first: int
    found: int


@dataclass(frozen=True, slots=True)
class CounterRead:
    """What the stack itself says of its records.

    `name` is accepted, delivered, dead_lettered, dropped, destroyed or held. `written_ns` is when the stack
    wrote it down, where that can be told: it may have died since.

    Attributes:
        at_ns: when it was read.
        value: the sum of the stack's own counters that the stack file maps to the name, since the stack's
            start.
    """

    at_ns: int
    name: str
    value: float
    written_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One call of the control beside the run: the same rate and shape of load into a NullHandler.

    Attributes:
        due_ns: when the call was due.
        entered_ns: when it began.
        returned_ns: when it came back.
    """

    due_ns: int
    entered_ns: int
    returned_ns: int


# --- facts about the run ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """From `at_ns` on the run is in this phase."""

    at_ns: int
    phase: str


@dataclass(frozen=True, slots=True)
class FaultChanged:
    """A step's fault moved on: injecting → injected → healing → healed.

    `needs` names the capability that the fault uses, by which judgement tells a process that died from one
    that was only slowed, without knowing any fault.

    Attributes:
        at_ns: when it did.
        target: what it hurts, by the word in the scenario file.
        state: the new one.
    """

    at_ns: int
    step: int
    fault: str
    target: str
    state: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """What was observed of a fault from outside: proof that it landed, or what was seen instead.

    A step may have several; one that landed proves it.

    Attributes:
        at_ns: when it was observed.
    """

    at_ns: int
    step: int
    landed: bool
    proof: str


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step could not run: its target is not there or lacks the capability. Never a pass.

    Attributes:
        at_ns: when that was found.
        reason: why, for a person.
    """

    at_ns: int
    step: int
    reason: str


STORED = "archive.count"
"""The sample that says how many documents the archive counts."""

READ_BACK_SECONDS = "read_back_seconds"
"""`read_back_seconds`: how long one look at the outlets, or one reading of them, took."""

HARNESS_MEMORY_MIB = "harness_memory_mib"
"""`harness_memory_mib`: the most memory that the harness's own process has held so far, in MiB."""


MEMORY_MIB = "memory_mib"
"""`memory_mib.<process>`: resident memory of a process with its children, in MiB."""

DESCRIPTORS = "descriptors"
"""`descriptors.<process>`: open file descriptors of a process with its children."""

DISK_MIB = "disk_mib"
"""`disk_mib.<name>`: what a stack keeps below its own folder, in MiB."""

CORES_RUN = "cores.run"
"""The sample that says how many cores the harness and all that it started took since the sample before."""

CORES_OTHERS = "cores.others"
"""The sample that says how many cores everything else on this machine took since the sample before."""

ANSWERS = "answers"
"""`answers.<link>`: how many answers of the service have begun to come over a link so far.

Told only where every link of the stack can be looked into. Such a sample is taken after the counters of the
same round, and its time is read after it.
"""

CONNECTIONS = "connections"
"""`connections.<link>`: how many connections over a link were accepted so far; the time is the last one's."""

OWN_CONNECTIONS = "own_connections"
"""`own_connections.<link>`: how many of them were the harness's own, for the proofs of faults.

-1 once one of those was refused: whoever else was refused meanwhile, nobody has counted.
"""
CORES_LOAD = "cores.load"
"""`cores.load.<process>`: how many cores a process that only sends took since the sample before."""

EXIT_SECONDS = "exit_seconds"
"""`exit_seconds.<process>`: from being told to end until it had ended, once, in seconds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A measured value at a moment.

    Attributes:
        at_ns: when it was measured.
        name: one of the constants of this module, with what is measured behind the dot where there are
            several.
    """

    at_ns: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class RequestsCounted:
    """What a tool that drives the load counts itself of one sort of request; nothing is judged by it.

    `failures` are those of the `requests` that the tool calls failed; times are in ms, as it rounds them.

    Attributes:
        at_ns: when the tool was asked.
        method: as the tool tells it, e.g. `POST`.
        name: as the tool tells it, e.g. a path.
        p50_ms: the median response time.
        p95_ms: the 95th percentile.
    """

    at_ns: int
    tool: str
    method: str
    name: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class ProducersHosted:
    """One of several processes that send has the producers `first` to `last`, counted within each `of`.

    Attributes:
        process: the name of the process, e.g. `load.worker-1`.
    """

    process: str
    first: int
    last: int
    of: int


@dataclass(frozen=True, slots=True)
class ProcessExited:
    """A process that should live ended; `returncode` is negative for a signal, as in subprocess.

    Attributes:
        at_ns: when that was noticed.
    """

    at_ns: int
    process: str
    returncode: int


@dataclass(frozen=True, slots=True)
class Broke:
    """Something of the harness or its surroundings broke, so that what follows proves nothing.

    Attributes:
        at_ns: when.
        where: what of the run was being done.
        message: what went wrong, for a person.
    """

    at_ns: int
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Misnamed:
    """The stack file names what is not there, while it is elsewhere: nothing is known of the stack itself.

    `remedy` says which key it is and what to write.

    Attributes:
        at_ns: when that was found.
    """

    at_ns: int
    remedy: str


Event: TypeAlias = (
    Due | Sent | Answered | Refused | Acknowledged | Withheld | Found | SeenElsewhere | WholeElsewhere
    | Unreadable | ArchiveRead | DeadLettered | DeadLettersRead | Poisoned | Destroyed | FirstSeen | FreshSent
    | FreshLooked | CounterRead | ControlCall | PhaseChanged | FaultChanged | FaultSeen | StepSkipped
    | Sample | RequestsCounted | ProducersHosted | ProcessExited | Broke | Misnamed
    | Planted | SecretSeen | SecretsSought | NoncesListed | AlertReceived | AlertsRead | FindingSeen
    | FindingsRead | AnswerGiven | AnswersRead
    | ActionTaken | ActionsRead | ReadByTenant | TenantsRead | InSpan | Linked
    | SpansRead
)  # fmt: skip
