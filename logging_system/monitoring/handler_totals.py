"""Sums up what all handlers and gateways of a spool folder counted, those that were killed included.

Counters of the sum never fall, whoever ends meanwhile: a fall would look like a restart to Prometheus, which
would then count everything again. So files that are just being added to the total are read on one side or the
other, never on none or both. What a killed process last said of its queue is not shown as a queue for ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from logging_system.monitoring.delays import Delays
from logging_system.monitoring.status_files import ENDED_NAME, ENDING, TOUCH_SECONDS, stated_files

STALE_SECONDS = 2 * TOUCH_SECONDS + 5
"""A living process writes its file far more often; one that is older is not counted as having a queue."""

_LOOKS_MAX = 5
_LIMITS: Mapping[str, Callable[[list[int]], int]] = {"queue_records_max": sum, "spool_bytes_max": min}
_DELAYS = "logged_to_durable_seconds"
_OF_ENDED = ("handlers", "unclean_exits", "unreadable")
_ALL = ("balanced", "surfaces_agree")

Totals = dict[str, Any]


def metered(content: Mapping[str, Any]) -> dict[str, Any]:
    """Put what the meter says in the place of what the counters say, and whether that is the same.

    Args:
        content: What a status file states of one handler.

    Returns:
        The same with `surfaces_agree`; as it was where it states nothing of the meter's.
    """
    metrics = content.get("metrics")
    if not isinstance(metrics, dict):
        return dict(content)
    agree = all(content.get(name) == value for name, value in metrics.items())
    return {**content, **metrics, "surfaces_agree": agree}


def read_content(path: Path) -> dict[str, Any]:
    """Return what a status file holds; nothing where it cannot be read."""
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def handler_totals(folder: Path, now_seconds: float) -> Totals:
    """Return the sums, with the names of the status files and `files`, how many were read.

    Args:
        folder: The spool folder.
        now_seconds: Seconds since 1970.
    """
    for _ in range(_LOOKS_MAX):
        total, files, is_whole = _look(folder, now_seconds)
        if is_whole:
            break
    contents = [
        each
        for each in (*files, metered(total) if total else {})
        if each and isinstance(each.get("dropped", {}), dict)
    ]
    totals: Totals = {"files": len(contents), **dict.fromkeys(_OF_ENDED, 0)}
    for content in contents:
        _add(totals, content)
    for name in _ALL if contents else ():
        totals[name] = min(int(content.get(name) == 1) for content in contents)
    for name, together in _LIMITS.items():
        stated = [content[name] for content in files if isinstance(content.get(name), int)]
        if stated:
            totals[name] = together(stated)
    return totals


def _look(folder: Path, now_seconds: float) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    """Return the total, the files that are not in it, and whether each file was found on one side."""
    before = read_content(folder / ENDED_NAME)
    left_over = frozenset(before.get("last_added", ()))
    listed = {
        path: epoch
        for epoch, path in stated_files(folder)
        if not (path.suffix == ENDING and epoch in left_over)
    }
    read = {path: _stated(path, now_seconds) for path in listed}
    for path in [each for each, content in read.items() if content is None]:
        if path.with_suffix(ENDING) not in listed:  # it was renamed
            read[path] = _stated(path.with_suffix(ENDING), now_seconds)
    # A file goes only after the total that has it is there, and this is read after all of them.
    total = read_content(folder / ENDED_NAME)
    added = frozenset(total.get("recently_added", ())).difference(before.get("recently_added", ()))
    for path, epoch in listed.items():
        # With two files, the process lived on: what it wrote since is not in the total.
        if epoch in added and (path.suffix == ENDING or path.with_suffix(ENDING) not in listed):
            del read[path]
    return total, [each or {} for each in read.values()], None not in read.values()


def _stated(path: Path, now_seconds: float) -> dict[str, Any] | None:
    """Return what a file holds, as it counts now; nothing where it cannot be read, None where it is gone."""
    try:
        age_seconds = now_seconds - path.stat().st_mtime
        content = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return _of_the_living(metered(content), age_seconds) if isinstance(content, dict) else {}


def _of_the_living(content: dict[str, Any], age_seconds: float) -> dict[str, Any]:
    """Return a file's content; where its process ended, without what only a living one has."""
    is_killed = age_seconds > STALE_SECONDS and content.get("closed") is False
    if not is_killed and content.get("closed") is not True:
        return content
    content = {name: value for name, value in content.items() if name not in _LIMITS}
    if is_killed and isinstance(content.get("queued"), int):
        content["unsettled"] = content.get("unsettled", 0) + content["queued"]
        content["queued"] = 0
    return content


def _add(totals: Totals, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        if name in _ALL or name in _LIMITS or isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            totals[name] = totals.get(name, 0) + value
        elif name == _DELAYS:
            # What is no histogram was written by somebody else.
            with contextlib.suppress(KeyError, TypeError, ValueError):
                totals[name] = totals.get(name, Delays()) + Delays.of_content(value)
        elif isinstance(value, dict):
            counts = totals.setdefault(name, {})
            for key, count in value.items():
                if isinstance(count, int):
                    counts[key] = counts.get(key, 0) + count
