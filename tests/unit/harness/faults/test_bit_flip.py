from random import Random

import pytest

from harness.faults.bit_flip import BitFlip
from harness.model.errors import ScenarioError
from harness.targets.files import FilesTarget


@pytest.fixture
def target(tmp_path):
    (tmp_path / "x.segment").write_bytes(bytes(1_000))
    return FilesTarget("spool", tmp_path, ["*.segment"])


def test_it_lands_once_the_changed_byte_is_read_again_and_stays(target):
    fault = BitFlip(from_share=0.5, to_share=0.6)

    with fault.inject(target, Random(1)):
        landed, proof = fault.evidence(target)

    (place,) = fault.destroyed(target)
    assert landed
    assert place.startswith("x.segment, byte 5")
    assert place in proof


def test_nothing_to_hit_is_no_proof(tmp_path):
    fault, target = BitFlip(), FilesTarget("spool", tmp_path, ["*.segment"])

    with fault.inject(target, Random(1)):
        landed, proof = fault.evidence(target)

    assert not landed
    assert fault.destroyed(target) == []
    assert "no file matches *.segment" in proof


def test_fewer_places_than_planned_are_no_proof(tmp_path):
    (tmp_path / "x").write_bytes(b"ab")
    fault, target = BitFlip(places=3), FilesTarget("spool", tmp_path, ["x"])

    with fault.inject(target, Random(1)):
        landed, proof = fault.evidence(target)

    assert not landed
    assert proof.startswith("2 of 3 bytes")


@pytest.mark.parametrize(
    "arguments", [{"places": 0}, {"places": 1_001}, {"from_share": 0.5, "to_share": 0.5}, {"to_share": 1.1}]
)
def test_what_is_no_place_or_no_part_is_refused(arguments):
    with pytest.raises(ScenarioError):
        BitFlip(**arguments)
