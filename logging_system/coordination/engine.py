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

import contextlib
import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from logging_system.coordination.answering import OPINIONS, after_answer
from logging_system.coordination.answers import Answer, Answers, Say
from logging_system.coordination.choosing import chosen
from logging_system.coordination.claims import step_key
from logging_system.coordination.dry_runs import DryRun, dry_run_of
from logging_system.coordination.effects import Performer
from logging_system.coordination.episodes import Episodes
from logging_system.coordination.finding_content import content_of, finding_of
from logging_system.coordination.findings import CauseClass, Finding
from logging_system.coordination.lease import LEASE_SECONDS, SharedDocuments
from logging_system.coordination.outcomes.memory import NOTHING, Outcomes
from logging_system.coordination.workflows.audit import Audit, AuditError, AuditEvent, Position
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.limits import why_no_room
from logging_system.coordination.workflows.loading import load_workflows
from logging_system.coordination.workflows.machine import (
    Effect,
    Moment,
    Move,
    Wait,
    intended,
    next_action,
    settled,
)
from logging_system.coordination.workflows.run import (
    ENDED,
    Run,
    RunState,
    proposed,
    run_of,
)
from logging_system.coordination.workflows.state_file import (
    EngineLock,
    StateDamagedError,
    coordination_folder,
    read_state,
    save_state,
)
from logging_system.coordination.workflows.steps.declared import Effects, Occasion
from logging_system.keys.durable_files import FileHeldError
from logging_system.spool.disk import REAL_DISK, Disk

LOG = logging.getLogger("logging_system.coordination")
LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_ACTIONS_MAX = 200
"""Of all runs in one look; what is left is done in the next one."""
_ENDED_KEPT_MAX = 200
_PROPOSALS_MAX = 200
_OPEN_MAX = 1_000
_OPEN_SECONDS_MAX = 7 * 86_400.0
"""A finding of which nobody spoke for so long is taken for over."""
_ANSWERS_KEPT_MAX = 1_000


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

    Raises:
        WorkflowsFileError: The file cannot be used.
        StateDamagedError: What was under way is not known.
        OSError: The folder cannot be used.
    """

    _performer_class = Performer

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
    ) -> None:
        self.spool = Path(spool)
        self.folder = coordination_folder(self.spool)
        self.workflows = workflows if isinstance(workflows, Workflows) else load_workflows(Path(workflows))
        self._effects = effects or Effects()
        self._wall_clock, self._disk = wall_clock, disk
        self._outcomes = Outcomes(rng or random.Random())  # noqa: S311 - choices, no secret
        self._answers = Answers(self.folder, disk)
        self._audit = Audit(self.folder, disk)
        self._mutex = threading.RLock()
        self._inbox: dict[str, Finding] = {}
        self._inbox_lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: EngineLock | None = None
        self._has_lock = False
        self._owner = ""
        self._runs: dict[str, Run] = {}
        self._open: dict[str, Finding] = {}
        self._told: dict[str, float] = {}
        self._episodes = Episodes()
        self._answered: list[str] = []
        self._position = Position()
        self._waits: dict[str, str] = {}
        self._is_changed = False
        self._store, self._monotonic, self._lease_seconds = store, monotonic, lease_seconds
        self._performer: Performer | None = None
        self._restore()

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
                while len(self._inbox) > _OPEN_MAX:
                    del self._inbox[next(iter(self._inbox))]
            return
        with self._mutex:
            self._need_lock()
            self._take_in(finding)

    def _take_in(self, finding: Finding) -> None:
        if finding.until_seconds is not None:
            self._is_over(finding)
        elif finding.finding_id not in self._open:
            self._begin(finding)
        elif self._open[finding.finding_id] != finding:
            self._open[finding.finding_id] = finding
            self._is_changed = True
        if finding.finding_id in self._open:
            self._told[finding.finding_id] = self._wall_clock()
        self._save()

    def _empty_inbox(self) -> None:
        """Take in what was told to a thread that was busy; what the disk refuses stays for the next look."""
        with self._inbox_lock:
            waiting = list(self._inbox.values())
        for finding in waiting:
            self._take_in(finding)
            with self._inbox_lock:
                if self._inbox.get(finding.finding_id) == finding:
                    del self._inbox[finding.finding_id]

    def _begin(self, finding: Finding) -> None:
        if len(self._open) >= _OPEN_MAX:
            why = f"{_OPEN_MAX} findings last already"
            self._note("not_run", "", {"finding": finding.finding_id, "why": why})
            return
        runs = dict(self._runs)
        self._open[finding.finding_id] = finding
        try:
            self._episodes.began(finding, self._wall_clock())
            self._decide(finding)
            self._is_changed = True
            self._save()
        except (OSError, AuditError):
            # It is told again, and must be new then.
            del self._open[finding.finding_id]
            self._runs = runs
            raise

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
            self._performer_here().look()
            self._take_answers()
            for run_id in list(self._runs):
                self._go_on(run_id)
            self._tidy()
            self._save()

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
        if run_id and run_id not in self._runs:
            raise KeyError(run_id)
        self._answers.add(say, run_id, author=author, now_seconds=self._wall_clock(), details=details)

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
                self._restore()

    def runs(self) -> list[Run]:
        """Return all runs that are known, in the order proposed."""
        with self._mutex:
            return list(self._runs.values())

    def waits_for(self, run_id: str) -> str:
        """Return what a run waits for, in a sentence; empty where it waits for nothing.

        Args:
            run_id: The run, as `runs` has it.
        """
        return self._waits.get(run_id, "")

    def findings(self) -> list[Finding]:
        """Return the findings that are not over."""
        with self._mutex:
            return list(self._open.values())

    @property
    def outcomes(self) -> Outcomes:
        """What was learned."""
        return self._outcomes

    def history(self) -> Iterator[AuditEvent]:
        """Yield the audit, each line checked; raises AuditError and OSError."""
        return self._audit.events()

    def verify_history(self) -> Position:
        """Read the whole audit, and return its last position; raises AuditError and OSError."""
        return self._audit.verify(self._position)

    def dry_run(self, finding: Finding) -> list[DryRun]:
        """Return what each workflow would do for a finding; nothing is done, saved or learned."""
        now_seconds = self._wall_clock()
        with self._mutex:
            runs = list(self._runs.values())
        return [
            dry_run_of(each, finding, self.workflows, runs, now_seconds) for each in self.workflows.workflows
        ]

    # A finding

    def _decide(self, finding: Finding) -> None:
        fitting = self.workflows.fitting(finding)
        if not fitting:
            return
        automatic = [each for each in fitting if self.workflows.is_automatic(each, finding)]
        workflow, why = chosen(
            finding,
            automatic or fitting,
            self.workflows.learning,
            self._outcomes,
            is_automatic=bool(automatic),
        )
        if workflow is None:
            self._note("not_run", "", {"finding": finding.finding_id, "why": why})
            return
        waiting = sum(each.state is RunState.WAITING for each in self._runs.values())
        if waiting >= _PROPOSALS_MAX:
            self._note("not_run", "", {"finding": finding.finding_id, "why": f"{waiting} proposals wait"})
            return
        now_seconds = self._wall_clock()
        number = self._episodes.next_number(workflow.name, finding.finding_id)
        run_id = step_key(workflow.name, finding.finding_id, number, 0, undoes=False)[:8]
        while run_id in self._runs:
            run_id += "x"
        run = replace(
            proposed(run_id, number, workflow, finding, now_seconds),
            state=RunState.READY if automatic else RunState.WAITING,
            is_automatic=bool(automatic),
            chosen_by=why,
        )
        self._put(
            run,
            "allowed" if automatic else "proposed",
            {"workflow": workflow.name, "finding": content_of(finding), "chosen_by": why},
        )

    def _is_over(self, finding: Finding) -> None:
        if self._open.pop(finding.finding_id, None) is None:
            return
        self._is_changed = True
        self._told.pop(finding.finding_id, None)
        ran = next(
            (
                each.workflow.name
                for each in reversed(self._runs.values())
                if each.finding.finding_id == finding.finding_id and each.started_seconds
            ),
            NOTHING,
        )
        seconds = self._episodes.ended(finding, self._wall_clock())
        if seconds is None:
            return
        self._outcomes.note(_episode_id(finding), finding.namespace, finding.cause.value, ran, seconds)
        self._note(
            "finding_over",
            "",
            {"finding": finding.finding_id, "recovery_seconds": round(seconds, 3), "workflow": ran},
        )

    # A run

    def _go_on(self, run_id: str) -> None:
        for _ in range(_ACTIONS_MAX):
            run = self._runs[run_id]
            if run.is_over:
                self._waits.pop(run_id, None)
                return
            action = next_action(run, self._moment(run))
            if isinstance(action, Wait):
                self._waits[run_id] = action.why
                return
            if isinstance(action, Move):
                self._put(action.run, action.what, {"why": action.run.why} if action.run.why else {})
                self._save()
            elif not self._perform(run, action):
                return

    def _moment(self, run: Run) -> Moment:
        now_seconds = self._wall_clock()
        no_room = ""
        if run.state is RunState.READY:
            no_room = why_no_room(run, list(self._runs.values()), self.workflows.limits, now_seconds)
        return Moment(
            now_seconds,
            is_over=run.finding.finding_id not in self._open,
            has_room=no_room,
            may_share=self._performer_here().leads(),
        )

    def _perform(self, run: Run, effect: Effect) -> bool:
        """Do, undo or ask about a step; return whether there may be more to do at once."""
        performer, step = self._performer_here(), run.workflow.steps[effect.place]
        token = 0
        if not step.is_local and not effect.asks:
            token = performer.token(step.timeout_seconds)
            if not token:
                self._waits[run.id] = "waits for the lead, which shared steps need"
                return False
        occasion = self._occasion(run, effect, token)
        details = {"step": effect.place + 1, "kind": step.kind, "undoes": effect.undoes}
        if not effect.asks:
            memo = performer.memo(step, effect, occasion)
            if not isinstance(memo, dict):
                self._settle(run, effect, memo, details)
                return True
            before, run = run, intended(run, effect, token, memo, occasion.now_seconds)
            try:
                self._put(run, "intended", {**details, "key": occasion.key, "token": token})
                self._save()
            except (OSError, AuditError):
                self._runs[run.id] = before  # nothing was done
                self._is_changed = True
                raise
            occasion = replace(occasion, memo=run.steps[effect.place].memo)
        result = performer.perform(step, effect, occasion)
        self._settle(run, effect, result, details)
        return True

    def _settle(self, run: Run, effect: Effect, result: Any, details: Mapping[str, Any]) -> None:
        run = settled(run, effect, result, self._wall_clock())
        record = run.steps[effect.place]
        self._put(run, str(record.state), {**details, "note": record.note} if record.note else details)
        self._save()

    def _occasion(self, run: Run, effect: Effect, token: int) -> Occasion:
        key = step_key(
            run.workflow.name, run.finding.finding_id, run.number, effect.place, undoes=effect.undoes
        )
        if run.workflow.steps[effect.place].is_local:
            # An order is given and taken back under one name.
            key = step_key(run.workflow.name, run.finding.finding_id, run.number, effect.place, undoes=False)
        return Occasion(
            run_id=run.id,
            key=key,
            token=token,
            finding=run.finding,
            now_seconds=self._wall_clock(),
            spool=self.spool,
            folder=self.folder,
            effects=self._effects,
            memo=run.steps[effect.place].memo,
            disk=self._disk,
        )

    # Answers

    def _take_answers(self) -> None:
        try:
            waiting = self._answers.waiting()
        except OSError:
            return
        fresh = [each for each in waiting if each.id not in self._answered]
        for answer in fresh:
            self._take(answer)
            self._answered = [*self._answered, answer.id][-_ANSWERS_KEPT_MAX:]
            self._is_changed = True
        if fresh:
            self._save()
        if waiting:
            with contextlib.suppress(OSError, FileHeldError):  # they are known by their ids
                self._answers.remove(frozenset(each.id for each in waiting))

    def _take(self, answer: Answer) -> None:
        said = {"author": answer.author, **answer.details}
        if answer.say is Say.FINDING:
            with contextlib.suppress(ValueError):
                self._take_in(finding_of(answer.details.get("finding"), "answer"))
            return
        if answer.say is Say.RESET:
            namespace, cause = answer.details.get("namespace"), answer.details.get("cause")
            self._outcomes.reset(namespace, cause)
            self._note("reset", "", said)
            return
        run = self._runs.get(answer.run)
        if run is None:
            self._note("unknown_run", answer.run, {"say": answer.say.value, **said})
            return
        self._answer_run(run, answer, said)

    def _answer_run(self, run: Run, answer: Answer, said: Mapping[str, Any]) -> None:
        says_not_it = answer.say is Say.NOT_IT or bool(answer.details.get("not_it"))
        changed = after_answer(run, answer, self._wall_clock())
        if changed is None:
            self._note("no_use", run.id, {"say": answer.say.value, "state": run.state.value, **said})
            return
        helped = OPINIONS.get(answer.say)
        if says_not_it:
            self._not_it(run, answer.details.get("cause"))
        elif helped is not None:
            self._outcomes.say(
                run.finding.namespace, run.finding.cause.value, run.workflow.name, helped=helped
            )
        self._put(changed, answer.say.value, said)

    def _not_it(self, run: Run, cause: object) -> None:
        right = cause if isinstance(cause, str) and cause in {each.value for each in CauseClass} else None
        self._outcomes.not_it(
            _episode_id(run.finding), run.finding.namespace, run.finding.cause.value, run.workflow.name, right
        )

    # What is kept

    def _put(self, run: Run, what: str, details: Mapping[str, Any]) -> None:
        self._note(what, run.id, {"state": run.state.value, **details})
        self._runs[run.id] = run

    def _note(self, what: str, run_id: str, details: Mapping[str, Any]) -> None:
        self._position = self._audit.append(what, run_id, details, self._wall_clock(), self._position)
        self._is_changed = True

    def _tidy(self) -> None:
        now_seconds = self._wall_clock()
        for finding in list(self._open.values()):
            told_seconds = self._told.setdefault(finding.finding_id, now_seconds)
            if now_seconds - told_seconds > _OPEN_SECONDS_MAX:
                self._is_over(replace(finding, until_seconds=told_seconds))
        ended = [each for each in self._runs.values() if each.state in ENDED]
        for run in ended[:-_ENDED_KEPT_MAX]:
            if now_seconds - run.ended_seconds > 86_400.0 or len(ended) > 2 * _ENDED_KEPT_MAX:
                del self._runs[run.id]
                self._waits.pop(run.id, None)
                self._is_changed = True

    def _save(self) -> None:
        performer = self._performer_here()
        if not self._is_changed and not performer.is_changed:
            return
        content = {
            "owner": self._owner,
            "runs": [each.content() for each in self._runs.values()],
            "open": [content_of(each) for each in self._open.values()],
            "told": {name: each for name, each in self._told.items() if name in self._open},
            "episodes": self._episodes.content(),
            "outcomes": self._outcomes.content(),
            "answered": self._answered,
            "audit": [self._position.sequence, self._position.digest],
            "unsettled": performer.content(),
        }
        save_state(self.folder, content, self._disk)
        self._is_changed = performer.is_changed = False

    def _restore(self) -> None:
        content = read_state(self.folder, self._disk)
        self._unsettled: list[Any] = []
        if content is None:
            return
        self._owner = content["owner"]
        self._runs = {run.id: run for run in map(run_of, content["runs"])}
        self._open = {each["finding_id"]: finding_of(each, "state") for each in content["open"]}
        self._told = dict(content["told"])
        self._episodes.restore(content["episodes"])
        self._outcomes.restore(content["outcomes"])
        self._answered = list(content["answered"])
        self._position = Position(*content["audit"])
        self._unsettled = content["unsettled"]

    # Who coordinates

    def _try_lock(self) -> bool:
        if self._has_lock:
            return True
        if self._lock is None:
            self._lock = EngineLock(self.folder, self._disk)
        if not self._lock.try_take():
            return False
        self._has_lock = True
        self._restore()  # another engine may have worked until now
        if not self._owner:
            self._owner = secrets.token_hex(8)
        self._performer = None
        self._is_changed = True
        self._save()
        return True

    def _need_lock(self) -> None:
        if not self._try_lock():
            raise NotCoordinatingError(f"{self.folder}: another engine coordinates")

    def _performer_here(self) -> Performer:
        if self._performer is None:
            self._performer = self._performer_class(
                self._store, self._owner, monotonic=self._monotonic, lease_seconds=self._lease_seconds
            )
            self._performer.restore(self._unsettled)
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


def _episode_id(finding: Finding) -> str:
    return f"{finding.finding_id}@{finding.since_seconds:.3f}"
