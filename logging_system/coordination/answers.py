"""What people say to the engine: in a file of its own, which commands add to and the engine empties."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from logging_system.keys.durable_files import file_lock, make_folder, read_file, replace_file
from logging_system.spool.disk import REAL_DISK, Disk

NAME = "answers.json"
_WAITING_MAX = 1_000
_FILE_BYTES_MAX = 16 * 1024 * 1024


class Say(StrEnum):
    """What a person says."""

    APPROVE = "approve"
    REJECT = "reject"
    DONE = "done"
    """A step in doubt was done."""
    NOT_DONE = "not_done"
    YES = "yes"
    """The run helped."""
    NO = "no"
    """It did not."""
    NOT_IT = "not_it"
    """The cause was another one."""
    RESET = "reset"
    """What was learned is to be forgotten."""
    FINDING = "finding"
    """Here is a finding."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that a person said.

    Attributes:
        id: Which.
        say: What.
        run: About which run; empty where it is about none.
        author: Who.
        said_seconds: When, seconds since 1970.
        details: What else was said.
    """

    id: str
    say: Say
    run: str
    author: str
    said_seconds: float
    details: Mapping[str, Any] = field(default_factory=dict)


class Answers:
    """The file of a folder.

    Args:
        folder: The folder of coordination.
        disk: The system calls.
        new_id: Returns an id for an answer.
    """

    def __init__(
        self,
        folder: Path,
        disk: Disk = REAL_DISK,
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._folder, self._disk, self._new_id = folder, disk, new_id

    def add(
        self, say: Say, run: str, *, author: str, now_seconds: float, details: Mapping[str, Any] | None = None
    ) -> Answer:
        """Add an answer; durable on return.

        Args:
            say: What is said.
            run: About which run.
            author: Who says it.
            now_seconds: Seconds since 1970.
            details: What else is said.

        Raises:
            OSError: The disk refused.
            FileHeldError: Another process holds the file.
            ValueError: Too many answers wait; no engine takes them.
        """
        answer = Answer(self._new_id(), say, run, author, now_seconds, dict(details or {}))
        make_folder(self._folder, self._disk)
        with file_lock(self._folder / NAME, self._disk):
            waiting = self.waiting()
            if len(waiting) >= _WAITING_MAX:
                raise ValueError(f"{len(waiting)} answers wait already; start an engine that takes them")
            self._replace([*waiting, answer])
        return answer

    def waiting(self) -> Sequence[Answer]:
        """Return the answers that wait, in order; raises OSError where they cannot be read."""
        try:
            data = read_file(self._folder / NAME, _FILE_BYTES_MAX, self._disk)
        except FileNotFoundError:
            return []
        try:
            return [Answer(**{**each, "say": Say(each["say"])}) for each in orjson.loads(data)]
        except (ValueError, KeyError, TypeError):
            return []

    def remove(self, ids: frozenset[str]) -> None:
        """Remove answers that were taken; raises as `add`.

        Args:
            ids: Their ids; one that is not there is no error.
        """
        with file_lock(self._folder / NAME, self._disk):
            waiting = self.waiting()
            left = [each for each in waiting if each.id not in ids]
            if len(left) != len(waiting):
                self._replace(left)

    def _replace(self, answers: Sequence[Answer]) -> None:
        content = orjson.dumps([asdict(each) for each in answers])
        replace_file(self._folder / NAME, content, self._disk)
