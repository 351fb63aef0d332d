"""Every record logged in a span is stored with that span's ids, and the stack's own spans link to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import orjson

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.facts import Found, InSpan
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A record whose ids are not those it was logged with; `owner` has them instead, where one does."""

    sequence: int
    copy: str
    sent: str
    stored: str
    owner: int | None

    def sentence(self) -> str:
        whose = "" if self.owner is None else f", that of record {self.owner}"
        stored = f"is stored with {self.stored}{whose}" if self.stored else "is stored without one"
        return f"Record {self.sequence} was logged in {self.sent} and {stored}, at {self.copy}."


class TracesIncomplete:
    """Every record logged in a span is stored with that span's ids, and the stack's own spans link to it.

    The load logs three of four records within spans of OpenTelemetry that differ from one record to the next.
    Every stored copy of an acknowledged record must have the trace id and the span id that were current in
    its log call, and none where none was. Where the stack file says where the stack's own spans are, at least
    one of them must link to each such record's span, or count the link among those that it dropped.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "records"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._promised = charge.promises.traces
        self._has_spans = charge.spans

    def lacks(self) -> str:
        """Say that there is nothing to compare where the stack promises nothing."""
        return "" if self._promised else "the stack promises no traces"

    def check(self, timeline: Timeline) -> Verdict:
        """Count the records with wrong ids, and those that no span of the stack links to."""
        measure = Measure(self.objective, self.dimension, self.unit, 0)
        compared = {
            entry.sequence: timeline.copies.get(entry.sequence, []) for entry in timeline.acknowledged()
        }
        wrong = list(_wrong(timeline, compared))
        stored = [sequence for sequence in timeline.in_span if compared.get(sequence)]
        unlinked, why = self._unlinked(timeline, stored)
        if wrong or unlinked:
            return measure.verdict(
                Status.FAIL,
                len({each.sequence for each in wrong}) + unlinked,
                _summary(wrong, unlinked, len(stored)),
                counterexample=tuple(each.sentence() for each in wrong[:_SHOWN]),
            )
        if not stored:
            why = "No acknowledged record that was logged in a span could be read back."
        elif not timeline.read_whole:
            why = "The archive could not be read whole."
        if why:
            return measure.verdict(Status.INCONCLUSIVE, None, why)
        linked = ", and a span of the stack links to each" if self._has_spans else ""
        said = f"All {count(len(stored), 'record')} have the ids of the span they were logged in{linked}."
        return measure.verdict(Status.PASS, 0, said)

    def _unlinked(self, timeline: Timeline, stored: list[int]) -> tuple[int, str]:
        """Return how many records no span links to, or why nobody can say."""
        if not self._has_spans:
            return 0, ""
        read = timeline.spans_read
        if read is None or read.unread:
            return 0, f"The stack's own spans could not be read: {'' if read is None else read.unread}."
        missing = sum(sequence not in timeline.linked for sequence in stored)
        return max(0, missing - read.dropped_links), ""


def _wrong(timeline: Timeline, compared: Mapping[int, list[Found]]) -> Iterator[_Wrong]:
    owners = {_ids(each): each.sequence for each in timeline.in_span.values()}
    for sequence, copies in compared.items():
        sent = _ids(timeline.in_span.get(sequence))
        for copy in copies:
            if copy.ambiguous or not copy.fields:
                continue
            stored = _stored(copy)
            if stored != sent:
                yield _Wrong(
                    sequence, copy.copy, _shown(sent) or "no span", _shown(stored), owners.get(stored)
                )
                break


def _ids(logged: InSpan | None) -> tuple[str, str]:
    return ("", "") if logged is None else (logged.trace_id, logged.span_id)


def _stored(copy: Found) -> tuple[str, str]:
    values = orjson.loads(copy.fields)
    return tuple(str(values.get(name) or "") for name in ("trace", "span"))  # type: ignore[return-value]  # two


def _shown(ids: tuple[str, str]) -> str:
    return f"trace {ids[0] or 'none'}, span {ids[1] or 'none'}" if any(ids) else ""


def _summary(wrong: list[_Wrong], unlinked: int, stored: int) -> str:
    records = len({each.sequence for each in wrong})
    none = sum(not each.stored for each in wrong)
    others = sum(each.owner is not None for each in wrong)
    parts = []
    if records:
        kinds = {
            "without ids": none,
            "with those of another record": others,
            "with others": records - none - others,
        }
        told = ", ".join(f"{number:,} {words}" for words, number in kinds.items() if number)
        parts.append(
            f"{count(records, 'record')} {'is' if records == 1 else 'are'} stored with wrong ids ({told})"
        )
    if unlinked:
        parts.append(f"no span of the stack links to {count(unlinked, 'record')}")
    said = f"{'; '.join(parts)}, of {stored:,} that were logged in a span."
    return said[0].upper() + said[1:]
