"""The embedded store answers as the real Elasticsearch does, or refuses: kept cases and new ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.elasticsearch_fixture import lite_server, real_server
from tests.differential.asked import Asked
from tests.differential.comparison import Verdict, judged
from tests.differential.drive import Stores
from tests.differential.stories import STORIES

CORPUS = Path(__file__).parent / "corpus"
CASES = sorted(CORPUS.glob("*.json"))
SEEDS = {
    "documents": range(5_000, 5_012),
    "spellings": range(5_000, 5_003),
    "indices": range(5_000, 5_006),
    "analytics": range(5_000, 5_012),
}
TOLD = [(kind, seed) for kind, seeds in SEEDS.items() for seed in seeds]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    with real_server() as real, lite_server(tmp_path_factory.mktemp("differential") / "data") as ours:
        yield Stores(real, ours)


@pytest.mark.servers
@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_case_that_was_wrong_once_is_right(stores: Stores, case: Path) -> None:
    asked = [Asked(**entry) for entry in json.loads(case.read_text())]

    assert stores.tell(asked) == []


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "seed"), TOLD)
def test_story_is_answered_alike_or_refused(stores: Stores, kind: str, seed: int) -> None:
    assert stores.tell(STORIES[kind](seed)) == []


@pytest.mark.parametrize("kind", STORIES)
def test_same_seed_tells_the_same_story(kind: str) -> None:
    tell = STORIES[kind]

    assert [asked.as_json() for asked in tell(7)] == [asked.as_json() for asked in tell(7)]
    assert tell(7) != tell(8)


def test_wrong_answer_is_not_taken_for_a_refusal() -> None:
    right = (200, {"hits": {"total": {"value": 2, "relation": "eq"}, "hits": []}})
    wrong = (200, {"hits": {"total": {"value": 3, "relation": "eq"}, "hits": []}})
    blamed = (400, {"error": {"root_cause": [{"type": "parsing_exception", "reason": "no such query"}]}})
    refused = (
        400,
        {
            "error": {
                "root_cause": [{"reason": "the embedded store does not support `x`; use --backend local"}]
            }
        },
    )

    assert judged({}, right, right) is Verdict.SAME
    assert judged({}, right, wrong) is Verdict.WRONG
    assert judged({}, right, blamed) is Verdict.WRONG
    assert judged({}, right, refused) is Verdict.REFUSED
