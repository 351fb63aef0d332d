"""What `make bench-functions` measures does the work that its table names; here once, on little of it."""

from __future__ import annotations

import orjson
import pytest

from harness.model.protocols import Status
from tests.benchmarks.functions import pairs
from tests.benchmarks.functions.measured import Measured, Round
from tests.benchmarks.functions.pairs import BLOCK_RECORDS, PAIRS

FEW = 2 * BLOCK_RECORDS


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_function_and_reference_take_the_same_work(pair):
    pair.function(pair.prepare(FEW))
    pair.reference(pair.prepare(FEW))


def test_the_reference_of_encoding_makes_the_same_bytes():
    work = pairs.to_encode(FEW)

    assert pairs.encode_all(work) == pairs.dump_all(work)
    assert orjson.loads(pairs.encode_all(work)[1])["labels"]


def test_what_is_framed_is_unframed():
    encoded = pairs.documents(FEW)

    assert pairs.unframe_all(pairs.frame_all(encoded)) == encoded


def test_a_step_of_the_machine_settles_every_record():
    work = pairs.to_deliver(FEW)

    assert pairs.step(work) == FEW
    assert work.machine.held_records == 0


@pytest.mark.parametrize("word", pairs.CHECKED)
def test_the_checkers_reach_a_verdict_on_every_record(word):
    verdict = pairs.check(word)(pairs.arranged(FEW))

    assert verdict.status is Status.PASS
    assert f"{FEW // pairs.FACTS_OF_A_RECORD:,}" in verdict.summary


def test_the_table_has_the_ratio_to_the_reference_and_its_own_noise():
    rounds = [Round(1.0, 1.0, 3.0), Round(2.0, 4.0, 9.0), Round(1.0, 1.5, 5.0)]

    table = Measured({PAIRS[0].name: rounds}).table()

    assert table.splitlines()[-1].endswith("| 3.00 (3.00 to 3.50) | 1.50 (1.25 to 1.75) |")
    assert Measured().table() == ""
