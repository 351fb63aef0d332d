"""The verdicts in the Common Test Report Format, for whatever shows or merges test results.

The form is that of the published JSON Schema (ctrf-io/ctrf, `ctrf.schema.json`). As in `junit.py`, what was
not decided counts as failed: a reader that only counts failures must not see it as green.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from harness.model.protocols import Status, Verdict
from harness.model.result import Result, ScenarioResult
from harness.reporting.escaping import clipped
from harness.reporting.scorecard_words import facts_of_run, measured, replay_command, score_words, status_word

SPEC_VERSION = "1.0.0"
CHARACTERS_MAX = 2_000
_STATUSES = {Status.PASS: "passed", Status.WARN: "passed", Status.NOT_APPLICABLE: "skipped"}
_COUNTED = ("passed", "failed", "skipped", "pending", "other")
_YAML = (".yaml", ".yml")


class CtrfReport:
    """The verdicts as Common Test Report Format."""

    file_name: ClassVar[str] = "ctrf.json"

    def text(self, result: Result) -> str:
        """Return the JSON: an objective in a scenario is a test, and so is the gate's decision."""
        tests = [test for one in result.scenarios for test in _tests(result, one)]
        tests.append(_test("gate", result.gate.status, _first(result.gate.reasons), [result.suite, "gate"]))
        started, ended = _times(result)
        counts = Counter(test["status"] for test in tests)
        document = {
            "reportFormat": "CTRF",
            "specVersion": SPEC_VERSION,
            # Made from the run's name, so that the same result is the same report.
            "reportId": str(uuid5(NAMESPACE_URL, f"logquake:{result.run_id}:{result.plan_hash}")),
            "timestamp": ended.isoformat(),
            "generatedBy": "logquake",
            "results": {
                "tool": {"name": "logquake", "version": _words(result.surroundings.get("logquake", ""))},
                "summary": {
                    "tests": len(tests),
                    **{status: counts[status] for status in _COUNTED},
                    "suites": len(result.scenarios) + 1,
                    "start": _milliseconds(started),
                    "stop": _milliseconds(ended),
                    "duration": round(result.seconds * 1000),
                },
                "tests": tests,
                "environment": {
                    "reportName": _words(f"logquake {result.suite}"),
                    "appName": _words(result.stack),
                    "testEnvironment": _words(result.backend),
                    "healthy": result.gate.status in {Status.PASS, Status.WARN},
                    "extra": {
                        **{_words(name): _words(value) for name, value in facts_of_run(result)},
                        "score": score_words(result.score),
                    },
                },
            },
        }
        return json.dumps(document, indent=1) + "\n"


def _tests(result: Result, one: ScenarioResult) -> Iterator[dict[str, Any]]:
    where = [result.suite, one.scenario.name]
    for verdict in one.verdicts:
        test = _test(verdict.objective, verdict.status, verdict.summary, where)
        if trace := _trace(verdict):
            test["trace"] = trace
        yield test | _about(result, one) | {"tags": [_words(verdict.dimension)]}
    if not one.verdicts:
        yield _test("scenario", one.status, "; ".join(one.remarks), where) | _about(result, one)


def _test(name: str, status: Status, message: str, where: list[str]) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": _words(name) or "unnamed",
        "status": _STATUSES.get(status, "failed"),
        # A scenario takes the time, and all its objectives are judged from it.
        "duration": 0,
        "rawStatus": status.value,
        "suite": [_words(each) for each in where],
    }
    if status is not Status.PASS:
        test["message"] = _words(f"{status_word(status)}: {message}")
    return test


def _about(result: Result, one: ScenarioResult) -> dict[str, Any]:
    about: dict[str, Any] = {"extra": {"replay": _words(replay_command(result, one)), "seconds": one.seconds}}
    if one.attempts:
        about["retries"] = len(one.attempts)
    if one.scenario.source.endswith(_YAML):
        about["filePath"] = _words(one.scenario.source)
    return about


def _trace(verdict: Verdict) -> str:
    vetoes = (f"veto: {veto}" for veto in verdict.vetoes)
    lines = (measured(verdict), *vetoes, *verdict.evidence, *verdict.counterexample)
    return "\n".join(_words(line) for line in lines if line) if verdict.status is not Status.PASS else ""


def _first(reasons: tuple[str, ...]) -> str:
    return reasons[0] if reasons else ""


def _words(text: str) -> str:
    return clipped(text, CHARACTERS_MAX)


def _times(result: Result) -> tuple[datetime, datetime]:
    """Return when the run began and ended; 1970 where the result does not say."""
    try:
        started = datetime.fromisoformat(result.started_at)
    except ValueError:
        started = datetime.fromtimestamp(0, UTC)
    started = started if started.tzinfo else started.replace(tzinfo=UTC)
    return started, datetime.fromtimestamp(started.timestamp() + result.seconds, UTC)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
