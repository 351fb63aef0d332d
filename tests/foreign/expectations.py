"""What foreign stacks are known to do in each scenario of the default suite, and how a result compares.

It was found by running them, and understood by their logs and settings: `docs/how-to/rsyslog.md` and
`docs/how-to/syslog-ng.md` say why. A scenario that is not named here must pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LOST = "acknowledged_lost"
DUPLICATED = "duplicated"
MISPLACED = "dead_letters_misplaced"


@dataclass(frozen=True, slots=True)
class Expected:
    """Objectives that must fail in a scenario, and those that may, since it is a matter of moments."""

    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


def _fails(*must: str, may: Sequence[str] = ()) -> Expected:
    return Expected(frozenset(must), frozenset(may))


# Of a request that was under way when the link went down, nobody knows whether it was stored.
_SENT_AGAIN = _fails(may=[DUPLICATED])
_SENT_AGAIN_IN = dict.fromkeys(
    ("connection_reset", "black_hole", "flapping", "slow_answers", "store_killed", "store_frozen"),
    _SENT_AGAIN,
)
# What is refused with its batch is lost; a record too large by itself is refused for good where it is sent
# alone, and kept nowhere either.
_TOO_LARGE = _fails(LOST, may=[MISPLACED])
_RSYSLOG_RETRY = {
    **_SENT_AGAIN_IN,
    "answer_cut": _fails(DUPLICATED),
    # A request refused as a whole has no items, and without items nothing comes back.
    "requests_refused": _fails(LOST),
    "body_limited": _TOO_LARGE,
    # Lies that are JSON are believed; what is none is taken for a failure, and sent again.
    "lying_answers": _fails(LOST, may=[DUPLICATED]),
}
_RSYSLOG = {**_RSYSLOG_RETRY, "items_refused": _fails(LOST), "poison_document": _fails(LOST)}
# An id that stays the same makes a second copy a conflict.
_RSYSLOG_IDS = {
    "requests_refused": _fails(LOST),
    "body_limited": _TOO_LARGE,
    "lying_answers": _fails(LOST),
}
_SYSLOG_NG = {
    **_SENT_AGAIN_IN,
    "answer_cut": _fails(DUPLICATED),
    # http() looks at the status of a request, and at nothing that it says.
    "items_refused": _fails(LOST),
    "poison_document": _fails(LOST),
    "lying_answers": _fails(LOST),
}

STACKS: Mapping[str, Mapping[str, Expected]] = {
    "rsyslog": _RSYSLOG,
    "rsyslog_retry": _RSYSLOG_RETRY,
    "rsyslog_ids": _RSYSLOG_IDS,
    "syslog_ng": _SYSLOG_NG,
}

SMOKE: Mapping[str, Expected] = {
    "brief_reset": Expected(),
    "brief_cut": _fails(DUPLICATED),
    "brief_refusals": _fails(LOST),
    "brief_poison": _fails(LOST),
}
"""What CI runs on rsyslog, side by side (`smoke/`): one that it stands, and kinds in which it fails."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a scenario came to: its status, and each objective that failed with its first sentence."""

    scenario: str
    status: str
    failed: Mapping[str, str] = field(default_factory=dict)


def found_in(scenarios: Sequence[Mapping[str, Any]]) -> Iterator[Found]:
    """Yield what each scenario of a `result.json` came to."""
    for each in scenarios:
        failed = {
            verdict["objective"]: verdict["summary"]
            for verdict in each["verdicts"]
            if verdict["status"] == "FAIL"
        }
        yield Found(each["scenario"]["name"], each["status"], failed)


def problem_of(found: Found, expected: Mapping[str, Expected]) -> str:
    """Say how a scenario differs from what is expected of it; empty where it does not.

    One that other load on this machine left INCONCLUSIVE is no difference, as long as what must fail failed.
    """
    rule = expected.get(found.scenario, Expected())
    failed = frozenset(found.failed)
    if found.status not in {"PASS", "FAIL", "INCONCLUSIVE"}:
        return f"it is {found.status}"
    if missing := rule.must - failed:
        return f"{', '.join(sorted(missing))} did not fail"
    if beyond := failed - rule.must - rule.may:
        return f"failed besides: {', '.join(sorted(beyond))}"
    return ""
