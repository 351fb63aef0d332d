"""Templates of a sample are those of the miner, and nothing of them depends on which record came first."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import Sample, Sampled
from logging_system.analytics.templates import grouped, new_templates
from logging_system.analytics.windows import Window
from tests.templates.log_sets import log_sets
from tests.templates.miners import our_groups
from tests.unit.logging_system.analytics.test_following import at

FOLDER = os.environ.get("LOGHUB_DIR", "")
INDEX = ".ds-logs-shop-main-2026.11.30-000001"


def sampled(*messages: str, logger: str = "shop") -> Sample:
    records = [Sampled({"message": each, "log": {"logger": logger}}, 1.0) for each in messages]
    return Sample(tuple(records), len(records), None)


@pytest.mark.skipif(not FOLDER, reason="LOGHUB_DIR names no folder with the Loghub-2k sets")
def test_groups_of_labelled_logs_are_as_large_as_those_of_the_miner_that_is_judged() -> None:
    """`make prove-templates` judges the miner; here its groups are found again, each by its size."""
    for each in log_sets(Path(FOLDER)):
        mined = sorted(Counter(our_groups(each.messages)).values())
        told = sorted(template.sampled for template in grouped(sampled(*each.messages)).values())
        # Texts of two of its groups may look the same; that joins them, and is no more than a few.
        assert abs(len(told) - len(mined)) <= 0.03 * len(mined) + 1, each.name
        assert sum((Counter(mined) & Counter(told)).values()) >= 0.9 * len(mined), each.name


def test_values_that_are_words_make_no_templates_of_their_own() -> None:
    names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]

    found = grouped(sampled(*(f"session of user {name} opened by root" for name in names * 3)))

    assert [(each.text, each.sampled) for each in found.values()] == [
        ("session of user <*> opened by root", 30)
    ]


def test_two_loggers_that_say_the_same_are_told_apart() -> None:
    records = (*sampled("disk 1 full", logger="a").records, *sampled("disk 2 full", logger="b").records)

    found = grouped(Sample(records, 2, None))

    assert list(found) == [("a", "disk <*> full", ""), ("b", "disk <*> full", "")]


class TwoWindows:
    """A store whose windows hold these messages; of the earlier one a sample shows `shown` of them."""

    def __init__(self, before: list[str], after: list[str], shown: int) -> None:
        self.before, self.after, self.shown = before, after, shown

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        return [self.search(*each) for each in searches]

    def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        del target
        filters = body["query"]["bool"]["filter"]
        is_before = filters[0]["range"]["@timestamp"]["lt"] <= at(20).isoformat().replace("+00:00", "Z")
        phrase = next((each["match_phrase"]["message"] for each in filters if "match_phrase" in each), "")
        is_first = filters[0]["range"]["@timestamp"]["gte"] in {
            "2026-11-30T00:00:00.000Z",
            "2026-11-30T00:00:20.000Z",
        }
        messages = [each for each in (self.before if is_before else self.after) if phrase in each]
        if not phrase and not is_first:
            messages = []
        shown = messages if phrase or not is_before else messages[: self.shown]
        hits = [
            {"_index": INDEX, "_source": {"message": each, "log": {"logger": "shop"}}, "sort": [0]}
            for each in shown
        ]
        return {"hits": {"total": {"value": len(messages), "relation": "eq"}, "hits": hits}}


def told_new(before: list[str], after: list[str], shown: int) -> list[str]:
    store = TwoWindows(before, after, shown)
    windows = Window(at(0), at(20)), Window(at(20), at(40))
    return [each.text for each in new_templates(store, Reach.of(["main"]), *windows).templates]


def test_a_template_that_the_sample_before_missed_is_not_new() -> None:
    before = ["started", *(f"disk {number} is full now" for number in range(5))]

    assert told_new(before, ["disk 77 is full now", "no route to host"], shown=1) == ["no route to host"]


def test_what_is_one_template_only_by_the_later_records_is_not_new() -> None:
    names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"]
    opened = "session of user {} opened by root".format

    assert told_new([opened(names[0])], [*map(opened, names[1:]), "x y z"], shown=1) == ["x y z"]
