"""All that an engine knows, and what makes it durable: one state file, and the audit as its history."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from logging_system.coordination.episodes import Episodes
from logging_system.coordination.finding_content import content_of, finding_of
from logging_system.coordination.findings import Finding
from logging_system.coordination.outcomes.memory import Outcomes
from logging_system.coordination.workflows.run import ENDED, Run, run_of
from logging_system.coordination.workflows.state_file import read_state, save_state
from logging_system.keys.audit_log import NO_EVENT, OF_RUNS, AuditLog, Position
from logging_system.spool.disk import Disk

OPEN_MAX = 1_000
_ENDED_KEPT_MAX = 200
_ENDED_SECONDS = 86_400.0
_ANSWERS_KEPT_MAX = 1_000


class Ledger:
    """What is known of findings, runs and outcomes.

    Args:
        folder: The folder of coordination.
        rng: Where choices come from.
        wall_clock: Seconds since 1970.
        disk: The system calls.

    Attributes:
        owner: What this engine is called among those of a store; empty until it has worked.
        runs: All runs that are known, by id, in the order proposed.
        open: The findings that are not over, by id.
        told: When each of them was last spoken of, seconds since 1970.
        episodes: When findings began.
        outcomes: What was learned.
        answered: The ids of answers that were taken.
        unsettled: What is still to be said of claims in the store.
        audit: What was done.
        position: The audit's last event.

    Raises:
        StateDamagedError: What was under way is not known.
        OSError: The state cannot be read.
    """

    def __init__(
        self, folder: Path, *, rng: random.Random, wall_clock: Callable[[], float], disk: Disk
    ) -> None:
        self._folder, self._wall_clock, self._disk = folder, wall_clock, disk
        self.owner = ""
        self.runs: dict[str, Run] = {}
        self.open: dict[str, Finding] = {}
        self.told: dict[str, float] = {}
        self.episodes, self.outcomes = Episodes(), Outcomes(rng)
        self.answered: list[str] = []
        self.unsettled: Sequence[Any] = []
        self.audit, self.position = AuditLog(folder, about=OF_RUNS, disk=disk), NO_EVENT
        self._is_changed = False
        self.restore()

    def changed(self) -> None:
        """Note that the state is to be saved."""
        self._is_changed = True

    def put(self, run: Run, what: str, details: Mapping[str, Any]) -> None:
        """Take in what a run is now, and write into the audit how that came; raises as `note`.

        Args:
            run: The run; it takes the place of the one with its id.
            what: What happened, in a word.
            details: What else the audit says beside the run's state, as JSON can hold it.
        """
        self.note(what, run.id, {"state": run.state.value, **details})
        self.runs[run.id] = run

    def note(self, what: str, run_id: str, details: Mapping[str, Any]) -> None:
        """Write an event into the audit; durable on return.

        Args:
            what: What happened, in a word, such as `not_run`.
            run_id: To which run; empty where it is about none.
            details: What else there is to say, as JSON can hold it.

        Raises:
            AuditError: Somebody else changed the audit.
            OSError: The disk refused.
        """
        made = self.audit.append(what, run_id, details, self._wall_clock(), proven=self.position)
        self.position = made.position
        self._is_changed = True

    def answer_taken(self, answer_id: str) -> None:
        """Remember an answer, so that it is taken once.

        Args:
            answer_id: Its id; of more than 1,000 the latest are remembered.
        """
        self.answered = [*self.answered, answer_id][-_ANSWERS_KEPT_MAX:]
        self._is_changed = True

    def forget_ended(self, now_seconds: float) -> list[str]:
        """Forget runs that ended over a day ago, or of too many the oldest; return their ids.

        Args:
            now_seconds: Seconds since 1970. Of those that ended, the 200 that were proposed last stay,
                however long ago that was.
        """
        ended = [each for each in self.runs.values() if each.state in ENDED]
        gone = [
            run.id
            for run in ended[:-_ENDED_KEPT_MAX]
            if now_seconds - run.ended_seconds > _ENDED_SECONDS or len(ended) > 2 * _ENDED_KEPT_MAX
        ]
        for run_id in gone:
            del self.runs[run_id]
            self._is_changed = True
        return gone

    def take_name(self) -> None:
        """Have a name among the engines of a store; it stays."""
        if not self.owner:
            self.owner = secrets.token_hex(8)
        self._is_changed = True

    def save(self) -> None:
        """Make what changed durable.

        Raises:
            OSError: The disk refused; what was saved before is still there.
        """
        if not self._is_changed:
            return
        content = {
            "owner": self.owner,
            "runs": [each.content() for each in self.runs.values()],
            "open": [content_of(each) for each in self.open.values()],
            "told": {name: each for name, each in self.told.items() if name in self.open},
            "episodes": self.episodes.content(),
            "outcomes": self.outcomes.content(),
            "answered": self.answered,
            "audit": [self.position.sequence, self.position.digest],
            "unsettled": self.unsettled,
        }
        save_state(self._folder, content, self._disk)
        self._is_changed = False

    def restore(self) -> None:
        """Take in what was saved, in place of what is known; raises as the class."""
        content = read_state(self._folder, self._disk)
        if content is None:
            return
        self.owner = content["owner"]
        self.runs = {run.id: run for run in map(run_of, content["runs"])}
        self.open = {each["finding_id"]: finding_of(each, "state") for each in content["open"]}
        self.told = dict(content["told"])
        self.episodes.restore(content["episodes"])
        self.outcomes.restore(content["outcomes"])
        self.answered = list(content["answered"])
        self.position = Position(*content["audit"])
        self.unsettled = content["unsettled"]
