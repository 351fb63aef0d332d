"""The gate's decision and the score as a badge, in the JSON that shields.io's endpoint badge reads."""

from __future__ import annotations

import json
from typing import ClassVar

from harness.model.protocols import Status
from harness.model.result import Result
from harness.reporting.scorecard_words import score_words, status_word

_COLORS = {Status.PASS: "brightgreen", Status.WARN: "yellow", Status.FAIL: "red"}
_UNDECIDED_COLOR = "lightgrey"


class BadgeReport:
    """The score as a badge."""

    file_name: ClassVar[str] = "badge.json"

    def text(self, result: Result) -> str:
        """Return the JSON. `isError` is set for a FAIL, so that the badge's address cannot recolour it."""
        status = result.gate.status
        badge = {
            "schemaVersion": 1,
            "label": "logquake",
            "message": _message(result),
            "color": _COLORS.get(status, _UNDECIDED_COLOR),
            "isError": status is Status.FAIL,
        }
        return json.dumps(badge, indent=1) + "\n"


def _message(result: Result) -> str:
    if result.score.vetoes:
        return "vetoed"
    said = score_words(result.score)
    return said if result.gate.status is Status.PASS else f"{said} {status_word(result.gate.status)}"
