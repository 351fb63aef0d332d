"""Which messages there are, told apart by what they say without their numbers, and which of them are new."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logging_system.analytics.answers import Partial, hits_of, joined, partial_of, total_of
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import RECORDS_MAX, Sample, sample, value_of
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.windows import Window
from logging_system.monitoring.error_templates import PLACEHOLDER, TEXT_CHARACTERS_MAX, Templates, printable

TEMPLATES_MAX = 500
CANDIDATES_MAX = 20
SEALED = "[sealed]"
"""Stands in place of a field that only the holder of its key can read."""

_CHECKED_MAX = 50
# Between white space: what touches a placeholder, a dot or a "_" is a part of a longer word to the store.
_WORDS = re.compile(r"(?<!\S)[^\W\d_]{2,}[,:;]?(?:\s+[^\W\d_]{2,}[,:;]?)*(?!\S)")


@dataclass(frozen=True, slots=True)
class Template:
    """Messages that differ by their numbers alone.

    Attributes:
        text: What they say, a placeholder for each number.
        logger: Who logs them.
        error: The class of the exception; empty where there is none.
        sampled: How many of them were looked at.
        estimate: How many there are, as far as the sample tells.
        example: One of them, cut short.
    """

    text: str
    logger: str
    error: str
    sampled: int
    estimate: float
    example: str


@dataclass(frozen=True, slots=True)
class TopTemplates:
    """The templates of a window, the most frequent first.

    Attributes:
        templates: Them.
        count: How many records there are.
        share: Which share of them was looked at; below 1 a rare template may be missed.
        partial: Why the records are only a part; None where they are all.
    """

    templates: tuple[Template, ...]
    count: int
    share: float
    partial: Partial | None


@dataclass(frozen=True, slots=True)
class NewTemplates:
    """Templates seen in one window and not in the one before.

    Attributes:
        templates: Them; the store was asked for each whether it came before.
        unchecked: Those of which that could not be told: they have no words to ask for, or too many others
            have the same.
        share: Which share of the later records was looked at.
        partial: Why that is only a part; None where it is all.
    """

    templates: tuple[Template, ...]
    unchecked: tuple[Template, ...]
    share: float
    partial: Partial | None


def message_of(source: Mapping[str, Any]) -> str:
    """Return a document's message; a marker where it is sealed."""
    message = value_of(source, "message")
    if isinstance(message, str):
        return message
    return SEALED if "encrypted" in source else ""


def top_templates(
    queries: StoreQueries, reach: Reach, window: Window, *, query: Mapping[str, Any] | None = None
) -> TopTemplates:
    """Tell the templates of a window, as far as a sample shows them.

    Args:
        queries: Asks the store.
        reach: The data streams.
        window: The time.
        query: A condition beside the time, such as `sampling.ERRORS`.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store gave a document that was not asked for.
    """
    taken = sample(queries, reach, window, query=query)
    return TopTemplates(
        tuple(grouped(taken).values())[:TEMPLATES_MAX], taken.count, taken.share, taken.partial
    )


def grouped(taken: Sample) -> dict[tuple[str, str, str], Template]:
    """Return the templates of a sample by logger, text and exception, the most frequent first."""
    masking = Templates()
    found: dict[tuple[str, str, str], Template] = {}
    for record in taken.records:
        message = printable(message_of(record.source)[:TEXT_CHARACTERS_MAX])
        logger = str(value_of(record.source, "log.logger") or "")
        error = str(value_of(record.source, "error.type") or "")
        key = (logger, masking.template(message), error)
        known = found.get(key) or Template(key[1], logger, error, 0, 0.0, message)
        found[key] = Template(
            known.text, logger, error, known.sampled + 1, known.estimate + record.weight, known.example
        )
    return dict(sorted(found.items(), key=lambda each: (-each[1].estimate, each[0])))


def new_templates(
    queries: StoreQueries,
    reach: Reach,
    before: Window,
    after: Window,
    *,
    query: Mapping[str, Any] | None = None,
    records_max: int = RECORDS_MAX,
) -> NewTemplates:
    """Tell the templates that came in one window and not in another.

    A sample of both finds candidates; then the store is asked for each of them in the earlier window, so that
    none is called new because a sample missed it.

    Args:
        queries: Asks the store.
        reach: The data streams.
        before: The time in which they must not have come.
        after: The time in which they came.
        query: A condition beside the time.
        records_max: How many records of each window are read at most.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store gave a document that was not asked for.
    """
    earlier = sample(queries, reach, before, query=query, records_max=records_max)
    later = sample(queries, reach, after, query=query, records_max=records_max)
    known = grouped(earlier)
    candidates = [each for key, each in grouped(later).items() if key not in known]
    asked = [each for each in candidates if words_of(each.text)][:CANDIDATES_MAX]
    unasked = [each for each in candidates if each not in asked]
    if earlier.share >= 1.0 and earlier.partial is None:
        # All records before were looked at, so nothing need be asked.
        return NewTemplates(tuple(candidates), (), later.share, later.partial)
    answers = queries.multi_search([(reach.target, _search_for(each, before)) for each in asked])
    new, doubtful = [], list(unasked)
    for template, answer in zip(asked, answers, strict=True):
        verdict = _came(template, answer, reach)
        if verdict is None:
            doubtful.append(template)
        elif not verdict:
            new.append(template)
    lacking = joined([earlier.partial, later.partial, *map(partial_of, answers)])
    return NewTemplates(tuple(new), tuple(doubtful), later.share, lacking)


def words_of(template: str) -> str:
    """Return the longest run of whole words in a template, by which a full-text search finds it.

    The last word of a text that may have been cut short is left out.
    """
    is_whole = len(template.replace(PLACEHOLDER, "0")) < TEXT_CHARACTERS_MAX // 2
    whole = template if is_whole else template.rpartition(" ")[0]
    return max(_WORDS.findall(whole), key=len, default="")


def _search_for(template: Template, window: Window) -> dict[str, Any]:
    return {
        "size": _CHECKED_MAX,
        "track_total_hits": True,
        "query": {
            "bool": {
                "filter": [
                    window.query,
                    {"match_phrase": {"message": words_of(template.text)}},
                    *([{"term": {"log.logger": template.logger}}] if template.logger else []),
                ]
            }
        },
        "sort": [{"@timestamp": "desc"}],
        "_source": ["message", "log.logger", "error.type", "encrypted"],
    }


def _came(template: Template, answer: Mapping[str, Any], reach: Reach) -> bool | None:
    """Whether a template is among the hits; None where not all hits were looked at and none has it."""
    masking = Templates()
    hits = hits_of(answer)
    for hit in hits:
        reach.check(hit.get("_index"))
        source = hit.get("_source")
        message = printable(message_of(source if isinstance(source, dict) else {})[:TEXT_CHARACTERS_MAX])
        error = str(value_of(source if isinstance(source, dict) else {}, "error.type") or "")
        if masking.template(message) == template.text and error == template.error:
            return True
    if total_of(answer) > len(hits) or partial_of(answer) is not None:
        return None
    return False


def rounded(estimate: float) -> int:
    """Return an estimate as a whole number."""
    return math.floor(estimate + 0.5)
