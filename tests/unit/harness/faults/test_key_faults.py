"""The faults of keys: each proves itself by what is seen from outside, and takes back what it can."""

import time
from random import Random

import pytest

from harness.faults.key_lost import KeyLost
from harness.faults.key_revoked import KeyRevoked
from harness.faults.key_rotated import KeyRotated
from harness.faults.kms_unavailable import KmsUnavailable
from harness.judging.wording import count
from harness.model.errors import FaultError, ScenarioError
from harness.targets.capabilities import KeyVersion
from harness.targets.key_files import KeyFilesTarget


class FakeKeys:
    """Counts versions as a keyring does."""

    def __init__(self, rotates=True, breaks_at=99, outage_tries=1000):
        self.version = 1
        self.rotates, self.breaks_at, self.outage_tries = rotates, breaks_at, outage_tries

    def rotate(self):
        if self.version >= self.breaks_at and self.outage_tries > 0:
            self.outage_tries -= 1
            raise FaultError("keys.rotate: ended with 1")
        self.version += self.rotates

    revoke = rotate

    def begin_rotation(self, seconds):
        return seconds < 1

    def key_version(self):
        return KeyVersion(self.version, f'{{"version": {self.version}}}')

    def undo_rotation(self):
        raise NotImplementedError


def test_a_rotation_has_landed_when_the_version_rose():
    fault, keys = KeyRotated(), FakeKeys()
    with fault.inject(keys, Random(1)):
        assert fault.evidence(keys) == (True, "version 1 before, 2 now")


def test_a_command_that_does_nothing_is_not_proved_to_have_rotated():
    fault, keys = KeyRotated(), FakeKeys(rotates=False)
    with fault.inject(keys, Random(1)):
        assert fault.evidence(keys) == (False, "version 1 before, 1 now")


def test_it_rotates_again_and_again_as_long_as_it_is_on():
    fault, keys = KeyRotated(every_seconds=0.2), FakeKeys()
    until = time.monotonic() + 10
    with fault.inject(keys, Random(1)):
        while keys.version < 4 and time.monotonic() < until:
            time.sleep(0.02)
    ended_at = keys.version
    time.sleep(0.3)

    assert ended_at >= 4
    assert keys.version == ended_at


def test_a_later_rotation_that_fails_is_an_error_at_the_end():
    keys = FakeKeys(breaks_at=2)
    with pytest.raises(FaultError, match=r"keys\.rotate"), KeyRotated(0.2).inject(keys, Random(1)):
        time.sleep(0.6)


def test_rotations_that_fail_in_an_outage_are_told_and_the_next_ones_go_on():
    fault, keys = KeyRotated(0.2, rotations_min=3, failures_max=2), FakeKeys(breaks_at=2, outage_tries=2)
    until = time.monotonic() + 10
    with fault.inject(keys, Random(1)):
        while keys.version < 4 and time.monotonic() < until:
            time.sleep(0.02)
    said = f"version 1 before, {keys.version} now, 3 more required; 2 rotations failed"

    assert fault.evidence_in_all(keys) == (True, said)


def test_fewer_rotations_than_required_are_no_proof():
    fault, keys = KeyRotated(every_seconds=60, rotations_min=3), FakeKeys()
    with fault.inject(keys, Random(1)):
        assert fault.evidence(keys) == (False, "version 1 before, 2 now, 3 more required")

    assert fault.evidence_in_all(keys) == (False, "version 1 before, 2 now, 3 more required")


@pytest.mark.parametrize("arguments", [{"rotations_min": 0}, {"rotations_min": 2}, {"failures_max": 1}])
def test_numbers_of_rotations_that_make_no_sense_are_refused(arguments):
    with pytest.raises(ScenarioError, match=r"rotations_min|failures_max"):
        KeyRotated(**arguments)


def test_a_time_that_no_rotation_can_follow_is_refused():
    with pytest.raises(ScenarioError, match=r"every_seconds 0\.01 is not in 0\.2 to 3,600"):
        KeyRotated(every_seconds=0.01)


@pytest.mark.parametrize(("seconds", "landed"), [(0.1, True), (2.0, False)])
def test_a_rotation_that_was_to_be_cut_must_have_been_running_by_then(seconds, landed):
    fault, keys = KeyRotated(cut_after_seconds=seconds), FakeKeys()
    with fault.inject(keys, Random(1)):
        cut = f"{'1 rotation' if landed else '0 rotations'} killed within {seconds:g} s of the start"
        assert fault.evidence(keys) == (landed, f"version 1 before, 2 now; {cut}")


def test_where_a_rotation_had_ended_by_then_the_next_one_is_killed_sooner():
    fault, keys = KeyRotated(every_seconds=0.2, cut_after_seconds=3), FakeKeys()
    until = time.monotonic() + 10
    with fault.inject(keys, Random(1)):
        while keys.version < 5 and time.monotonic() < until:
            time.sleep(0.02)

    landed, said = fault.evidence(keys)

    assert landed
    # 3 s and 1.5 s were too late, 0.75 s was not.
    assert said.endswith(f"; {count(keys.version - 3, 'rotation')} killed within 3 s of the start")


def test_a_revocation_names_the_version_that_it_destroyed():
    fault, keys = KeyRevoked(), FakeKeys()
    with fault.inject(keys, Random(1)):
        assert fault.evidence(keys) == (True, "version 1 before, 2 after")
        assert fault.destroyed(keys) == ["key version 1"]


@pytest.fixture
def provider(tmp_path):
    (tmp_path / "key").write_bytes(b"secret")
    return KeyFilesTarget("key_provider", tmp_path, ("key",))


@pytest.mark.parametrize("answer", ["none", "garbage"])
def test_the_provider_is_out_of_reach_only_while_it_is_on(provider, tmp_path, answer):
    fault = KmsUnavailable(answer)
    with fault.inject(provider, Random(1)):
        assert fault.evidence(provider)[0]

    assert not fault.evidence(provider)[0]
    assert (tmp_path / "key").read_bytes() == b"secret"


def test_a_lost_key_stays_lost_and_is_named_as_destroyed(provider, tmp_path):
    fault = KeyLost()
    with fault.inject(provider, Random(1)):
        pass

    assert fault.evidence(provider) == (True, "removed for good: key")
    assert fault.destroyed(provider) == ["key file key"]
    assert not (tmp_path / "key").exists()
