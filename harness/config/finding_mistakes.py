"""What no single value of a stack file's `findings` shows: a process that is not there, an unknown cause."""

from __future__ import annotations

from collections.abc import Mapping

from harness.config.yaml_source import Mistake
from harness.model.declarations import CAUSES
from harness.model.registry import unknown


def finding_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Return what is wrong with the promise of findings in the data of a stack file."""
    findings = _mapping(data.get("findings"))
    mistakes = []
    watcher, processes = findings.get("watcher"), _mapping(data.get("processes"))
    if isinstance(watcher, str) and watcher not in processes:
        said = f'"processes" has {unknown("process", watcher, processes)}'
        mistakes.append(Mistake(("findings", "watcher"), said))
    for word, causes in _mapping(findings.get("causes")).items():
        for index, cause in enumerate(causes if isinstance(causes, list) else ()):
            if isinstance(cause, str) and cause not in CAUSES:
                said = unknown("cause", cause, dict.fromkeys(CAUSES))
                mistakes.append(Mistake(("findings", "causes", word, index), said))
    return mistakes


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
