"""Stories told to both stores, and a story that ends wrong made as short as it can be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.differential.asked import Asked
from tests.differential.comparison import Verdict, judged

REQUEST_SECONDS_MAX = 20.0
GIVEN = (("{scroll}", "_scroll_id"), ("{pit}", "pit_id"), ("{pit}", "id"))
"""What an answer gives for later requests, by the key that it stands under."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MADE = ("/_index_template/", "/_component_template/")
SHRINK_TRIALS_MAX = 60


def changes(asked: Asked) -> bool:
    """Whether what comes later may depend on a request."""
    return asked.writes or asked.may_fail or "_pit" in asked.path or "scroll=" in asked.path


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
    given: dict[str, dict[str, str]] = field(default_factory=dict)

    def ask(self, url: str, asked: Asked) -> tuple[int, Any]:
        """Status and answer of one store; text is what it is.

        Args:
            url: The store's.
            asked: The request, in which `{scroll}` and `{pit}` stand for what this store gave last.
        """
        kind = "application/x-ndjson" if isinstance(asked.body, list) else "application/json"
        known = self.given.setdefault(url, {})
        path, content = asked.path, asked.content()
        for name, value in known.items():
            path = path.replace(name, value)
            content = content and content.replace(name.encode(), value.encode())
        answer = self.session.request(
            asked.method, url + path, data=content, headers={"Content-Type": kind},
            timeout=REQUEST_SECONDS_MAX,
        )  # fmt: skip
        # Both stores give a document back with the byte order mark it was sent with, which is no JSON there.
        told = answer.content.replace(BYTE_ORDER_MARK + b"{", b"{")
        try:
            found = json.loads(told)  # keeps whole numbers of any length, and lone surrogates
        except ValueError:
            return answer.status_code, answer.text
        if isinstance(found, dict):
            known |= {word: str(found[key]) for word, key in GIVEN if found.get(key)}
        return answer.status_code, found

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
                before = tuple(it for it in story[:number] if changes(it))
                found.append(Difference((*before, asked), real, ours))
            if asked.may_fail and verdict is not Verdict.SAME and self.undone(asked, real, ours):
                continue
            if changes(asked) and (verdict is not Verdict.SAME or (number == 0 and real[0] >= 400)):
                break
        self.clean(story)
        return found

    def undone(self, asked: Asked, *answers: tuple[int, Any]) -> bool:
        """Whether a document that one store did not take could be taken out of the other without a trace."""
        index = asked.path.split("/")[1]
        mappings = []
        for url, answer in zip((self.real, self.ours), answers, strict=True):
            # One that was not taken has had no number yet: both count the same afterwards.
            for _ in range(1 if answer[0] < 400 else 2):
                self.ask(url, Asked("DELETE", asked.path))
            mappings.append(self.ask(url, Asked("GET", f"/{index}/_mapping")))
        return mappings[0] == mappings[1]

    def clean(self, story: Sequence[Asked]) -> None:
        """Delete what a story made from both stores: streams and indices before their templates."""
        made = {asked.path.partition("?")[0] for asked in story if asked.method == "PUT"}
        paths = [path for path in made if path.count("/") == 1 or path.startswith(MADE)]
        for url in (self.real, self.ours):
            for path in sorted(paths, key=lambda it: it.startswith(MADE)):
                self.ask(url, Asked("DELETE", path))

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
