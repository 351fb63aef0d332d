"""Engines on a folder of a test, with a clock that only the test moves and effects that are written down."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logging_system.coordination import AICoordinationEngine
from logging_system.coordination.findings import CauseClass, Finding, FindingKind
from logging_system.coordination.lease import SharedDocuments, Stored
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.run import Run
from logging_system.coordination.workflows.steps.declared import Effects

NOW = 1_800_000_000.0


def finding(**changes: Any) -> Finding:
    given: dict[str, Any] = {
        "finding_id": "f1",
        "kind": FindingKind.SPIKE,
        "cause": CauseClass.APPLICATION,
        "namespace": "shop",
        "subject": "shop.payment",
        "since_seconds": NOW,
        "found_seconds": NOW,
        "confidence": 0.9,
        "summary": "412 records a second; 12 before",
        **changes,
    }
    return Finding(**given)


class Documents:
    """Shared documents in memory, which the contract test compares with the real ones."""

    def __init__(self) -> None:
        self.found: dict[str, Stored] = {}
        self._seq_no = 0

    def read(self, document_id: str) -> Stored | None:
        return self.found.get(document_id)

    def create(self, document_id: str, content: dict[str, object]) -> bool:
        if document_id in self.found:
            return False
        return self._put(document_id, content)

    def replace(self, document_id: str, content: dict[str, object], before: Stored) -> bool:
        if self.found.get(document_id) != before:
            return False
        return self._put(document_id, content)

    def remove_old(self, now_seconds: float) -> int:
        old = [key for key, each in self.found.items() if _until(each) < now_seconds]
        for key in old:
            del self.found[key]
        return len(old)

    def _put(self, document_id: str, content: dict[str, object]) -> bool:
        self._seq_no += 1
        self.found[document_id] = Stored(dict(content), self._seq_no, 1)
        return True


def _until(document: Stored) -> float:
    until_seconds = document.content.get("until_seconds", float("inf"))
    assert isinstance(until_seconds, int | float)
    return until_seconds


class Died(BaseException):
    """The process that did this is dead; no handler of errors catches it."""


@dataclass
class Place:
    """A spool folder, its clock, and what was done to the world."""

    folder: Path
    now: float = NOW
    done: list[tuple[str, ...]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    code: int = 0
    dies: bool = False

    def run_program(
        self, words: Sequence[str], line: bytes, variables: Mapping[str, str], timeout_seconds: float
    ) -> int:
        del line, variables, timeout_seconds
        if self.dies:
            raise Died
        self.done.append(tuple(words))
        return self.code

    def alert(self, found: Finding, text: str, key: str) -> None:
        del text, key
        self.told.append(found.summary)

    def engine(self, content: dict[str, Any], store: SharedDocuments | None = None) -> AICoordinationEngine:
        return AICoordinationEngine(
            self.folder,
            Workflows.model_validate(content),
            store=store,
            effects=Effects(alert=self.alert, run_program=self.run_program),
            rng=random.Random(7),
            wall_clock=lambda: self.now,
            monotonic=lambda: self.now,
        )


def only_run(engine: AICoordinationEngine) -> Run:
    (run,) = engine.runs()
    return run
