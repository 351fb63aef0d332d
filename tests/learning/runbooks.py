"""Four runbooks as workflows declare them; each shortens recovery from some causes, not from others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.learning.application import CHATTER

NOTHING = "nothing"
_HOLD_SECONDS = 60
"""Longer than an episode: nothing is undone while its cause is still there."""


def runbooks(cache: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the steps of each runbook by its name.

    Args:
        cache: The file that may be deleted where the disk gets full.
    """
    return {
        "smaller_requests": [
            {"kind": "shrink_batches", "batch_records_max": 4, "for_seconds": _HOLD_SECONDS}
        ],
        "sample_chatter": [
            {"kind": "set_sampling", "logger": CHATTER, "keep_one_in": 1000, "for_seconds": _HOLD_SECONDS}
        ],
        "fallback_file": [{"kind": "use_fallback_file", "for_seconds": _HOLD_SECONDS}],
        "clear_cache": [
            {"kind": "command", "command": ["rm", "-f", str(cache)], "local_and_idempotent": True}
        ],
    }


NAMES = tuple(runbooks(Path()))


def workflows(kinds: Sequence[str], names: Sequence[str], cache: Path) -> str:
    """Return a file of workflows: each named one fits these kinds of findings, and may run by itself.

    Args:
        kinds: Kinds of findings.
        names: Runbooks; none of them for doing nothing.
        cache: See `runbooks`.
    """
    steps = runbooks(cache)
    return json.dumps(
        {
            "limits": {"runs_per_hour": 1000, "runs_at_once": 100},
            "automatic": [{"workflow": name} for name in names],
            "workflows": [
                {"name": name, "when": {"kinds": list(kinds)}, "steps": steps[name]} for name in names
            ],
        }
    )
