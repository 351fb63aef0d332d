"""What lies in a spool folder beside the records: alerts, findings, workflows, dead letters; and keys."""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logging_system.alerting.finding_detection import INCIDENTS_NAME
from logging_system.alerting.history import NAME as HISTORY_NAME
from logging_system.alerting.history import History
from logging_system.alerting.operator_file import OperatorFile
from logging_system.alerting.state_file import alerts_folder
from logging_system.analytics.templates import words_of
from logging_system.console.board import PanelError
from logging_system.console.shown_text import ShownText
from logging_system.console.stored import query_for
from logging_system.coordination.detection.finding_file import NAME as FINDINGS_NAME
from logging_system.coordination.detection.finding_file import FindingFile
from logging_system.keys.keyring import KeyringError
from logging_system.keys.status import key_status
from logging_system.monitoring.error_templates import Templates
from logging_system.monitoring.handler_totals import read_content
from logging_system.monitoring.status_files import WATCH_NAME
from logging_system.shipping.dead_letters import NAME as DEAD_LETTERS_NAME
from logging_system.shipping.dead_letters import DeadLetterError, read_letter

if TYPE_CHECKING:
    from logging_system.config.encryption import Protection

_OLD_SECONDS = 30.0
_FIRING_MAX = 50
_HISTORY_MAX = 20
_FINDINGS_MAX = 30
_INCIDENTS_MAX = 8
_TIMELINE_MAX = 12
_LETTERS_MAX = 20
_TAIL_BYTES = 256 * 1024
_COUNTED_BYTES_MAX = 64 * 1024 * 1024
_AROUND_SECONDS = 60


class WhenChanged:
    """Reads a file again only when it is another one, or has grown.

    Args:
        path: The file.
        read: Reads it.
    """

    def __init__(self, path: Path, read: Callable[[], Any]) -> None:
        self._path = path
        self._read = read
        self._stamp: tuple[int, int, int] | None = None
        self._content: Any = None

    def content(self) -> Any:
        """Return what reading gave when the file was as it is now; None where there is no file.

        Raises:
            OSError: It cannot be read.
        """
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._stamp = None
            return None
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            self._content = self._read()
            self._stamp = stamp
        return self._content


class Alerts:
    """What `watch` tells of its alerts; used by one thread at a time.

    Args:
        spool: The spool folder.
        shown: Takes secrets out of what is shown.
        clock: Seconds since 1970.
    """

    def __init__(self, spool: Path, shown: ShownText, clock: Callable[[], float] = time.time) -> None:
        folder = alerts_folder(spool)
        self._status_path = spool / WATCH_NAME
        self._shown = shown
        self._clock = clock
        self._wishes = OperatorFile(folder)
        history = History(folder)
        self._history = WhenChanged(
            folder / HISTORY_NAME, lambda: list(deque(history.lines(), maxlen=_HISTORY_MAX))
        )

    def read(self) -> dict[str, Any]:
        """Return what fires, what is held back and what was told last."""
        status = read_content(self._status_path)
        now_seconds = self._clock()
        wishes = self._wishes.read()
        firing = [
            self._alert(each, dict(wishes.acknowledged)) for each in _dicts(status.get("firing"), _FIRING_MAX)
        ]
        silences = [
            {
                "matchers": self._shown.text(
                    " ".join(f"{name}={value}" for name, value in each.matchers.items())
                ),
                "until_ms": _ms(each.until_seconds),
                "author": self._shown.text(each.author),
                "comment": self._shown.text(each.comment),
            }
            for each in wishes.silences
            if each.until_seconds > now_seconds
        ]
        channels = status.get("channels")
        return {
            **_watched(status, now_seconds),
            "firing": firing,
            "firing_total": _whole(status.get("firing_total")),
            "silences": silences[:_FIRING_MAX],
            "waiting": self._waiting(channels if isinstance(channels, dict) else {}),
            "history": [self._told(each) for each in reversed(_read(self._history, []))],
        }

    def _alert(self, alert: Mapping[str, Any], acknowledged: Mapping[str, float]) -> dict[str, Any]:
        labels = alert.get("labels")
        since_seconds = _number(alert.get("since_seconds"))
        mark = str(alert.get("fingerprint"))
        named = labels if isinstance(labels, dict) else {}
        logger = named.get("log.logger") or named.get("logger") or ""
        return {
            "fingerprint": self._shown.text(mark, 100),
            "rule": self._shown.text(alert.get("rule", ""), 200),
            "labels": {
                self._shown.text(key, 100): self._shown.text(value, 200) for key, value in named.items()
            },
            "since_ms": _ms(since_seconds),
            "summary": self._shown.text(alert.get("summary", "")),
            "is_acknowledged": acknowledged.get(mark, -1.0) >= since_seconds,
            "look": _look(query_for("", logger=str(logger), is_error=True), since_seconds, None),
        }

    def _waiting(self, channels: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "name": self._shown.text(name, 200),
                "count": _whole(each.get("waiting")),
                "trouble": self._shown.text(each.get("trouble", "")),
            }
            for name, each in itertools.islice(channels.items(), _FIRING_MAX)
            if isinstance(each, dict) and each.get("waiting")
        ]

    def _told(self, line: Mapping[str, Any]) -> dict[str, Any]:
        facts = (f"{name}={value}" for name, value in line.items() if name not in {"time", "what"} and value)
        return {
            "at_ms": _ms(line.get("time")),
            "what": self._shown.text(line.get("what", ""), 100),
            "facts": self._shown.text(" ".join(facts), 300),
        }


class Findings:
    """What `watch` detected; used by one thread at a time.

    Args:
        spool: The spool folder.
        shown: Takes secrets out of what is shown.
        clock: Seconds since 1970.
    """

    def __init__(self, spool: Path, shown: ShownText, clock: Callable[[], float] = time.time) -> None:
        folder = alerts_folder(spool)
        self._status_path = spool / WATCH_NAME
        self._clock = clock
        file = FindingFile(folder)
        self._shown = shown
        self._found = WhenChanged(folder / FINDINGS_NAME, lambda: list(file.latest().values()))
        self._incidents_path = folder / INCIDENTS_NAME

    def read(self) -> dict[str, Any]:
        """Return findings, those that last first, incidents, and whether anybody looks for more."""
        status = read_content(self._status_path)
        found: list[dict[str, Any]] = _read(self._found, [])
        latest_first = found[::-1]
        lasting = [each for each in latest_first if each.get("until") is None]
        over = [each for each in latest_first if each.get("until") is not None]
        incidents = _dicts(read_content(self._incidents_path).get("incidents"), 10_000)
        return {
            **_watched(status, self._clock()),
            "is_detected": isinstance(status.get("findings"), dict),
            "open": len(lasting),
            "count": len(found),
            "findings": [self._finding(each) for each in (lasting + over)[:_FINDINGS_MAX]],
            "incidents": [self._incident(each) for each in incidents[::-1][:_INCIDENTS_MAX]],
        }

    def _finding(self, found: Mapping[str, Any]) -> dict[str, Any]:
        text = self._shown.text
        since, until = _seconds_of(found.get("since")), _seconds_of(found.get("until"))
        return {
            "id": text(found.get("finding_id", ""), 100),
            "kind": text(found.get("kind", ""), 100),
            "cause": text(found.get("cause", ""), 100),
            "namespace": text(found.get("namespace", ""), 200),
            "subject": text(found.get("subject", ""), 300),
            "since_ms": _ms(since),
            "until_ms": None if found.get("until") is None else _ms(until),
            "confidence": _number(found.get("confidence")),
            "summary": text(found.get("summary", "")),
            "evidence_for": self._shown.texts(found.get("evidence_for")),
            "evidence_against": self._shown.texts(found.get("evidence_against")),
            "examples": self._shown.texts(found.get("examples"), 3),
            "incident": text(found.get("incident_id", ""), 100),
            "look": _look(_query_of(found), since, None if found.get("until") is None else until),
        }

    def _incident(self, incident: Mapping[str, Any]) -> dict[str, Any]:
        text = self._shown.text
        kinds = incident.get("kinds")
        return {
            "id": text(incident.get("incident_id", ""), 100),
            "kinds": [text(each, 100) for each in kinds] if isinstance(kinds, list) else [],
            "cause": text(incident.get("cause", ""), 100),
            "confidence": _number(incident.get("confidence")),
            "since_ms": _ms(incident.get("began_seconds")),
            "until_ms": None if incident.get("ended_seconds") is None else _ms(incident["ended_seconds"]),
            "timeline": [
                {
                    "at_ms": _ms(each.get("seconds")),
                    "what": text(each.get("what", ""), 100),
                    "sentence": text(each.get("sentence", "")),
                }
                for each in _dicts(incident.get("timeline"), 10_000)[-_TIMELINE_MAX:]
            ],
        }


class DeadLetters:
    """What the store refused for good; used by one thread at a time.

    Args:
        spool: The spool folder.
        protection: What opens letters that are sealed.
        shown: Takes secrets out of what is shown.
    """

    def __init__(self, spool: Path, protection: Protection, shown: ShownText) -> None:
        self._path = spool / DEAD_LETTERS_NAME
        self._lines = protection.lines
        self._shown = shown
        self._file = WhenChanged(self._path, self._read_file)

    def read(self) -> dict[str, Any]:
        """Return how many there are, and the latest."""
        found: dict[str, Any] | None = _read(self._file, None)
        return found or {"count": 0, "bytes": 0, "is_whole": True, "latest": []}

    def _read_file(self) -> dict[str, Any]:
        with self._path.open("rb") as file:
            size_bytes = file.seek(0, 2)
            file.seek(max(0, size_bytes - _COUNTED_BYTES_MAX))
            pieces = iter(lambda: file.read(1024 * 1024), b"")
            count = sum(piece.count(b"\n") for piece in pieces)
            file.seek(max(0, size_bytes - _TAIL_BYTES))
            lines = file.read(_TAIL_BYTES).splitlines()
        if size_bytes > _TAIL_BYTES:
            del lines[0]  # begins before what was read
        latest = [self._letter(line) for line in reversed(lines) if line.strip()][:_LETTERS_MAX]
        is_whole = size_bytes <= _COUNTED_BYTES_MAX
        return {"count": count, "bytes": size_bytes, "is_whole": is_whole, "latest": latest}

    def _letter(self, line: bytes) -> dict[str, Any]:
        try:
            letter = read_letter(line, self._lines)
        except DeadLetterError as error:
            return {"id": "", "at": "", "status": 0, "reason": str(error), "document": ""}
        return {
            "id": letter.id,
            "at": self._shown.text(letter.time, 40),
            "status": letter.status,
            "reason": self._shown.text(letter.reason),
            "document": self._shown.document(letter.document),
        }


def read_keys(protection: Protection, shown: ShownText, now_seconds: float) -> dict[str, Any]:
    """Return the state of the keyring that the setting `encryption` names. Raises PanelError.

    Args:
        protection: How the spool is stored.
        shown: Takes secrets out of what is shown.
        now_seconds: Seconds since 1970.
    """
    if protection.encryption is None:
        return {"is_sealed": False, "keys": [], "leases": [], "unreadable": 0}
    try:
        status = key_status(protection.encryption.keyring, now_seconds)
    except (OSError, KeyringError) as error:
        raise PanelError(f"The keyring cannot be read: {error}") from error
    keys = []
    for key_id, key in status.keys.items():
        versions = [
            {
                "number": number,
                "state": version.state.value,
                "since_ms": _ms(version.since_seconds),
                "data_keys": status.data_keys.get(f"{key_id}:{number}", 0),
            }
            for number, version in sorted(key.versions.items(), reverse=True)
        ]
        rotation = key.rotation
        keys.append(
            {
                "id": shown.text(key_id, 200),
                "is_destroyed": key.is_destroyed,
                "active": status.active.get(key_id),
                "versions": versions[:10],
                "rotation": ""
                if rotation is None
                else f"to version {rotation.new}: {rotation.step.value} ({rotation.why})",
            }
        )
    leases = [shown.text(each, 300) for each in status.leases[:20]]
    return {
        "is_sealed": True,
        "keys": keys[:20],
        "leases": leases,
        "unreadable": len(status.unreadable_data_keys),
    }


def _watched(status: Mapping[str, Any], now_seconds: float) -> dict[str, Any]:
    """Return whether `watch` runs, and when it said so last; a clock that was set back makes nobody young."""
    at_seconds = _number(status.get("time"))
    return {"is_watched": abs(now_seconds - at_seconds) < _OLD_SECONDS, "watched_ms": _ms(at_seconds)}


def _query_of(found: Mapping[str, Any]) -> str:
    """Return the query that leads to the lines that a finding is about, as far as its examples tell."""
    examples = found.get("examples")
    first = str(examples[0]) if isinstance(examples, list) and examples else ""
    words = words_of(Templates().template(first)) if first else ""
    return query_for(words, is_error=not words)


def _look(query: str, since_seconds: float, until_seconds: float | None) -> dict[str, Any]:
    """Return where to look for lines: a query, and the time with a little around it; until now where None."""
    return {
        "query": query,
        "since_ms": _ms(since_seconds - _AROUND_SECONDS),
        "until_ms": None if until_seconds is None else _ms(until_seconds + _AROUND_SECONDS),
    }


def _read(file: WhenChanged, otherwise: Any) -> Any:
    try:
        content = file.content()
    except OSError as error:
        raise PanelError(f"{error.filename}: {error.strerror or error}") from error
    return otherwise if content is None else content


def _dicts(value: object, most: int) -> Sequence[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)][:most] if isinstance(value, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _ms(seconds: object) -> int:
    return round(_number(seconds) * 1000)


def _seconds_of(text: object) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0.0
    except ValueError:
        return 0.0
