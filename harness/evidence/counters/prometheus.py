"""Counters on a page in Prometheus' text format; the samples of a name are summed over their labels.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from harness import http_client
from harness.model.errors import ScenarioError, StackError

_BYTES_MAX = 16 * 2**20
# The parser's time grows with the square of a line's length.
_LINE_CHARACTERS_MAX = 16_384
_SHOWN_CHARACTERS = 80


class PrometheusCounters:
    """Reads one page.

    A key is a metric's name, or a name with all its labels in any order: `records_total{state="dropped"}`.

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
            ScenarioError: a key is neither a metric's name nor a name with labels.
            StackError: the page cannot be had, or it is not in Prometheus' text format.
        """
        return sums(self._page(), keys, self._url)

    def keys(self) -> Sequence[str]:
        """Return the names of all samples, labels left out.

        Raises:
            StackError: the page cannot be had, or it is not in Prometheus' text format.
        """
        return list(dict.fromkeys(sample.name for sample in _samples(self._page(), self._url)))

    def _page(self) -> str:
        try:
            answer = http_client.call(
                "GET", self._url, timeout_seconds=self._timeout_seconds, answer_bytes_max=_BYTES_MAX
            )
        except http_client.HttpError as error:
            raise StackError(f"the counters cannot be read: {error}") from error
        if answer.status != 200:
            raise StackError(f"the counters cannot be read: {answer.where}: answered {answer.status}")
        return answer.body.decode(errors="replace")


def sums(text: str, keys: Sequence[str], where: str) -> dict[str, float]:
    """Return the sum of each key's samples on a page; a sample that is no finite number is left out.

    Args:
        text: the page.
        keys: names, each alone or with all its labels.
        where: the page's address, for messages.

    Raises:
        ScenarioError: a key is neither a metric's name nor a name with labels.
        StackError: a line of the page is no sample.
    """
    wanted = {key: _wanted(key) for key in keys}
    found: dict[str, float] = {}
    for sample in _samples(text, where):
        value = _finite(sample.value)
        if value is None:
            continue
        for key, (name, labels) in wanted.items():
            if sample.name == name and labels in (None, sample.labels):
                found[key] = found.get(key, 0.0) + value
    return found


def _samples(text: str, where: str) -> Iterator[Sample]:
    # Comments are kept from the parser: told of a TYPE, it adds `_total` to the names of a counter's samples.
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        try:
            yield _sample(content)
        except ValueError as error:
            raise StackError(
                f"{where}: line {number}: not a sample in Prometheus' text format: {_shown(error)!r}. "
                "Check that this URL serves the stack's metrics."
            ) from error


def _sample(line: str) -> Sample:
    """Return the one sample of a line; raises ValueError where it holds none."""
    if len(line) > _LINE_CHARACTERS_MAX:
        raise ValueError(f"longer than {_LINE_CHARACTERS_MAX:,} characters")
    try:
        (family,) = text_string_to_metric_families(line)
        (sample,) = family.samples
    except IndexError as error:  # how the parser meets a label without a name
        raise ValueError("a label has no name") from error
    return sample


def _wanted(key: str) -> tuple[str, Mapping[str, str] | None]:
    """Return a key's name, and its labels where it names them."""
    try:
        sample = _sample(f"{key} 0")
    except ValueError as error:
        raise ScenarioError(
            f'counter "{key}": not a metric of Prometheus ({error}). '
            'Write its name, or its name and all its labels: records_total{state="dropped"}'
        ) from error
    return sample.name, sample.labels if "{" in key else None


def _shown(error: ValueError) -> str:
    """Return the beginning of what the parser says, which quotes the line."""
    said = str(error)
    return f"{said[:_SHOWN_CHARACTERS]}{'…' if len(said) > _SHOWN_CHARACTERS else ''}"


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:  # the parser reads a long row of digits as a whole number
        return None
    return number if math.isfinite(number) else None
