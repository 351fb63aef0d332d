"""Where each kind of fact goes in a timeline: one function a kind, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness.model.facts import (
    Acknowledged,
    ActionsRead,
    ActionTaken,
    AlertReceived,
    AlertsRead,
    Answered,
    AnswerGiven,
    AnswersRead,
    ArchiveRead,
    Broke,
    ControlCall,
    CounterRead,
    DeadLettered,
    DeadLettersRead,
    Destroyed,
    FaultChanged,
    FaultSeen,
    FindingSeen,
    FindingsRead,
    FirstSeen,
    Found,
    FreshLooked,
    FreshSent,
    InSpan,
    Linked,
    Misnamed,
    NoncesListed,
    PhaseChanged,
    Planted,
    Poisoned,
    ProcessExited,
    ProducersHosted,
    ReadByTenant,
    Refused,
    RequestsCounted,
    Sample,
    SecretSeen,
    SecretsSought,
    SeenElsewhere,
    Sent,
    SpansRead,
    StepSkipped,
    TenantsRead,
    Unreadable,
    WholeElsewhere,
    Withheld,
)

if TYPE_CHECKING:
    from harness.judging.timeline import Timeline


def _mark(name: str) -> Callable[[Timeline, Any], None]:
    def mark(result: Timeline, event: Any) -> None:
        if (entry := result.entries.get(event.sequence)) is not None:
            setattr(entry, name, event.at_ns)

    return mark


def _sent(result: Timeline, event: Sent) -> None:
    if (entry := result.entries.get(event.sequence)) is not None:
        entry.sent_ns, entry.sent_unix_ns = event.at_ns, event.unix_ns


def _first_seen(result: Timeline, event: FirstSeen) -> None:
    for sequence in range(event.first, event.last + 1):
        if (entry := result.entries.get(sequence)) is not None:
            entry.first_seen_ns = event.at_ns


def _found(result: Timeline, event: Found) -> None:
    if event.sequence is None or event.sequence not in result.entries:
        result.strays.append(event)
    else:
        result.copies.setdefault(event.sequence, []).append(event)


def _seen_elsewhere(result: Timeline, event: SeenElsewhere) -> None:
    result.elsewhere.setdefault(event.place, []).append(event.sequence)


def _dead_lettered(result: Timeline, event: DeadLettered) -> None:
    if event.sequence is None or event.sequence not in result.entries:
        result.stray_letters.append(event)
    else:
        result.letters.setdefault(event.sequence, []).append(event)


def _letters_read(result: Timeline, _event: DeadLettersRead) -> None:
    result.letters_read_whole = True


def _fresh_sent(result: Timeline, event: FreshSent) -> None:
    result.note_fresh(event)


def _fresh_looked(result: Timeline, event: FreshLooked) -> None:
    for wave in result.fresh:
        if wave.sent.first == event.first:
            wave.looks.append(event)


def _poisoned(result: Timeline, event: Poisoned) -> None:
    if event.sequence is None:
        result.poison_unknown = True
    else:
        result.poison.setdefault(event.sequence, event.at_ns)


def _destroyed(result: Timeline, event: Destroyed) -> None:
    result.destroyed.setdefault(event.step, []).append(event.place)


def _counter(result: Timeline, event: CounterRead) -> None:
    result.readings.setdefault(event.name, []).append(event)


def _seen(result: Timeline, event: FaultSeen) -> None:
    result.seen.setdefault(event.step, []).append(event)


def _sample(result: Timeline, event: Sample) -> None:
    result.samples.setdefault(event.name, []).append(event)


def _control_call(result: Timeline, event: ControlCall) -> None:
    result.control_calls.append(event)


def _skipped(result: Timeline, event: StepSkipped) -> None:
    result.skipped.append(event)


def _broke(result: Timeline, event: Broke) -> None:
    result.broke.append(event)


def _misnamed(result: Timeline, event: Misnamed) -> None:
    result.misnamed.append(event)


def _counted(result: Timeline, event: RequestsCounted) -> None:
    result.counted.append(event)


def _hosted(result: Timeline, event: ProducersHosted) -> None:
    result.hosted[event.process] = event


def _withheld(result: Timeline, event: Withheld) -> None:
    if event.sequence not in result.entries:
        result.withheld_ns[event.sequence] = event.at_ns


def _exited(result: Timeline, event: ProcessExited) -> None:
    result.exits.append(event)


def _unreadable(result: Timeline, event: Unreadable) -> None:
    result.unreadable.append(event)


def _phase(result: Timeline, event: PhaseChanged) -> None:
    result.phases.setdefault(event.phase, event.at_ns)


def _fault(result: Timeline, event: FaultChanged) -> None:
    result.note_fault(event)


def _whole_elsewhere(result: Timeline, event: WholeElsewhere) -> None:
    result.whole_elsewhere.append(event)


def _read(result: Timeline, event: ArchiveRead) -> None:
    result.read_whole = True
    result.absent = event.absent


def _planted(result: Timeline, event: Planted) -> None:
    result.planted[event.sequence] = event


def _secret_seen(result: Timeline, event: SecretSeen) -> None:
    result.secrets_seen.append(event)


def _secrets_sought(result: Timeline, event: SecretsSought) -> None:
    result.secrets_sought = event


def _nonces_listed(result: Timeline, event: NoncesListed) -> None:
    result.nonces_listed = event


def _alert_received(result: Timeline, event: AlertReceived) -> None:
    result.alerts.setdefault(event.channel, []).append(event)


def _alerts_read(result: Timeline, event: AlertsRead) -> None:
    result.alerts_read[event.channel] = event


def _finding_seen(result: Timeline, event: FindingSeen) -> None:
    result.findings.append(event)


def _findings_read(result: Timeline, event: FindingsRead) -> None:
    result.findings_read = event


def _answer_given(result: Timeline, event: AnswerGiven) -> None:
    result.answers.append(event)


def _answers_read(result: Timeline, event: AnswersRead) -> None:
    result.answers_read = event


def _action_taken(result: Timeline, event: ActionTaken) -> None:
    result.actions.append(event)


def _actions_read(result: Timeline, event: ActionsRead) -> None:
    result.actions_read = event


def _read_by_tenant(result: Timeline, event: ReadByTenant) -> None:
    result.read_by_tenant.setdefault(event.tenant, []).append(event)


def _tenants_read(result: Timeline, event: TenantsRead) -> None:
    result.tenants_read = event


def _in_span(result: Timeline, event: InSpan) -> None:
    result.in_span[event.sequence] = event


def _linked(result: Timeline, event: Linked) -> None:
    result.linked.update(range(event.first, event.last + 1))


def _spans_read(result: Timeline, event: SpansRead) -> None:
    result.spans_read = event


ARRANGE: Mapping[type, Callable[[Timeline, Any], None]] = {
    Sent: _sent,
    Answered: _mark("answered_ns"),
    Refused: _mark("refused_ns"),
    Acknowledged: _mark("acknowledged_ns"),
    FirstSeen: _first_seen,
    FreshSent: _fresh_sent,
    FreshLooked: _fresh_looked,
    Found: _found,
    SeenElsewhere: _seen_elsewhere,
    WholeElsewhere: _whole_elsewhere,
    DeadLettered: _dead_lettered,
    DeadLettersRead: _letters_read,
    Poisoned: _poisoned,
    Destroyed: _destroyed,
    CounterRead: _counter,
    FaultSeen: _seen,
    Sample: _sample,
    ControlCall: _control_call,
    StepSkipped: _skipped,
    Broke: _broke,
    Misnamed: _misnamed,
    RequestsCounted: _counted,
    ProducersHosted: _hosted,
    Withheld: _withheld,
    ProcessExited: _exited,
    Unreadable: _unreadable,
    PhaseChanged: _phase,
    FaultChanged: _fault,
    ArchiveRead: _read,
    Planted: _planted,
    SecretSeen: _secret_seen,
    SecretsSought: _secrets_sought,
    NoncesListed: _nonces_listed,
    AlertReceived: _alert_received,
    AlertsRead: _alerts_read,
    FindingSeen: _finding_seen,
    FindingsRead: _findings_read,
    AnswerGiven: _answer_given,
    AnswersRead: _answers_read,
    ActionTaken: _action_taken,
    ActionsRead: _actions_read,
    ReadByTenant: _read_by_tenant,
    TenantsRead: _tenants_read,
    InSpan: _in_span,
    Linked: _linked,
    SpansRead: _spans_read,
}
