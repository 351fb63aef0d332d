"""No secret is seen in the clear anywhere: stored, on disk, in a log, on the wire, or in an alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.facts import SecretSeen, SecretsSought
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

VETO = "secret leak"
_PLACES_SHOWN = 8
_MIB = 1 << 20


class LeakedSecrets:
    """No secret is seen in the clear anywhere: stored, on disk, in a log, on the wire, or in an alert.

    The load plants canaries of each kind that the stack promises to keep (`promises.secrets`), through every
    path that its intake has. Stored documents, all files that the stack leaves (also while the run is on),
    requests to the store, and mails and posts of alerts are searched for them: as they are, escaped, in
    Base64, hexadecimal, UTF-16 or a URL's encoding, packed with gzip, zlib or zstd, and in halves. One that
    is seen is a leak and a veto, whatever else is right. Without a whole search, or without an acknowledged
    canary of each kind, there is no verdict.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "confidentiality"
    unit: ClassVar[str] = "canaries"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._kinds = charge.promises.secrets

    def lacks(self) -> str:
        """Say that there is nothing to look for where the stack promises nothing."""
        return "" if self._kinds else "the stack promises no secrets"

    def check(self, timeline: Timeline) -> Verdict:
        """Count the canaries that were seen, each once, whatever the number of places."""
        measure = Measure(self.objective, self.dimension, self.unit, 0)
        planted = {(each.kind, each.path) for each in timeline.planted.values()}
        if seen := timeline.secrets_seen:
            leaked = {(each.kind, each.path) for each in seen}
            kinds = ", ".join(sorted({kind for kind, _ in leaked}))
            return measure.verdict(
                Status.FAIL,
                len(leaked),
                f"{len(leaked):,} of {count(len(planted), 'canary secret')} were seen in the clear: {kinds}.",
                evidence=(*_where(seen), *_searched(timeline.secrets_sought)),
                counterexample=_story(min(seen, key=lambda each: (not each.is_whole, each.place))),
                vetoes=(VETO,),
            )
        if why := self._unproved(timeline):
            return measure.verdict(Status.INCONCLUSIVE, None, why)
        paths = ", ".join(dict.fromkeys(path for _, path in sorted(planted)))
        return measure.verdict(
            Status.PASS,
            0,
            f"None of {count(len(planted), 'canary secret')} was seen: {len(self._kinds)} kinds, through "
            f"{paths}.",
            evidence=(*_searched(timeline.secrets_sought),),
        )

    def _unproved(self, timeline: Timeline) -> str:
        """Say why having seen none proves nothing; empty where it does."""
        sought = timeline.secrets_sought
        if sought is None:
            return "The search for canaries did not come to its end."
        if sought.unread:
            return f"Not everything could be searched: {sought.unread}."
        owed = {entry.sequence for entry in timeline.acknowledged()}
        taken = {each.kind for each in timeline.planted.values() if each.sequence in owed}
        if missing := [kind for kind in self._kinds if kind not in taken]:
            return f"The stack acknowledged no record with a canary of these kinds: {', '.join(missing)}."
        return "" if timeline.read_whole else "The archive could not be read whole."


def _where(seen: Sequence[SecretSeen]) -> Iterator[str]:
    """Yield a line a place, the places with most kinds first."""
    places: dict[str, list[SecretSeen]] = {}
    for each in seen:
        places.setdefault(each.place, []).append(each)
    ranked = sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    for place, finds in ranked[:_PLACES_SHOWN]:
        yield f"{place}: {_listed(f'{each.kind} by {each.path}, {each.encoding}' for each in finds)}."
    if len(ranked) > _PLACES_SHOWN:
        yield f"And in {count(len(ranked) - _PLACES_SHOWN, 'more place')}."


def _listed(texts: Iterable[str], most: int = 4) -> str:
    every = list(dict.fromkeys(texts))
    more = f"; and {len(every) - most:,} more" if len(every) > most else ""
    return "; ".join(every[:most]) + more


def _searched(sought: SecretsSought | None) -> Iterator[str]:
    if sought is None:
        return
    mib = sought.read_bytes / _MIB
    messages = f"{count(sought.messages, 'message')} of alerts, " if sought.messages else ""
    yield (
        f"Searched: {messages}{count(sought.documents, 'stored document')} and "
        f"{count(sought.files, 'file')} of {mib:,.1f} MiB, recorded requests among them."
    )
    if sought.beyond:
        yield f"Not looked into: {sought.beyond}."


def _story(seen: SecretSeen) -> tuple[str, ...]:
    part = "It stands there whole" if seen.is_whole else "Half of it stands there"
    lines = [
        f"A canary of kind {seen.kind}, sent through the path {seen.path}, is in {seen.place}.",
        f"{part}, {seen.encoding}, from byte {seen.at_byte:,} on.",
    ]
    if seen.field:
        lines.append(f"The field is {seen.field}.")
    return (*lines, "Its value is not shown here.")
