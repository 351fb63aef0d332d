"""The engine: takes findings, proposes or runs workflows, and learns which of them help.

```
findings ─▶ which workflow ─▶ proposal ─person─▶ run ─▶ steps ─▶ over ─▶ what it took is learned
               learned           rule ─────────▶  │ intention, effect, result
                                                  └─ state file and audit, durable at each arrow
```

One engine works on a spool folder: it holds the folder's lock. Among the engines of several folders one
leads, by a lease in the store, and does the shared steps.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from logging_system.coordination.answering import AnswersTaken
from logging_system.coordination.answers import Answers, Say
from logging_system.coordination.deciding import Decisions
from logging_system.coordination.dry_runs import DryRun, dry_run_of
from logging_system.coordination.effects import Performer
from logging_system.coordination.findings import Finding
from logging_system.coordination.lease import LEASE_SECONDS, SharedDocuments
from logging_system.coordination.ledger import OPEN_MAX, Ledger
from logging_system.coordination.outcomes.memory import Outcomes
from logging_system.coordination.progress import Progress, Surroundings
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.loading import load_workflows
from logging_system.coordination.workflows.run import Run
from logging_system.coordination.workflows.state_file import (
    EngineLock,
    StateDamagedError,
    coordination_folder,
)
from logging_system.coordination.workflows.steps.declared import Effects
from logging_system.keys.audit_log import AuditError, AuditEvent
from logging_system.spool.disk import REAL_DISK, Disk

LOG = logging.getLogger("logging_system.coordination")
LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 10.0
_CLOSE_SECONDS = 2.0


class NotCoordinatingError(RuntimeError):
    """The engine has not got the folder's lock: it may look at what there is, and do nothing."""


class AICoordinationEngine:
    """Runs declared workflows for findings: after a person's approval, or by itself where a rule allows it.

    Call `tell` with each finding, as it begins, changes and ends, and `look` about once a second; or `start`,
    which looks on a thread of its own. All methods may be called by any thread.

    Args:
        spool: The spool folder.
        workflows: What is declared, or the file of it.
        store: The documents that engines share; None where there is no store: then shared steps wait.
        effects: What steps need of the rest of the system.
        rng: Where choices come from; by default one of its own.
        wall_clock: Seconds since 1970.
        monotonic: Seconds of a clock that is never set.
        disk: The system calls.
        lease_seconds: How long the lead is held without a renewal.
        is_sealed: Whether the spool is sealed: then no file of the engine holds lines of records.

    Raises:
        WorkflowsFileError: The file cannot be used.
        StateDamagedError: What was under way is not known.
        OSError: The folder cannot be used.
    """

    _ledger_class, _performer_class, _progress_class = Ledger, Performer, Progress

    def __init__(
        self,
        spool: str | Path,
        workflows: Workflows | str | Path,
        *,
        store: SharedDocuments | None = None,
        effects: Effects | None = None,
        rng: random.Random | None = None,
        wall_clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        disk: Disk = REAL_DISK,
        lease_seconds: float = LEASE_SECONDS,
        is_sealed: bool = False,
    ) -> None:
        self.spool = Path(spool)
        self.folder = coordination_folder(self.spool)
        self.workflows = workflows if isinstance(workflows, Workflows) else load_workflows(Path(workflows))
        self._wall_clock, self._disk = wall_clock, disk
        self._ledger = self._ledger_class(
            self.folder,
            rng=rng or random.Random(),  # noqa: S311 - choices, no secret
            wall_clock=wall_clock,
            disk=disk,
        )
        self._answers = Answers(self.folder, disk)
        self._mutex = threading.RLock()
        self._inbox: dict[str, Finding] = {}
        self._inbox_lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: EngineLock | None = None
        self._has_lock = False
        self._store, self._monotonic, self._lease_seconds = store, monotonic, lease_seconds
        self._performer: Performer | None = None
        self._decisions = Decisions(self._ledger, self.workflows, wall_clock, is_sealed=is_sealed)
        self._progress = self._progress_class(
            self._ledger,
            self.workflows.limits,
            Surroundings(self.spool, self.folder, effects or Effects(), disk, wall_clock),
            self._performer_here,
        )
        self._taking = AnswersTaken(self._ledger, self._answers, self._decisions, wall_clock)

    # What is coordinated

    def tell(self, finding: Finding) -> None:
        """Take in a finding: that it began, what it is now, or with `until_seconds` that it is over.

        After `start` it never waits: the engine's own thread takes the finding in, within about a second.

        Raises:
            NotCoordinatingError: Another engine works on the folder; not after `start`.
            OSError: The disk refused, and the finding is to be told again; not after `start`.
        """
        if self._thread is not None:
            with self._inbox_lock:
                self._inbox[finding.finding_id] = finding
                while len(self._inbox) > OPEN_MAX:
                    del self._inbox[next(iter(self._inbox))]
            return
        with self._mutex:
            self._need_lock()
            self._decisions.take_in(finding)

    def _empty_inbox(self) -> None:
        """Take in what was told to a thread that was busy; what the disk refuses stays for the next look."""
        with self._inbox_lock:
            waiting = list(self._inbox.values())
        for finding in waiting:
            self._decisions.take_in(finding)
            with self._inbox_lock:
                if self._inbox.get(finding.finding_id) == finding:
                    del self._inbox[finding.finding_id]

    def look(self) -> None:
        """Go on with everything once: take answers, do what is due, save.

        Where another engine has the folder's lock, it stands by.

        Raises:
            OSError: The disk refused; what was not durable is not done.
            AuditError: The audit was changed by somebody else; nothing is done any more.
        """
        with self._mutex:
            if not self._try_lock():
                return
            self._empty_inbox()
            self._performer_here().look(self._wall_clock())
            self._taking.take()
            for run_id in list(self._ledger.runs):
                self._progress.go_on(run_id)
            now_seconds = self._wall_clock()
            self._decisions.end_forgotten(now_seconds)
            for run_id in self._ledger.forget_ended(now_seconds):
                self._progress.waits.pop(run_id, None)
            self._progress.save()

    def start(self) -> bool:
        """Look once a second on a thread of its own; return whether this engine coordinates now."""
        with self._mutex:
            coordinates = self._try_lock()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._look_on, name="logging_system.coordination", daemon=True
                )
                self._thread.start()
        return coordinates

    def close(self) -> None:
        """End the thread, give up lead and lock; what is under way goes on after a restart."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_SECONDS)
        if not self._mutex.acquire(timeout=_CLOSE_SECONDS):
            return  # a step takes its time: what became of it is found out after a restart
        try:
            if self._performer is not None:
                self._performer.close()
            if self._lock is not None:
                self._lock.close()
            self._lock, self._has_lock = None, False
        finally:
            self._mutex.release()

    @property
    def coordinates(self) -> bool:
        """Whether this engine has the folder's lock."""
        return self._has_lock

    @property
    def leads(self) -> bool:
        """Whether this engine may do shared steps."""
        return self._performer is not None and self._performer.leads()

    # What people do

    def approve(self, run_id: str, author: str = "") -> None:
        """Let a proposal run. Raises as `say`.

        Args:
            run_id: The run, as `runs` has it.
            author: Who says so, for the audit.
        """
        self.say(Say.APPROVE, run_id, author)

    def reject(self, run_id: str, author: str = "") -> None:
        """Refuse a proposal, or undo what a run did. Raises as `say`.

        Args:
            run_id: The run, as `runs` has it.
            author: Who says so, for the audit.
        """
        self.say(Say.REJECT, run_id, author)

    def say(self, say: Say, run_id: str, author: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Say something about a run; it is durable on return, and taken in by the next look.

        Args:
            say: What is said.
            run_id: The run that it is about; empty where it is about none.
            author: Who says so, for the audit.
            details: What else the word takes, as JSON.

        Raises:
            KeyError: There is no such run.
            OSError: The disk refused.
            FileHeldError: Another process holds the file.
        """
        if run_id and run_id not in self._ledger.runs:
            raise KeyError(run_id)
        self._answers.add(say, run_id, author=author, now_seconds=self._wall_clock(), details=details)

    def kept(self, finding: Finding) -> Finding:
        """Return a finding as it may be kept: without example lines where the spool is sealed."""
        return self._decisions.kept(finding)

    # What can be seen

    def answers_wait(self) -> bool:
        """Whether an answer waits that no engine has taken in; raises OSError where that cannot be read."""
        return bool(self._answers.waiting())

    def read_again(self) -> None:
        """See what the engine that coordinates has saved; one that does itself knows.

        Raises:
            StateDamagedError: The state cannot be used.
            OSError: It cannot be read.
        """
        with self._mutex:
            if not self._has_lock:
                self._ledger.restore()

    def runs(self) -> list[Run]:
        """Return all runs that are known, in the order proposed."""
        with self._mutex:
            return list(self._ledger.runs.values())

    def waits_for(self, run_id: str) -> str:
        """Return what a run waits for, in a sentence; empty where it waits for nothing.

        Args:
            run_id: The run, as `runs` has it.
        """
        return self._progress.waits.get(run_id, "")

    def findings(self) -> list[Finding]:
        """Return the findings that are not over."""
        with self._mutex:
            return list(self._ledger.open.values())

    @property
    def outcomes(self) -> Outcomes:
        """What was learned."""
        return self._ledger.outcomes

    def history(self) -> Iterator[AuditEvent]:
        """Yield the audit, each line checked; raises AuditError and OSError."""
        return self._ledger.audit.events()

    def verify_history(self) -> AuditEvent | None:
        """Read the whole audit, and return its last event; raises AuditError and OSError."""
        return self._ledger.audit.verify(self._ledger.position)

    def dry_run(self, finding: Finding) -> list[DryRun]:
        """Return what each workflow would do for a finding; nothing is done, saved or learned."""
        now_seconds = self._wall_clock()
        with self._mutex:
            runs = list(self._ledger.runs.values())
        return [
            dry_run_of(each, finding, self.workflows, runs, now_seconds) for each in self.workflows.workflows
        ]

    # Who coordinates

    def _try_lock(self) -> bool:
        if self._has_lock:
            return True
        if self._lock is None:
            self._lock = EngineLock(self.folder, self._disk)
        if not self._lock.try_take():
            return False
        self._has_lock = True
        self._ledger.restore()  # another engine may have worked until now
        self._ledger.take_name()
        self._performer = None
        self._progress.save()
        return True

    def _need_lock(self) -> None:
        if not self._try_lock():
            raise NotCoordinatingError(f"{self.folder}: another engine coordinates")

    def _performer_here(self) -> Performer:
        if self._performer is None:
            self._performer = self._performer_class(
                self._store, self._ledger.owner, monotonic=self._monotonic, lease_seconds=self._lease_seconds
            )
            self._performer.restore(self._ledger.unsettled)
        return self._performer

    def _look_on(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except OSError as error:
                LOG.warning("%s: %s; it is tried again", self.folder, error.strerror or error)
                self._stopping.wait(_AGAIN_SECONDS)
            except (AuditError, StateDamagedError) as error:
                LOG.critical("%s; no workflow runs until it is looked into", error)
                return
