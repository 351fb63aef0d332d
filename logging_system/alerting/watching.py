"""Watches a spool folder: reads each record once, tells the rules, and sends what they find.

```
look ─ read blocks ─ rules ─ grouping ─ outbox ─ save state ─ send ─ outcomes ─ save state
```

Everything that was decided is durable before it is sent, unless the disk refuses. What was read since the
last save is read again after a crash. A look that finds nothing costs one listing of the folder.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.delivering import Delivering
from logging_system.alerting.evaluation import OVERFLOW_RULE, Evaluation
from logging_system.alerting.examples import Examples, Masked
from logging_system.alerting.facts import Began, Change
from logging_system.alerting.finding_detection import DetectsFindings
from logging_system.alerting.forward_clock import ForwardClock, ForwardState, boot_clock, boot_id
from logging_system.alerting.grouping import AlertLabels, Grouping, Moment
from logging_system.alerting.logbook import Logbook
from logging_system.alerting.matching import event_seconds
from logging_system.alerting.measuring import EVERY_SECONDS, Measuring
from logging_system.alerting.muting import Muting
from logging_system.alerting.operator_file import OperatorFile
from logging_system.alerting.outbox import Outbox
from logging_system.alerting.pipeline_events import PipelineEvents
from logging_system.alerting.reading_lag import ReadingLag
from logging_system.alerting.routing import Routing
from logging_system.alerting.rules.declared import Clock
from logging_system.alerting.rules.delivery_slo import DeliverySlo
from logging_system.alerting.spool_following import SpoolFollower
from logging_system.alerting.state_file import read_state, save_state
from logging_system.alerting.watch_status import status_content
from logging_system.monitoring.counters import write_status
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.status_files import WATCH_NAME
from logging_system.spool.codec import Codecs, UnavailableError

if TYPE_CHECKING:
    from logging_system.encryption.lines import SealedLines

_READ_BYTES = 512 * 1024
"""What one look reads at most: in it each record may begin an alert."""
_SAVE_SECONDS = 1.0
_SAVE_SHARE = 20
"""A save is followed by this many times its own length without one, unless something must be sent."""
_SETTLE_SECONDS = 10.0
_STATUS_SECONDS = 1.0
_EVENTS_SECONDS = 2.0
_FINDINGS_SECONDS = 1.0
_DUE_SECONDS = 1.0
"""How often is looked for what time alone makes due; what has just begun is looked at sooner."""
_DUE_SHARE = 4
"""With very many alerts, looking is followed by this many times its own length without."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks that watching reads.

    Attributes:
        wall: Seconds since 1970.
        boot: Seconds since the system was booted.
        this_boot: Which boot this is.
    """

    wall: Callable[[], float] = time.time
    boot: Callable[[], float] = boot_clock
    this_boot: Callable[[], str] = boot_id


class Watch:
    """Alerting on one spool folder, by the one process that holds its lock.

    Args:
        spool: The spool folder.
        folder: The folder of alerting in it.
        alerts: What is declared.
        codecs: The stored forms of the spool's blocks.
        lines: What seals the state; None leaves it plain.
        masked: Takes the secrets out of a text; None where masking is not installed.
        wake: Called by threads that have sent something.
        remark: Told what a person should know.
        clocks: What time it is.
        findings: Detects what changed; None detects nothing.
        events: Told when reading falls behind; None tells nobody, and counts.

    Raises:
        StateDamagedError: The state is damaged; it was kept aside, and the next start begins anew.
        StateVersionError: A newer version wrote the state.
        UnavailableError: The state is sealed, and its key is not here now.
        OSError: The folder cannot be read.
        ValueError: A channel cannot be used.
    """

    def __init__(
        self,
        spool: Path,
        folder: Path,
        alerts: Alerts,
        *,
        codecs: Codecs,
        lines: SealedLines | None = None,
        masked: Masked | None,
        wake: Callable[[], None],
        remark: Callable[[str], None],
        clocks: Clocks | None = None,
        findings: DetectsFindings | None = None,
        events: EventStream | None = None,
    ) -> None:
        self._spool, self._folder, self._alerts = spool, folder, alerts
        self._remark = remark
        self._clocks = clocks or Clocks()
        self._findings = findings
        self._events = events or EventStream()
        self._sample_one_in = alerts.findings.sample_one_in
        self.lag = ReadingLag(alerts.findings.sample_behind_seconds, self._sample_one_in)
        """How far reading is behind."""
        self._routing = Routing(alerts.channels)
        self._operator = OperatorFile(folder)
        self._logbook = Logbook(folder, self._clocks.wall, remark)
        self._examples = Examples(masked)
        self._evaluation = Evaluation(
            alerts.rules_in_force,
            lateness_seconds=alerts.lateness_seconds,
            series_max=alerts.series_max,
            shown=_label_masking(masked),
        )
        self._outbox = Outbox(self._routing.senders)
        self._inhibitions = tuple(each.inhibition() for each in alerts.inhibit)
        self._lines = lines
        state = read_state(folder, lines)
        self._grouping = Grouping(alerts.times(), alerts.group_by, _known(alerts), identity=str(spool))
        self._follower = SpoolFollower(spool, codecs, None if state is None else state["follower"])
        self._read_seconds: float = 0.0 if state is None else state["read_seconds"]
        """Up to when all records were read at the last look, in event time."""
        self._pipeline = PipelineEvents(spool, None if state is None else state["pipeline"])
        slos = [rule for rule in alerts.rules_in_force if isinstance(rule, DeliverySlo)]
        self._measuring = Measuring(spool, {rule.within_seconds for rule in slos}, wall=self._clocks.wall)
        self.forward = self._restored_clock(state)
        """The clock of grouping and outbox."""
        self._restore(state)
        self._delivering = Delivering(self._routing.senders, spool, wake)
        self._is_changed = self._must_save = False
        self._save_trouble = ""
        self._events_due_seconds = self._measure_due_seconds = self._findings_due_seconds = 0.0
        self._due_seconds = (0.0, 0.0)
        """When is looked for what is due: where something began or ended, and where not."""
        self._is_due = False
        self._save_due_seconds = self._settle_due_seconds = self._status_due_seconds = 0.0

    @property
    def outbox(self) -> Outbox:
        """The messages on their way."""
        return self._outbox

    @property
    def follower(self) -> SpoolFollower:
        """What was read."""
        return self._follower

    @property
    def evaluation(self) -> Evaluation:
        """The rules at work."""
        return self._evaluation

    def look(self) -> bool:
        """Read, decide, save and send once.

        Returns:
            Whether there was more to read than one look takes.

        Raises:
            OSError: The folder cannot be listed.
        """
        boot_seconds = self._clocks.boot()
        size_bytes = self._read()
        self._note_lag()
        self._settle(boot_seconds)
        if boot_seconds >= self._events_due_seconds:
            self._events_due_seconds = boot_seconds + _EVENTS_SECONDS
            self._read_events()
        if boot_seconds >= self._measure_due_seconds:
            self._measure_due_seconds = boot_seconds + EVERY_SECONDS
            with contextlib.suppress(FileNotFoundError):  # the spool folder was removed
                self._measure()
        self._detect(boot_seconds)
        clock = self._clock()
        self._read_seconds = clock.read_seconds
        changes = self._evaluation.changes(clock)
        for change in changes:
            self._note(change)
        self._is_changed = self._is_changed or bool(size_bytes or changes)
        self._must_save = self._take_outcomes() or self._must_save
        self._is_due = self._is_due or bool(changes)
        if boot_seconds >= self._due_seconds[0 if self._is_due else 1]:
            self._must_save = self._put_due() or self._must_save
            took_seconds = self._clocks.boot() - boot_seconds
            pause_seconds = _DUE_SHARE * took_seconds
            self._due_seconds = (
                boot_seconds + pause_seconds,
                boot_seconds + max(pause_seconds, _DUE_SECONDS),
            )
            self._is_due = False
        if self._must_save or (self._is_changed and boot_seconds >= self._save_due_seconds):
            self._try_to_save()
        self._write_findings()
        for message in self._outbox.to_send(self.forward()):
            self._delivering.send(message)
        if boot_seconds >= self._status_due_seconds:
            self._status_due_seconds = boot_seconds + _STATUS_SECONDS
            self._write_status()
        return size_bytes >= _READ_BYTES

    def save(self) -> None:
        """Make durable all that was decided.

        Raises:
            OSError: The disk refused; what was saved before is still there.
            UnavailableError: There is no key to seal it with; the same.
        """
        began_seconds = self._clocks.boot()
        content = {
            "clock": asdict(self.forward.state()),
            "follower": self._follower.content(),
            "pipeline": self._pipeline.content(),
            "deliveries": self._measuring.deliveries.content(),
            "read_seconds": self._read_seconds,
            "evaluation": self._evaluation.content(),
            "grouping": self._grouping.content(),
            "outbox": self._outbox.content(),
            "findings": None if self._findings is None else self._findings.content(),
        }
        save_state(self._folder, content, self._lines)
        self._is_changed = self._must_save = False
        now_seconds = self._clocks.boot()
        pause_seconds = max(_SAVE_SECONDS, _SAVE_SHARE * (now_seconds - began_seconds))
        self._save_due_seconds = now_seconds + pause_seconds

    def _try_to_save(self) -> None:
        """Save; where the disk refuses, alerts are told all the same: a full disk must not silence them."""
        try:
            self.save()
            self._save_trouble = ""
        except (OSError, UnavailableError) as error:
            self._save_due_seconds = self._clocks.boot() + _SAVE_SECONDS
            trouble = f"{self._folder}: {getattr(error, 'strerror', None) or error}"
            if trouble != self._save_trouble:
                self._remark(f"{trouble}; alerts are sent, and may come twice should this process end")
            self._save_trouble = trouble

    def close(self) -> None:
        """Wait for messages on their way, take note of them, and save."""
        self._delivering.finish()
        self._take_outcomes()
        self._try_to_save()
        self._write_findings()
        self._write_status()
        self._follower.close()

    def status(self) -> dict[str, Any]:
        """Return what happened so far, as the status file shows it."""
        findings = None if self._findings is None else self._findings.status()
        return status_content(
            self._clocks.wall(),
            self._evaluation,
            self._follower,
            self._grouping,
            self._outbox,
            findings,
            lag=self.lag,
            events=self._events.counts(),
        )

    def _note_lag(self) -> None:
        event = self.lag.look(self.forward(), self._follower.waited_seconds(self._clocks.wall()))
        if event is None:
            return
        self._events.emit(event)
        if self._findings is not None:
            self._findings.sample(self._sample_one_in if self.lag.is_behind else 1)

    def _write_status(self) -> None:
        with contextlib.suppress(OSError):  # whoever looks at it sees its time
            write_status(self._spool / WATCH_NAME, self.status())

    def _read(self) -> int:
        # Late is what was logged before the last look: everything since then could not be read sooner.
        now_seconds = self._clocks.wall()
        clock = Clock(now_seconds, min(now_seconds, self._read_seconds))
        size_bytes = 0
        for block in self._follower.read(_READ_BYTES):
            document: dict[str, Any] = {}
            for line in block.documents:
                size_bytes += len(line)
                document = _document(line)
                for hit in self._evaluation.tell(document, clock):
                    self._examples.note(hit.rule, hit.labels, document)
                if self._findings is not None:
                    self._findings.tell(document, min(now_seconds, event_seconds(document) or now_seconds))
            logged_seconds = event_seconds(document) or clock.now_seconds
            self._follower.note_read(block, logged_seconds)
            self._measuring.deliveries.note(
                block.epoch.hex(),
                block.first_sequence + len(block.documents) - 1,
                len(block.documents),
                age_seconds=now_seconds - logged_seconds,
                now_seconds=self.forward(),
            )
        return size_bytes

    def _measure(self) -> None:
        clock = self._clock()
        for document in self._measuring.look(self.forward()):
            self._is_changed = True
            self._evaluation.tell_event(document, clock)

    def _read_events(self) -> None:
        clock = self._clock()
        for document in self._pipeline.new(clock.now_seconds):
            self._is_changed = True
            for hit in self._evaluation.tell_event(document, clock):
                self._examples.note(hit.rule, hit.labels, document)

    def _detect(self, boot_seconds: float) -> None:
        if self._findings is None or boot_seconds < self._findings_due_seconds:
            return
        self._findings_due_seconds = boot_seconds + _FINDINGS_SECONDS
        clock = self._clock()
        with contextlib.suppress(FileNotFoundError):  # the spool folder was removed
            for document in self._findings.look(clock):
                self._evaluation.tell_event(document, clock)
        self._must_save = self._must_save or self._findings.has_news

    def _write_findings(self) -> None:
        # Whoever acts on a line may rely on it: the state behind it is saved, unless the disk refuses.
        if self._findings is not None and self._findings.write():
            self._is_changed = True

    def _clock(self) -> Clock:
        now_seconds = self._clocks.wall()
        # What was read once stays read, unless the time of day goes back.
        known_seconds = min(now_seconds, self._read_seconds)
        return Clock(now_seconds, max(known_seconds, self._follower.read_until(now_seconds)))

    def _moment(self) -> Moment:
        return Moment(self.forward(), self._clocks.wall())

    def _note(self, change: Change) -> None:
        is_new = isinstance(change, Began)
        examples = self._examples.of(change.rule, change.labels) if is_new else ()
        self._grouping.note(change, examples, self._moment())
        self._logbook.changed(change)

    def _put_due(self) -> bool:
        wishes = self._operator.read()
        muting = Muting(wishes.silences, self._inhibitions, wishes.acknowledged)
        notifications = self._grouping.due(self._moment(), muting)
        for notification in notifications:
            self._outbox.put(notification, self._routing.receivers_of(notification))
            self._logbook.told(notification)
        return bool(notifications)

    def _take_outcomes(self) -> bool:
        outcomes = self._delivering.outcomes()
        for message, outcome in outcomes:
            trouble_before = message.trouble
            settled = self._outbox.settled(message, outcome, self.forward())
            self._logbook.settled(message, settled, trouble_before)
        return bool(outcomes)

    def _settle(self, boot_seconds: float) -> None:
        if boot_seconds >= self._settle_due_seconds:
            self._settle_due_seconds = boot_seconds + _SETTLE_SECONDS
            try:
                self._follower.settle()
            except FileNotFoundError:
                return  # the spool folder was removed; a writer makes it again

    def _restored_clock(self, state: Mapping[str, Any] | None) -> ForwardClock:
        saved = None if state is None else ForwardState(**state["clock"])
        clocks = self._clocks
        return ForwardClock(saved, boot=clocks.boot, wall=clocks.wall, this_boot=clocks.this_boot())

    def _restore(self, state: Mapping[str, Any] | None) -> None:
        if state is None:
            return
        anew = self._evaluation.restore(state["evaluation"])
        self._grouping.restore(state["grouping"])
        self._measuring.deliveries.restore(state.get("deliveries", []))
        if self._findings is not None and state.get("findings") is not None:
            self._findings.restore(state["findings"])
        names = {rule.name for rule in self._alerts.rules_in_force} - set(anew)
        self._grouping.forget_rules({*names, OVERFLOW_RULE})
        for name in self._outbox.restore(state["outbox"]):
            self._remark(f"channel {name} is not declared any more; its messages are given up")


def _document(line: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _known(alerts: Alerts) -> dict[str, AlertLabels]:
    return {
        rule.name: AlertLabels(rule.severity, rule.runbook, rule.match.query())
        for rule in alerts.rules_in_force
    }


def _label_masking(masked: Masked | None) -> Masked:
    if masked is None:
        return str
    return lru_cache(maxsize=2_000)(masked)
