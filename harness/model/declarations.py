"""What users declare: a scenario, a stack, and what the two are made of.

Files are read into these (`harness/config/`); who acts on them stands in `protocols.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool
Arguments: TypeAlias = Mapping[str, Scalar]

APPLICATION = "application"
"""The target every stack has: the process that makes the log calls."""

LOAD = "load"
"""The target every run has: the log calls themselves, whose rate the schedule decides."""


CLOCK = "clock"
"""The target every stack has: the wall clock of its processes and of the application."""

ELASTICSEARCH = "elasticsearch"
"""The service that may be several nodes of one cluster: `elasticsearch`, `elasticsearch_2`, … up to 9."""

ELECTED_MASTER = "elected_master"
"""The target of a stack that needs several nodes: whichever is their elected master when a fault begins."""

_FURTHER_NODE = re.compile(rf"{ELASTICSEARCH}_[2-9]\Z")


def service_kind(name: str) -> str:
    """Return what a service is by its name: `elasticsearch_2` is an `elasticsearch`, one more node of it."""
    return ELASTICSEARCH if _FURTHER_NODE.match(name) else name


def worker_name(number: int) -> str:
    """Return what a load's worker is called, as a process and as a target, by its number from 1."""
    return f"{LOAD}.worker-{number}"


def is_sender(target: str) -> bool:
    """Return whether a target makes log calls: the application, or a worker of the load."""
    return target == APPLICATION or target.startswith(f"{LOAD}.")


class Level(IntEnum):
    """How durable an acknowledgement claims to be, weakest first."""

    MEMORY = 1
    WRITE = 2
    FSYNC = 3


@dataclass(frozen=True, slots=True)
class Promises:
    """What the stack promises; each checker judges against one of these.

    What is None or empty is not promised, and what asks for it is not planned.

    Attributes:
        durability: what an acknowledgement stands for.
        copies_max: how many copies of a record may be stored.
        response_p99_ms: how long, from due to return, the 99th percentile of log calls takes at most.
        exit_seconds: how long the application takes to end.
        memory_mib_above_idle: how much more memory the application and the stack hold than while idle.
        descriptors_above_idle: how many more file descriptors they have open than while idle.
        disk_mib_above_idle: how much more the stack keeps on disk than while idle.
        held_records_max: how many acknowledged records wait in the stack at most.
        corruption_blast_records: how many records one damaged place on disk costs at most.
        order_by: the fields of a document whose values rise in the order of the log calls, the most
            significant first.
        line_bytes_max: how much of a line is kept, in bytes of UTF-8; longer ones may be cut.
    """

    durability: Level = Level.MEMORY
    copies_max: int = 1
    response_p99_ms: float = 100.0
    exit_seconds: float | None = None
    memory_mib_above_idle: float | None = None
    descriptors_above_idle: int | None = None
    disk_mib_above_idle: float | None = None
    held_records_max: int | None = None
    corruption_blast_records: int | None = None
    order_by: tuple[str, ...] = ()
    visible_seconds: float = 1.0
    """How long a record may wait in the stack's buffer before it is stored, while nothing is wrong."""
    line_bytes_max: int | None = None
    secrets: tuple[str, ...] = ()
    """The kinds of secret that are seen in the clear nowhere; a canary of each is planted in the load."""
    traces: bool = False
    """Whether a record that is logged in a span is stored with its ids."""


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of a family with its arguments, as a file names it."""

    kind: str
    arguments: Arguments = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permits:
    """What a step may cost: in how many places it may destroy bytes or keys of the stack.

    Attributes:
        destroyed: how many; what is beyond it is not excused.
    """

    destroyed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One fault: what, on which target, when after sending began, for how long, at what cost.

    Attributes:
        fault: a word of the family of faults, or a dotted path.
        target: what is hurt, by the word of the stack or the run.
        at_seconds: when, after sending began.
        for_seconds: how long until it is healed.
        arguments: what the fault's constructor takes.
        acknowledged_min: how many of the records sent while it is on must be acknowledged, refused or counted
            as dropped by the end of the drain; fewer leave the scenario undecided.
        permits: what it may cost.
    """

    fault: str
    target: str
    at_seconds: float
    for_seconds: float
    arguments: Arguments = field(default_factory=dict)
    acknowledged_min: int = 1
    permits: Permits = field(default_factory=Permits)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One hypothesis and how it is examined.

    Attributes:
        name: the file's, without its suffix.
        title: one line for people.
        hypothesis: what is expected of a stack that keeps its promises.
        schedule: when records are due.
        producers: how many threads or users send.
        sending_seconds: how long.
        steps: the faults, by time.
        checks: what judges it beside the checks that every scenario has.
        drain_seconds: how long acknowledged records may take to be stored once sending has ended.
        liveness_seconds: how long fresh records, sent after the drain, may take.
        recovery_seconds: how long, from a healing, until throughput is back, the backlog has drained and
            fresh records have arrived.
        why: why anybody should care, for people.
        seen_in: where such trouble was reported, e.g. `fluent/fluentd#1698`.
        source: the file, as a command line names it.
    """

    name: str
    title: str
    hypothesis: str
    schedule: Part
    producers: int
    sending_seconds: float
    steps: tuple[Step, ...]
    checks: tuple[Part, ...]
    load: Part = Part("hosted")
    """The kind of load that sends the records."""
    exclusive: bool = True
    """Whether it runs alone. One that runs beside others judges nothing that their load would change."""
    drain_seconds: float = 60.0
    liveness_seconds: float = 30.0
    recovery_seconds: float = 30.0
    why: str = ""
    seen_in: tuple[str, ...] = ()
    source: str = ""

    @property
    def healings(self) -> int:
        """Return how many steps lie within no other one: after each, nothing hurts the stack any more."""
        until_seconds, healings = 0.0, 0
        for step in self.steps:
            if not healings or step.at_seconds >= until_seconds:
                until_seconds, healings = step.at_seconds + step.for_seconds, healings + 1
        return healings


@dataclass(frozen=True, slots=True)
class Ready:
    """How to tell that a process serves: an answering URL, or a text in its output; neither = it runs.

    `listens` is `host:port`, for a server that answers nobody who does not log in.

    Attributes:
        http: a URL that answers with a status below 400.
        output: a text that is part of what the process writes.
        timeout_seconds: how long getting ready may take.
    """

    http: str = ""
    output: str = ""
    timeout_seconds: float = 30.0
    listens: str = ""


@dataclass(frozen=True, slots=True)
class StackProcess:
    """One of the stack's own processes: an argument list with placeholders, never a shell line.

    Attributes:
        name: its name, also as a target of faults.
        command: the program and its arguments.
        environment: variables on top of the harness's own.
        ready: how to tell that it serves.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Ready = field(default_factory=Ready)


@dataclass(frozen=True, slots=True)
class DeadLetterOutlet:
    """Where a stack puts what its store refuses for good: an archive, and its field that says why.

    `decode` is the command that makes its documents readable, where they are not.

    Attributes:
        archive: how its documents are read.
        reason_field: the path of the field that says why; empty where none does.
    """

    archive: Part
    reason_field: str = ""
    decode: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CounterSource:
    """A stack's own counters: how to read them, and which of its keys are summed up for each of ours.

    What is counted as delivered shows in the archive `lag_seconds` later at the latest.

    Attributes:
        part: how they are read.
        names: each of ours (`accepted`, `delivered`, `dead_lettered`, `dropped`, `destroyed`, `held`) with
            the stack's own.
    """

    part: Part
    names: Mapping[str, tuple[str, ...]]
    lag_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a stored document has what was sent beside the line: time, level, logger, sequence, trace, span.

    `paths` has the path of each of these within the document; `time_tolerance_seconds` is how far a stored
    time may lie from the log call.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    time_tolerance_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Masks:
    """What of the lines of `--input` a stack may mask: matches of patterns, at most a share of all bytes.

    Attributes:
        patterns: regular expressions.
        share_max: 0 to 1.
    """

    patterns: tuple[str, ...] = ()
    share_max: float = 0.1


KEYS, KEY_PROVIDER, KEY_SERVER = "keys", "key_provider", "key_server"
"""The targets of a stack that declares its keys: the keys, what they come from (files, or a link to
a server), and the service at the end of that link."""


@dataclass(frozen=True, slots=True)
class Keys:
    """How a stack's encryption keys are worked: commands of its own, argument lists with placeholders.

    `status` prints a JSON document, in which `version` is the path of a whole number that every rotation
    raises. `provider` has patterns of the files that the keys come from, below `{run.folder}`; where they
    come from a server, `provider_link` names the link to it. `losable` says whether records can still be read
    without these files, by whoever has the keys already; they cannot where keys never leave the provider.
    `nonces` is given the stored documents and lists what is sealed, with its key and nonce.

    Attributes:
        rotate: the command that makes a new version and lets writers use it.
        status: the command that tells the version.
        revoke: the command that takes the version in use away; empty where there is none.
        timeout_seconds: how long each command may take.
    """

    rotate: tuple[str, ...]
    status: tuple[str, ...]
    version: str = "version"
    revoke: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    losable: bool = True
    nonces: tuple[str, ...] = ()
    timeout_seconds: float = 60.0
    provider_link: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """Return what faults can take hold of."""
        if self.provider_link:
            return (KEYS, KEY_PROVIDER, KEY_SERVER)
        return (KEYS, KEY_PROVIDER) if self.provider else (KEYS,)


ERROR_BURST = "error_burst"
"""The schedule that says which records are errors; by it alone a crossing of a threshold is planned."""


@dataclass(frozen=True, slots=True)
class AlertChannel:
    """One way by which a stack tells people, and where its messages say what they are.

    `service` receives them (`smtp`, `webhook_receiver`), over `link`. Each place is `header NAME`,
    `header NAME PATTERN`, `json PATH` or `text PATTERN`: `key` holds what is the same whenever one message is
    sent again, `alert` the names of the alerts in it, `state` the state of each, `fingerprint` what tells
    alerts of one name apart (empty = nothing does). `fires` is the state of one that fires.
    """

    name: str
    service: str
    link: str
    key: str
    alert: str
    state: str
    fingerprint: str = ""
    fires: str = "firing"


@dataclass(frozen=True, slots=True)
class Alerts:
    """The alert on errors that a stack promises.

    `threshold` errors logged within `window_seconds` are told on every channel `deadline_seconds` later at
    the latest, and once within `cooldown_seconds`. After a fault on the way (the channel, or the process
    `watcher`, which decides) was healed, it may take `after_outage_seconds`. The stack counts time in steps
    of `resolution_seconds`. `name` is how messages call the alert.

    Attributes:
        channels: every way by which the alert is told.
    """

    name: str
    threshold: int
    window_seconds: float
    cooldown_seconds: float
    channels: tuple[AlertChannel, ...]
    watcher: str = ""
    deadline_seconds: float = 5.0
    after_outage_seconds: float = 5.0
    resolution_seconds: float = 1.0

    def on_the_way(self, channel: AlertChannel) -> frozenset[str]:
        """Return the targets whose faults keep a message from coming by a channel."""
        return frozenset(filter(None, (self.watcher, channel.link, channel.service)))


CAUSES = ("store_down", "store_slow", "store_refuses", "network", "disk", "keys", "load", "application")
"""Where the cause of trouble lies, as findings name it and as faults are labelled."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a stack promises to find by itself: that it is in trouble, and where the cause lies.

    `files` is a pattern of JSON lines, one when a finding is made and others as it changes; in each, the
    path `id` holds what is the same for one finding, `cause` where its cause lies and `found` when it was
    found; the paths `says` hold what explains it to a person, and judge nothing. `causes` says which of
    `CAUSES` each of the stack's own words stands for. A fault that lasts `fault_seconds_min` or longer is
    found within `deadline_seconds` of its injection; what is found up to `after_seconds` after its healing
    is about it too. `watcher` is the process that finds.
    """

    files: str
    id: str = "finding_id"
    cause: str = "cause"
    found: str = "found"
    says: tuple[str, ...] = ()
    causes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deadline_seconds: float = 10.0
    fault_seconds_min: float = 5.0
    after_seconds: float = 15.0
    watcher: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a stack promises of questions about what it stored, which a process of its own keeps asking.

    `files` is a pattern of JSON lines, one an answer; in each, the paths `asked` and `answered` hold when,
    `since` and `until` the time of the records asked about, `records` how many there are,
    `stale_age_seconds` how old an answer is that is not of now, and `namespace` (empty = there are none)
    whose records they are: those of the run are all in `own_namespace`. A record counts once others could
    search for it for `visible_seconds`. There is an answer at least every `every_seconds`, whatever is down;
    a fault on the process `asker` puts that off.
    """

    files: str
    asked: str = "asked"
    answered: str = "answered"
    since: str = "since"
    until: str = "until"
    records: str = "records"
    stale_age_seconds: str = "stale_age_seconds"
    namespace: str = ""
    own_namespace: str = ""
    visible_seconds: float = 1.0
    every_seconds: float = 5.0
    asker: str = ""


@dataclass(frozen=True, slots=True)
class Actions:
    """What a stack promises to do about what it finds, by messages to a service over `link`.

    Each place is one of `AlertChannel`: `key` holds what names an action, `about` what it is about. About a
    fault of one of `causes` that lasts `fault_seconds_min` something is done within `deadline_seconds` of its
    injection, and once; a fault on the way, or on a process of `engines`, puts that off. About one of
    `causes_after_healing` it is done as long after its healing at the latest: while it lasts, what acts lacks
    what it needs.
    """

    link: str
    service: str
    key: str
    about: str
    causes: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    deadline_seconds: float = 15.0
    fault_seconds_min: float = 5.0
    causes_after_healing: tuple[str, ...] = ()

    @property
    def on_the_way(self) -> frozenset[str]:
        """Return the targets whose faults keep an action from being taken."""
        return frozenset((*self.engines, self.link, self.service))

    def acts_on(self, causes: frozenset[str]) -> bool:
        """Return whether something is promised about a fault that has one of these causes."""
        return not causes.isdisjoint((*self.causes, *self.causes_after_healing))

    def waits(self, causes: frozenset[str]) -> bool:
        """Return whether something is promised about a fault of these causes, and only once it is healed."""
        return causes.isdisjoint(self.causes) and not causes.isdisjoint(self.causes_after_healing)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Whose records a stack keeps apart, and what each of these tenants can read.

    `tenants` says of how many parts of all records each one is; parts that differ make an answer about the
    wrong tenant show. `reads` is an archive with all that a tenant's own reader finds, and `shows` a pattern
    of files that such a reader writes (empty = none does); in both `{tenant}` stands for a tenant's name.
    """

    tenants: Mapping[str, int]
    reads: Part
    shows: str = ""

    def tenant(self, sequence: int) -> str:
        """Return whose record that is.

        Args:
            sequence: the record's number within the scenario, from 0.
        """
        return tenant_of(self.tenants, sequence)


_MIXING, _MIXED_BITS = 2_654_435_761, 32
"""Knuth's multiplicative hash (The Art of Computer Programming, 6.4): neighbours land far apart."""


def tenant_of(tenants: Mapping[str, int], sequence: int) -> str:
    """Return whose record that is, as everyone can compute it: no pattern that a batch or a thread has.

    Args:
        tenants: of how many parts of all records each one is; none where records have no tenants.
        sequence: the record's number.

    Raises:
        ValueError: the parts are not all above 0.
    """
    if not tenants:
        return ""
    mixed = sequence * _MIXING % (1 << _MIXED_BITS)
    place = mixed * sum(tenants.values()) >> _MIXED_BITS
    for tenant, parts in tenants.items():
        if place < parts:
            return tenant
        place -= parts
    raise ValueError(f"parts of tenants are above 0, not {dict(tenants)}")


FILL_IN = "# FILL IN: "
"""How a comment of a drafted stack file begins that says what its user has still to write there."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The system under test, as its stack file declares it.

    Attributes:
        name: the file's, without its suffix.
        needs: the services that it uses, e.g. `elasticsearch`.
        links: its connections to them that go through the fault proxy: name → service.
        processes: what is started for it, in this order.
        intake: how records enter.
        acknowledged_by: what acknowledges a record: `return`, `callback` or `http_2xx`.
        archive: where records are read back.
        promises: what it is judged by.
        source: the file, as a command line names it.
        dead_letters: where it puts what its store refuses for good; None where it keeps nothing of it.
        counters: its own counters; None where it has none that are read.
        decode: the command that makes stored documents readable; empty where they are.
        services: URLs of services that are there already, for the backend `attached`.
        may_hurt: hosts, or hosts with ports, beyond this machine that may be sent anything.
        delete_run_index: whether the run's own index is deleted at its end.
        one_at_a_time: whether two instances would conflict, so that its scenarios never run in parallel.
        fields: what else of a document is compared with what was sent.
        keys: its encryption keys; None where it declares none.
        masks: what it may mask of the lines of `--input`.
        namespaces: whose records it keeps apart; None where it promises nothing of the kind.
        alerts: the alert that it promises; None where it promises none.
        findings: what it promises to find; None where it promises nothing.
        answers: what it promises of its answers; None where it promises nothing.
        actions: what it promises to do; None where it promises nothing.
    """

    name: str
    needs: tuple[str, ...]
    links: Mapping[str, str]
    processes: tuple[StackProcess, ...]
    intake: Part
    acknowledged_by: str
    archive: Part
    promises: Promises
    source: str = ""
    dead_letters: DeadLetterOutlet | None = None
    counters: CounterSource | None = None
    decode: tuple[str, ...] = ()
    services: Mapping[str, str] = field(default_factory=dict)
    may_hurt: tuple[str, ...] = ()
    delete_run_index: bool = False
    one_at_a_time: bool = False
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the stack keeps on disk, by the name of a target: patterns, all below `{run.folder}`."""
    transforms: tuple[str, ...] = ()
    """What it may lawfully do to a line: words of `transforms.py`."""
    fields: Fields = field(default_factory=Fields)
    keys: Keys | None = None
    masks: Masks = field(default_factory=Masks)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the application and of all that the stack starts, with placeholders."""
    alerts: Alerts | None = None
    findings: Findings | None = None
    answers: Answers | None = None
    actions: Actions | None = None
    namespaces: Namespaces | None = None
    spans: str = ""
    """Where the stack's own spans are: a pattern of files of OTLP's JSON, with placeholders."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the services that are nodes of one Elasticsearch cluster."""
        return tuple(name for name in self.needs if service_kind(name) == ELASTICSEARCH)

    @property
    def is_clustered(self) -> bool:
        """Return whether other nodes go on where one of its store's is down."""
        return len(self.nodes) > 1

    @property
    def aliases(self) -> Mapping[str, str]:
        """Return the services that scenarios know by another word too: that word → the service."""
        link = "" if self.keys is None else self.keys.provider_link
        return {KEY_SERVER: self.links[link]} if link else {}
