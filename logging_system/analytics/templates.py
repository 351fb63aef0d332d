"""Which messages there are, told apart by what they say without their values, and which of them are new.

The templates are those of `coordination/learning`, learnt anew for each question from the sample alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from logging_system.analytics.answers import Partial, hits_of, joined, partial_of, total_of
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import RECORDS_MAX, Sample, sample, value_of
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.windows import Window
from logging_system.coordination.learning.miner import TemplateMiner
from logging_system.coordination.learning.template import Template as Mined
from logging_system.coordination.learning.template import current
from logging_system.monitoring.error_templates import TEXT_CHARACTERS_MAX, printable

TEMPLATES_MAX = 500
CANDIDATES_MAX = 20
SEALED = "[sealed]"
"""Stands in place of a field that only the holder of its key can read."""

_CHECKED_MAX = 50
_Key = tuple[str, str, str]
"""Logger, text of the template, and class of the exception."""
# Between white space: what touches a placeholder, a dot or a "_" is a part of a longer word to the store.
_WORDS = re.compile(r"(?<!\S)[^\W\d_]{2,}[,:;]?(?:\s+[^\W\d_]{2,}[,:;]?)*(?!\S)")


@dataclass(frozen=True, slots=True)
class Template:
    """Messages that differ by their values alone.

    Attributes:
        text: What they say, `<*>` for each value.
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
    """Return a document's message; a marker where it is sealed.

    Args:
        source: The document, as it is stored.
    """
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


def grouped(taken: Sample) -> dict[_Key, Template]:
    """Return the templates of a sample by logger, text and exception, the most frequent first.

    Args:
        taken: Records with their weights; a template counts the weights of its own.
    """
    return _Messages().learn(taken).templates()


class _Messages:
    """Messages of one sample or several, grouped by templates learnt from all of them.

    Which template a message has may change with what is learnt later, so groups are asked for at the end. The
    miner keeps 5,000 templates at most, and there are as many messages as samples have.
    """

    def __init__(self, miner: TemplateMiner | None = None) -> None:
        self._miner = TemplateMiner() if miner is None else miner
        self._learnt: list[tuple[_Message, float]] = []

    def learn(self, taken: Sample) -> _Messages:
        """Take in a sample; returns itself."""
        self._learnt += [(self.message(each.source), each.weight) for each in taken.records]
        return self

    def beside(self) -> _Messages:
        """Return a place for other messages that are grouped by the same templates."""
        return _Messages(self._miner)

    def message(self, source: Mapping[str, Any]) -> _Message:
        """Learn from a document; return what it says."""
        text = printable(message_of(source))
        logger = str(value_of(source, "log.logger") or "")
        error = str(value_of(source, "error.type") or "")
        return _Message(logger, self._miner.learn(text), error, text[:TEXT_CHARACTERS_MAX])

    def templates(self) -> dict[_Key, Template]:
        """Return the templates by logger, text and exception, the most frequent first."""
        found: dict[_Key, Template] = {}
        for message, weight in self._learnt:
            key = message.key
            known = found.get(key) or Template(key[1], key[0], key[2], 0, 0.0, message.example)
            found[key] = replace(known, sampled=known.sampled + 1, estimate=known.estimate + weight)
        return dict(sorted(found.items(), key=lambda each: (-each[1].estimate, each[0])))

    def one(self, key: _Key) -> _Message:
        """Return a message that has a template."""
        return next(message for message, _ in self._learnt if message.key == key)


@dataclass(frozen=True, slots=True)
class _Message:
    """What one document says, and the template that it was learnt as."""

    logger: str
    mined: Mined
    error: str
    example: str

    @property
    def key(self) -> _Key:
        """Its template as it is now."""
        return self.logger, current(self.mined).text, self.error


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
    # Learnt from both before either is grouped: what became one template by the later ones is one in both.
    before_it = _Messages().learn(earlier)
    after_it = before_it.beside().learn(later)
    known = before_it.templates()
    candidates = [each for key, each in after_it.templates().items() if key not in known]
    asked = [each for each in candidates if words_of(each.text)][:CANDIDATES_MAX]
    unasked = [each for each in candidates if each not in asked]
    if earlier.share >= 1.0 and earlier.partial is None:
        # All records before were looked at, so nothing need be asked.
        return NewTemplates(tuple(candidates), (), later.share, later.partial)
    answers = queries.multi_search([(reach.target, _search_for(each, before)) for each in asked])
    new, doubtful = [], list(unasked)
    for template, answer in zip(asked, answers, strict=True):
        verdict = _came(
            after_it.one((template.logger, template.text, template.error)), answer, reach, after_it
        )
        if verdict is None:
            doubtful.append(template)
        elif not verdict:
            new.append(template)
    lacking = joined([earlier.partial, later.partial, *map(partial_of, answers)])
    return NewTemplates(tuple(new), tuple(doubtful), later.share, lacking)


def words_of(template: str) -> str:
    """Return the longest run of whole words in a template, by which a full-text search finds it."""
    return max(_WORDS.findall(template), key=len, default="")


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


def _came(template: _Message, answer: Mapping[str, Any], reach: Reach, messages: _Messages) -> bool | None:
    """Whether a template is among the hits; None where not all hits were looked at and none has it."""
    hits = hits_of(answer)
    for hit in hits:
        reach.check(hit.get("_index"))
        source = hit.get("_source")
        found = messages.message(source if isinstance(source, dict) else {})
        if found.key[1:] == template.key[1:]:
            return True
    if total_of(answer) > len(hits) or partial_of(answer) is not None:
        return None
    return False


def rounded(estimate: float) -> int:
    """Return an estimate as a whole number."""
    return math.floor(estimate + 0.5)
