"""What no single value of a stack file's `findings` and `answers` shows: unknown processes and causes."""

from __future__ import annotations

from collections.abc import Mapping

from harness.config.yaml_source import Mistake
from harness.model.declarations import CAUSES
from harness.model.registry import unknown


def finding_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Return what is wrong with the promises of findings and answers in the data of a stack file."""
    findings = _mapping(data.get("findings"))
    mistakes = [*_process_mistakes(data, "findings", "watcher"), *_process_mistakes(data, "answers", "asker")]
    for word, causes in _mapping(findings.get("causes")).items():
        for index, cause in enumerate(causes if isinstance(causes, list) else ()):
            if isinstance(cause, str) and cause not in CAUSES:
                said = unknown("cause", cause, dict.fromkeys(CAUSES))
                mistakes.append(Mistake(("findings", "causes", word, index), said))
    return mistakes


def _process_mistakes(data: Mapping[str, object], promise: str, key: str) -> list[Mistake]:
    name, processes = _mapping(data.get(promise)).get(key), _mapping(data.get("processes"))
    if not isinstance(name, str) or name in processes:
        return []
    return [Mistake((promise, key), f'"processes" has {unknown("process", name, processes)}')]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
