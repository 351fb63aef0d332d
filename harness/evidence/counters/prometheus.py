"""Counters on a page in Prometheus' text format; the samples of a name are summed over their labels.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import math
import re
import urllib.request
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from harness.model.errors import ScenarioError, StackError

_BYTES_MAX = 16 * 2**20
_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(\S+)')


class PrometheusCounters:
    """Reads one page.

    A key is a metric's name, or a name with all its labels as the page writes them:
    `records_total{state="dropped"}`.

    Args:
        url: where the page is, e.g. `http://127.0.0.1:9600/metrics`.
        timeout_seconds: how long the page may take.

    Raises:
        ScenarioError: the URL is not http or https.
    """

    def __init__(self, url: str, timeout_seconds: float = 1.0) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ScenarioError(f"{url}: not an http or https URL")
        self._url = url
        self._timeout_seconds = timeout_seconds

    def read(self, keys: Sequence[str]) -> Mapping[str, float]:
        """Return the sum of each key's samples.

        Raises:
            StackError: the page cannot be had.
        """
        try:
            with urllib.request.urlopen(self._url, timeout=self._timeout_seconds) as answer:  # noqa: S310 - http
                text = answer.read(_BYTES_MAX).decode(errors="replace")
        except OSError as error:
            raise StackError(f"{self._url}: the counters cannot be read: {error}") from error
        return sums(text, keys)


def sums(text: str, keys: Sequence[str]) -> dict[str, float]:
    """Return the sum of each key's samples on a page; a sample that is no finite number is left out."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        match = _SAMPLE.match(line)
        value = _value(match[3]) if match else None
        if match is None or value is None:
            continue
        for key in keys:
            if key in {match[1], match[1] + (match[2] or "")}:
                found[key] = found.get(key, 0.0) + value
    return found


def _value(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
