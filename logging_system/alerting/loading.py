"""Reads `alerts.yaml`: each mistake with its line, what is wrong, and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from logging_system.alerting.declaration import DEFAULT_RULE, THRESHOLD_VARIABLE, Alerts
from logging_system.alerting.rules.error_count import ErrorCount
from logging_system.config.declared_file import parse_declared, read_declared
from logging_system.config.declared_mistakes import mistakes

_KINDS = {"rules": "error_count", "channels": "webhook"}


class AlertsFileError(ValueError):
    """The file, or the environment variable, cannot be used; the message has a line for each mistake."""


def load_alerts(path: Path | None, environment: Mapping[str, str]) -> Alerts:
    """Return what is declared.

    Args:
        path: The file; None takes the defaults.
        environment: Environment variables; `ALERT_THRESHOLD_ERRORS` is the threshold of the rule that counts
            errors where no file is given.

    Raises:
        AlertsFileError: What is wrong, where, and what would be right.
    """
    if path is None:
        return Alerts(rules=(ErrorCount(name=DEFAULT_RULE, threshold=_threshold(environment)),))
    data = read_declared(path, "alerts", AlertsFileError)
    content, lines = parse_declared(path, data, "rules", AlertsFileError)
    threshold = environment.get(THRESHOLD_VARIABLE)
    if "rules" not in content and threshold:
        content["rules"] = [
            {"kind": "error_count", "name": DEFAULT_RULE, "threshold": _threshold(environment)}
        ]
    try:
        return Alerts.model_validate(content)
    except ValidationError as error:
        raise AlertsFileError("\n".join(mistakes(error, path, lines, Alerts, _KINDS))) from error


def _threshold(environment: Mapping[str, str]) -> int:
    given = environment.get(THRESHOLD_VARIABLE, "").strip()
    default: int = ErrorCount.model_fields["threshold"].default
    if not given:
        return default
    if not given.isdecimal() or not 1 <= int(given) <= 1_000_000:
        raise AlertsFileError(
            f"{THRESHOLD_VARIABLE}: must be a whole number of errors, from 1 to 1000000, such as {default}"
        )
    return int(given)
