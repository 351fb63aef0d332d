"""Stories told to both stores, and a story that ends wrong made as short as it can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests

from tests.differential.comparison import Verdict, judged
from tests.differential.requests_by_seed import Asked

REQUEST_SECONDS_MAX = 20.0
SHRINK_TRIALS_MAX = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that the two stores answer differently, with the story that leads to it."""

    story: tuple[Asked, ...]
    real: tuple[int, Any]
    ours: tuple[int, Any]


@dataclass(slots=True)
class Stores:
    """Both stores.

    Args:
        real: The URL of the real Elasticsearch.
        ours: The URL of the embedded store.
    """

    real: str
    ours: str
    session: requests.Session = field(default_factory=requests.Session)
    counts: Counter[Verdict] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    def ask(self, url: str, asked: Asked) -> tuple[int, Any]:
        """Status and answer of one store; text is what it is."""
        kind = "application/x-ndjson" if isinstance(asked.body, list) else "application/json"
        answer = self.session.request(
            asked.method,
            url + asked.path,
            data=asked.content(),
            headers={"Content-Type": kind},
            timeout=REQUEST_SECONDS_MAX,
        )
        try:
            return answer.status_code, orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            return answer.status_code, answer.text

    def tell(self, story: Sequence[Asked]) -> list[Difference]:
        """Ask a whole story; it ends early where a write is refused or answered differently."""
        found: list[Difference] = []
        for number, asked in enumerate(story):
            real, ours = self.ask(self.real, asked), self.ask(self.ours, asked)
            verdict = judged(asked.body, real, ours)
            self.counts[verdict] += 1
            if verdict is Verdict.REFUSED:
                self.refusals[str(ours[1]["error"]["root_cause"][0]["reason"])] += 1
            if verdict is Verdict.WRONG:
                before = tuple(it for it in story[:number] if it.writes)
                found.append(Difference((*before, asked), real, ours))
            if asked.writes and (verdict is not Verdict.SAME or (number == 0 and real[0] >= 400)):
                break
        self.clean(story)
        return found

    def clean(self, story: Sequence[Asked]) -> None:
        """Delete the story's index from both stores."""
        for url in (self.real, self.ours):
            self.ask(url, Asked("DELETE", story[0].path))

    def shrink(self, difference: Difference) -> Difference:
        """The same difference after fewer requests, as far as some trials get."""
        smallest = difference
        at, trials = len(difference.story) - 2, 0
        while at > 0 and trials < SHRINK_TRIALS_MAX:
            shorter = (*smallest.story[:at], *smallest.story[at + 1 :])
            trials += 1
            again = [it for it in Stores(self.real, self.ours).tell(shorter) if it.story[-1] == shorter[-1]]
            if again:
                smallest = Difference(shorter, again[-1].real, again[-1].ours)
            at -= 1
        return smallest
