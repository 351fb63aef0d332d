"""What is sealed opens with its own key, at its own place, and in no other way; no nonce is used twice."""

from __future__ import annotations

import itertools
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logging_system.encryption.envelope import TAG_BYTES, Header, SealError, header_start, read_header
from logging_system.encryption.opening import OUTAGE_SECONDS_MAX, TRUST_SECONDS, Opener
from logging_system.encryption.sealing import Sealer, SealingLimits
from logging_system.keys.data_keys import DataKeyFolder
from logging_system.keys.provider import (
    KeyMissingError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from logging_system.spool.codec import BlockContext, KeyUnavailableError
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.encryption.sealed import Clock, Unreliable, encryption, key_file

PLACE = b"a place"
PLAIN = b"canary 4111 " * 100


def header_of(sealed: bytes) -> Header:
    return read_header(sealed)


def test_what_is_sealed_opens_in_another_process_and_shows_nothing(tmp_path: Path) -> None:
    sealed = encryption(tmp_path).sealer("block").seal(PLAIN, PLACE)

    assert encryption(tmp_path, provider=key_file(tmp_path)).opener("block").open(sealed, PLACE) == PLAIN
    assert b"canary" not in sealed
    assert len(sealed) == header_of(sealed).size_bytes + len(PLAIN) + TAG_BYTES


def test_what_is_sealed_opens_at_no_other_place_and_for_no_other_purpose(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    sealed = made.sealer("block").seal(PLAIN, PLACE)
    for purpose, place in (("block", b"another"), ("block", b""), ("line", PLACE)):
        with pytest.raises(SealError) as refused:
            made.opener(purpose).open(sealed, place)
        assert "canary" not in "".join(traceback.format_exception(refused.value))


def test_two_keys_never_open_one_ciphertext(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    first, second = (made.sealer("block").seal(PLAIN, PLACE) for _ in range(2))
    one, other = header_of(first), header_of(second)
    named_otherwise = header_start("logs", 1, other.data_key_id, one.commitment) + one.nonce
    with pytest.raises(SealError, match="commitment"):
        made.opener("block").open(named_otherwise + first[one.size_bytes :], PLACE)


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_change_of_any_byte_and_no_cut_opens(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is changed: a typed error, and no plaintext in it."""
    made = encryption(tmp_path)
    sealed = made.sealer("block").seal(PLAIN, PLACE)
    opener = made.opener("block")
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(sealed) - 1))
        changed = bytearray(sealed)
        changed[at] ^= data.draw(st.integers(1, 255))
        wrong = bytes(changed)
    else:
        start = data.draw(st.integers(0, len(sealed)))
        end = data.draw(st.integers(start, len(sealed)))
        wrong = sealed[:start] + sealed[end:] if start < end else sealed + b"\0"
    with pytest.raises((SealError, KeyUnavailableError)) as refused:
        opener.open(wrong, PLACE)
    assert "canary" not in "".join(traceback.format_exception(refused.value))


@given(noise=st.binary(max_size=300))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_noise_never_opens(tmp_path: Path, noise: bytes) -> None:
    with pytest.raises((SealError, KeyUnavailableError)):
        encryption(tmp_path, provider=key_file(tmp_path)).opener("block").open(noise, PLACE)


def test_no_nonce_is_used_twice_under_one_data_key_across_forks_threads_and_restarts(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    sealer = made.sealer("block")
    sealed = [sealer.seal(b"x", PLACE) for _ in range(50)]
    for number in range(3):
        child = os.fork()
        if child == 0:
            try:
                mine = [sealer.seal(b"x", PLACE).hex() for _ in range(50)]
                (tmp_path / f"child-{number}").write_text("\n".join(mine))
            finally:
                os._exit(0)
        sealed += [sealer.seal(b"x", PLACE) for _ in range(50)]
        assert os.waitpid(child, 0)[1] == 0
        sealed += map(bytes.fromhex, (tmp_path / f"child-{number}").read_text().splitlines())
    restarted = encryption(tmp_path, provider=key_file(tmp_path)).sealer("block")
    sealed += [restarted.seal(b"x", PLACE) for _ in range(50)]
    used = [(header_of(each).data_key_id, header_of(each).nonce) for each in sealed]

    assert len(set(used)) == len(used) == 50 * 8
    assert len({data_key_id for data_key_id, _ in used}) == 5
    opener = made.opener("block")
    assert {opener.open(each, PLACE) for each in sealed} == {b"x"}


@pytest.mark.parametrize(
    ("limits", "passing"),
    [
        (SealingLimits(age_seconds_max=300), "time"),
        (SealingLimits(records_max=20), "records"),
        (SealingLimits(bytes_max=2000), "bytes"),
    ],
    ids=["age", "records", "bytes"],
)
def test_a_data_key_serves_its_time_and_no_longer(
    tmp_path: Path, limits: SealingLimits, passing: str
) -> None:
    clock = Clock()
    sealer = Sealer(encryption(tmp_path).key_use, "block", limits=limits, monotonic=clock)

    def key_after(count: int) -> bytes:
        clock.now_seconds += 30 if passing == "time" else 0
        sealed = sealer.seal(bytes(200), PLACE, records=2 if passing == "records" else 1)
        return header_of(sealed).data_key_id if count else b""

    ids = [key_after(1) for _ in range(40)]

    assert [len(list(group)) for _, group in itertools.groupby(ids)] == [10, 10, 10, 10]


def test_the_wrapped_data_key_is_on_the_disk_before_anything_is_sealed_with_it(tmp_path: Path) -> None:
    made = encryption(tmp_path)
    (tmp_path / "keyring").mkdir()
    (tmp_path / "keyring" / "data-keys").write_text("in the way")
    with pytest.raises(OSError, match="exists"):
        made.sealer("block").seal(PLAIN, PLACE)


def refused() -> Exception:
    return ProviderRefusedError("permission denied")


@pytest.mark.parametrize("failure", [lambda: ProviderUnavailableError("gone"), refused])
def test_in_an_outage_a_writer_wraps_with_the_public_key_and_readers_open_it_afterwards(
    tmp_path: Path, failure: Callable[[], Exception]
) -> None:
    provider = Unreliable(key_file(tmp_path))
    encryption(tmp_path, provider=provider).key_use.active_version()  # somebody has used the key before
    provider.fail(failure)
    made = encryption(tmp_path, provider=provider)
    sealed = made.sealer("block").seal(PLAIN, PLACE)
    with pytest.raises(KeyUnavailableError):
        made.opener("block").open(sealed, PLACE)
    provider.mend()

    assert made.opener("block").open(sealed, PLACE) == PLAIN


def test_without_a_public_key_the_data_key_in_use_serves_on_to_a_hard_age_and_then_nothing_is_sealed(
    tmp_path: Path,
) -> None:
    provider = Unreliable(key_file(tmp_path), has_public_keys=False)
    made, clock = encryption(tmp_path, provider=provider), Clock()
    limits = SealingLimits(age_seconds_max=300, outage_seconds_max=1000)
    sealer = Sealer(made.key_use, "block", limits=limits, monotonic=clock)
    first = header_of(sealer.seal(PLAIN, PLACE)).data_key_id
    provider.fail()
    clock.now_seconds += 999
    assert header_of(sealer.seal(PLAIN, PLACE)).data_key_id == first
    clock.now_seconds += 1
    for _ in range(3):
        with pytest.raises(KeyUnavailableError):
            sealer.seal(PLAIN, PLACE)
    provider.mend()
    clock.now_seconds += 1
    assert header_of(sealer.seal(PLAIN, PLACE)).data_key_id != first


def test_a_provider_that_fails_is_asked_about_once_a_second(tmp_path: Path) -> None:
    provider = Unreliable(key_file(tmp_path), has_public_keys=False)
    made, clock = encryption(tmp_path, provider=provider), Clock()
    sealer = Sealer(made.key_use, "block", monotonic=clock)
    provider.fail()
    for _ in range(100):
        clock.now_seconds += 0.05
        with pytest.raises(KeyUnavailableError):
            sealer.seal(PLAIN, PLACE)
    assert 5 <= len(provider.calls) <= 7


def test_a_reader_goes_on_in_an_outage_with_what_it_has_and_forgets_it_after_a_while(tmp_path: Path) -> None:
    provider = Unreliable(key_file(tmp_path))
    made, clock = encryption(tmp_path, provider=provider), Clock()
    sealed = made.sealer("block").seal(PLAIN, PLACE)
    opener = Opener(provider, DataKeyFolder(tmp_path / "keyring"), "block", monotonic=clock)
    opener.open(sealed, PLACE)
    provider.fail()
    clock.now_seconds += TRUST_SECONDS
    assert opener.open(sealed, PLACE) == PLAIN
    clock.now_seconds += OUTAGE_SECONDS_MAX
    with pytest.raises(KeyUnavailableError):
        opener.open(sealed, PLACE)


def test_a_destroyed_key_is_damage_and_a_lost_one_is_waited_for(tmp_path: Path) -> None:
    provider = Unreliable(key_file(tmp_path))
    made, clock = encryption(tmp_path, provider=provider), Clock()
    sealed = made.sealer("block").seal(PLAIN, PLACE)
    opener = Opener(provider, DataKeyFolder(tmp_path / "keyring"), "block", monotonic=clock)
    assert opener.open(sealed, PLACE) == PLAIN
    provider.fail(lambda: KeyMissingError("no key"))
    clock.now_seconds += TRUST_SECONDS
    with pytest.raises(KeyUnavailableError, match="logs:1"):
        opener.open(sealed, PLACE)
    provider.mend()
    provider.destroy("logs")
    with pytest.raises(SealError, match="destroyed") as destroyed:
        opener.open(sealed, PLACE)
    assert destroyed.value.is_destroyed


def test_a_data_key_that_is_damaged_or_gone_is_waited_for_because_what_it_seals_is_whole(
    tmp_path: Path,
) -> None:
    made = encryption(tmp_path)
    sealed = made.sealer("block").seal(PLAIN, PLACE)
    (path,) = (tmp_path / "keyring" / "data-keys").iterdir()
    whole = path.read_bytes()
    for content in (b"", b"{}", whole.replace(b'"version":1', b'"version":2'), whole[:-10]):
        path.write_bytes(content)
        with pytest.raises(KeyUnavailableError):
            made.opener("block").open(sealed, PLACE)
    path.unlink()
    with pytest.raises(KeyUnavailableError):
        made.opener("block").open(sealed, PLACE)
    path.write_bytes(whole)
    assert made.opener("block").open(sealed, PLACE) == PLAIN


def test_a_block_is_bound_to_its_writer_and_its_sequences(tmp_path: Path) -> None:
    codec = encryption(tmp_path).codecs().writing
    context = BlockContext(bytes(16), codec.number, 7, 2)
    stored = b"".join(codec.encode(PLAIN, context))
    assert codec.decode(stored, context) == PLAIN
    for other in (
        BlockContext(bytes(15) + b"1", codec.number, 7, 2),
        BlockContext(bytes(16), codec.number, 8, 2),
        BlockContext(bytes(16), codec.number, 7, 3),
    ):
        with pytest.raises(ValueError, match="not what was sealed here"):
            codec.decode(stored, other)


def test_a_full_block_of_a_real_spool_is_sealed_in_place(tmp_path: Path) -> None:
    writer = SpoolWriter(
        tmp_path / "spool", spool_bytes_max=1 << 24, sync=False, codecs=encryption(tmp_path).codecs()
    )
    writer.append([PLAIN] * 10)
    writer.seal()
    (segment,) = (tmp_path / "spool").glob("*.segment")
    assert b"canary" not in segment.read_bytes()
