"""What every key provider does, whoever keeps the keys; a provider joins in `kept_keys.PROVIDERS`."""

from __future__ import annotations

import os
import pickle
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from logging_system.keys.offline import wrap_offline
from logging_system.keys.provider import (
    DATA_KEY_BYTES,
    KeyDestroyedError,
    KeyMissingError,
    KeyProvider,
    KeyProviderError,
    KeyRetiredError,
    KeyVersions,
    ProviderUnavailableError,
    WrapInvalidError,
)
from logging_system.keys.secret import Secret
from tests.contract.logging_system.keys.kept_keys import PROVIDERS, KeptKeys
from tests.unit.logging_system.connections.frames import outlives

CONTEXT = b"stream logs-shop-default, data key 7"


@pytest.fixture(params=PROVIDERS)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeptKeys]:
    with PROVIDERS[request.param](tmp_path) as kept_keys:
        yield kept_keys


@pytest.fixture
def provider(kept: KeptKeys) -> Iterator[KeyProvider]:
    opened = kept.open()
    opened.create("logs")
    yield opened
    opened.close()


def data_key() -> Secret:
    return Secret(os.urandom(DATA_KEY_BYTES))


def test_a_new_key_has_one_version_and_making_it_again_changes_nothing(provider: KeyProvider) -> None:
    assert provider.versions("logs") == KeyVersions(1, 1)
    wrapped = provider.wrap("logs", 1, key := data_key(), CONTEXT)

    assert provider.create("logs") == KeyVersions(1, 1)
    assert provider.unwrap(wrapped, CONTEXT) == key


def test_another_client_unwraps_what_one_wrapped(kept: KeptKeys, provider: KeyProvider) -> None:
    key = data_key()
    wrapped = provider.wrap("logs", 1, key, CONTEXT)

    assert kept.open().unwrap(wrapped, CONTEXT) == key
    assert (wrapped.key, key.reveal() in wrapped.data) == ("logs:1", False)


def test_a_rotation_makes_one_version_however_often_it_is_asked_for(
    kept: KeptKeys, provider: KeyProvider
) -> None:
    other = kept.open()
    assert other.versions("logs").newest == 1

    assert [provider.rotate("logs", newest=1), other.rotate("logs", newest=1)] == [2, 2]
    assert other.versions("logs") == KeyVersions(1, 2)
    assert provider.rotate("logs", newest=2) == 3


def test_every_version_unwraps_what_it_wrapped_and_writers_may_stay_with_an_older_one(
    provider: KeyProvider,
) -> None:
    provider.rotate("logs", newest=1)
    keys = [data_key(), data_key()]
    wrapped = [provider.wrap("logs", 2, keys[0], CONTEXT), provider.wrap("logs", 1, keys[1], CONTEXT)]

    assert [each.version for each in wrapped] == [2, 1]
    assert [provider.unwrap(each, CONTEXT) for each in wrapped] == keys


@pytest.mark.parametrize("offline", [False, True], ids=["by the provider", "offline"])
def test_wrapped_bytes_are_bound_to_key_version_and_context(provider: KeyProvider, *, offline: bool) -> None:
    provider.create("other")
    provider.rotate("logs", newest=1)
    provider.rotate("other", newest=1)
    if offline:
        public = provider.public_key("logs", 1)
        if public is None:
            pytest.skip("this provider has no public keys")
        wrapped = wrap_offline(public, data_key(), CONTEXT)
    else:
        wrapped = provider.wrap("logs", 1, data_key(), CONTEXT)
    assert len(provider.unwrap(wrapped, CONTEXT)) == DATA_KEY_BYTES
    flipped = bytearray(wrapped.data)
    flipped[-1] ^= 1
    for wrong, context in [
        (replace(wrapped, data=bytes(flipped)), CONTEXT),
        (replace(wrapped, data=wrapped.data[:-1]), CONTEXT),
        (replace(wrapped, data=b""), CONTEXT),
        (replace(wrapped, version=2), CONTEXT),
        (replace(wrapped, key_id="other"), CONTEXT),
        (replace(wrapped, form="unheard of"), CONTEXT),
        (wrapped, CONTEXT + b"x"),
    ]:
        with pytest.raises(WrapInvalidError):
            provider.unwrap(wrong, context)


def test_what_was_wrapped_offline_is_unwrapped_by_any_client(kept: KeptKeys, provider: KeyProvider) -> None:
    public = provider.public_key("logs", 1)
    if public is None:
        pytest.skip("this provider has no public keys")
    kept.take_away()
    wrapped = wrap_offline(public, key := data_key(), CONTEXT)
    kept.bring_back()

    assert kept.open().unwrap(wrapped, CONTEXT) == key


def test_a_version_below_the_minimum_neither_wraps_nor_unwraps_and_the_minimum_never_falls(
    kept: KeptKeys, provider: KeyProvider
) -> None:
    provider.rotate("logs", newest=1)
    old = provider.wrap("logs", 1, data_key(), CONTEXT)
    new = provider.wrap("logs", 2, key := data_key(), CONTEXT)

    assert provider.raise_minimum("logs", 2) == KeyVersions(2, 2)
    assert provider.raise_minimum("logs", 1) == KeyVersions(2, 2)
    for client in (provider, kept.open()):
        with pytest.raises(KeyRetiredError) as retired:
            client.unwrap(old, CONTEXT)
        assert (retired.value.key_id, retired.value.version) == ("logs", 1)
        with pytest.raises(KeyRetiredError):
            client.wrap("logs", 1, data_key(), CONTEXT)
        assert client.unwrap(new, CONTEXT) == key


def test_a_version_that_may_be_in_use_is_not_destroyed(provider: KeyProvider) -> None:
    with pytest.raises(ValueError, match="raise the minimum"):
        provider.destroy("logs", through_version=1)
    assert provider.versions("logs") == KeyVersions(1, 1)


def test_a_destroyed_version_is_told_from_one_that_is_missing(provider: KeyProvider) -> None:
    provider.rotate("logs", newest=1)
    old = provider.wrap("logs", 1, data_key(), CONTEXT)
    new = provider.wrap("logs", 2, key := data_key(), CONTEXT)
    provider.raise_minimum("logs", 2)
    for _ in range(2):
        provider.destroy("logs", through_version=1)

    with pytest.raises(KeyDestroyedError):
        provider.unwrap(old, CONTEXT)
    with pytest.raises(KeyMissingError):
        provider.unwrap(replace(old, version=9), CONTEXT)
    assert provider.unwrap(new, CONTEXT) == key


def test_a_destroyed_key_is_gone_for_every_client_and_its_id_is_not_used_again(
    kept: KeptKeys, provider: KeyProvider
) -> None:
    other = kept.open()
    provider.create("kept")
    wrapped = provider.wrap("logs", 1, data_key(), CONTEXT)
    still_there = provider.wrap("kept", 1, key := data_key(), CONTEXT)
    other.unwrap(wrapped, CONTEXT)
    for _ in range(2):
        provider.destroy("logs")

    for client in (provider, other):
        with pytest.raises(KeyDestroyedError):
            client.unwrap(wrapped, CONTEXT)
        with pytest.raises(KeyDestroyedError):
            client.versions("logs")
        with pytest.raises(KeyDestroyedError):
            client.create("logs")
        assert client.unwrap(still_there, CONTEXT) == key


def test_a_key_that_never_was_is_missing_for_every_request(provider: KeyProvider) -> None:
    provider.close()
    wrapped = provider.wrap("logs", 1, data_key(), CONTEXT)
    for ask in (
        lambda: provider.versions("none"),
        lambda: provider.rotate("none", newest=1),
        lambda: provider.wrap("none", 1, data_key(), CONTEXT),
        lambda: provider.wrap("logs", 2, data_key(), CONTEXT),
        lambda: provider.unwrap(replace(wrapped, key_id="none"), CONTEXT),
        lambda: provider.raise_minimum("none", 1),
        lambda: provider.raise_minimum("logs", 2),
        lambda: provider.destroy("none"),
        lambda: provider.public_key("none", 1),
    ):
        with pytest.raises(KeyMissingError):
            ask()


def test_an_id_that_would_not_be_a_name_everywhere_is_refused(provider: KeyProvider) -> None:
    for wrong in ("", "Logs", "a/b", "../x", "a" * 65, "-a", "ä"):
        with pytest.raises(ValueError, match="a key id has"):
            provider.create(wrong)


def test_an_outage_is_told_as_one_and_everything_is_there_when_it_ends(
    kept: KeptKeys, provider: KeyProvider
) -> None:
    wrapped = provider.wrap("logs", 1, key := data_key(), CONTEXT)
    kept.take_away()
    for ask in (
        lambda: provider.versions("logs"),
        lambda: provider.rotate("logs", newest=1),
        lambda: provider.wrap("logs", 1, data_key(), CONTEXT),
        lambda: provider.unwrap(wrapped, CONTEXT),
        lambda: provider.raise_minimum("logs", 1),
        lambda: provider.destroy("logs"),
    ):
        with pytest.raises(ProviderUnavailableError):
            ask()
    outliving = outlives(lambda: provider.unwrap(wrapped, CONTEXT), ProviderUnavailableError)
    kept.bring_back()

    assert provider.unwrap(wrapped, CONTEXT) == key
    assert provider.versions("logs") == KeyVersions(1, 1)
    assert not outliving  # else each attempt would keep what whoever asks is about to open


def test_no_error_and_no_repr_shows_a_key_and_what_was_wrapped_cannot_be_pickled(
    provider: KeyProvider,
) -> None:
    key = data_key()
    wrapped = provider.wrap("logs", 1, key, CONTEXT)
    shown = [repr(key), repr(wrapped), repr(provider), str(provider)]
    for wrong in (replace(wrapped, version=9), replace(wrapped, data=key.reveal())):
        try:
            provider.unwrap(wrong, CONTEXT)
        except KeyProviderError as error:
            shown += ["".join(traceback.format_exception(error)), repr(error), repr(vars(error))]
    needles = [key.reveal().hex(), repr(key.reveal())[2:-1], repr(wrapped.data)[2:-1]]

    assert len(shown) == 4 + 2 * 3
    assert [needle for needle in needles for text in shown if needle in text] == []
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_several_threads_use_one_client(provider: KeyProvider) -> None:
    failures: list[BaseException] = []

    def use() -> None:
        try:
            for _ in range(10):
                key = data_key()
                assert provider.unwrap(provider.wrap("logs", 1, key, CONTEXT), CONTEXT) == key
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def test_a_forked_child_uses_the_client_it_inherited(provider: KeyProvider) -> None:
    wrapped = provider.wrap("logs", 1, key := data_key(), CONTEXT)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if provider.unwrap(wrapped, CONTEXT) == key else 1
        finally:
            os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert provider.unwrap(wrapped, CONTEXT) == key
