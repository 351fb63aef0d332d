"""The last lines of the application's own log, quoted where nothing arrived: often the handler said why."""

from __future__ import annotations

import os
from pathlib import Path

from harness.reporting.escaping import visible

BEGINNING = "The last lines of the application's own log:"
_LINES_MAX = 5
_CHARACTERS_MAX = 200
_TAIL_BYTES = 1 << 13
# What a handler raised ends before it.
_CALL_STACK = "\nCall stack:\n"
# What the process that hosts the handler says itself.
_OURS = '{"ready": true}'


def last_lines(kept: Path) -> str:
    """Return a remark that quotes the end of the application's log; empty where it said nothing.

    Args:
        kept: the folder with the copies of a scenario's logs, in which what reports mask is masked.
    """
    try:
        with (kept / "application" / "application.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = log.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    # `logging` ends what a handler raised with where the call came from, which is here always the same place.
    text = text.rpartition(_CALL_STACK)[0] or text
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and line.strip() != _OURS]
    told = [visible(line)[:_CHARACTERS_MAX] for line in lines[-_LINES_MAX:]]
    return "\n".join((BEGINNING, *told)) if told else ""
