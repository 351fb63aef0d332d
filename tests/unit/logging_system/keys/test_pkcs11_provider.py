"""What a token, its library and its PIN can be is told apart, and the PIN shown to nobody."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pkcs11 as pkcs11_library
import pytest
from pkcs11 import Attribute, ObjectClass, Session

from logging_system.keys.provider import KeyProviderError, ProviderRefusedError, ProviderUnavailableError
from logging_system.keys.providers import open_provider
from logging_system.keys.providers.pkcs11 import Pkcs11Provider
from logging_system.keys.providers.pkcs11_token import TokenSession
from logging_system.keys.secret import Secret
from tests.contract.logging_system.keys.kept_by_softhsm import LABEL, PIN, new_token
from tests.key_servers.installed import need_softhsm

WRONG_PIN = "canary-4711"
CONTEXT = b"stream"


@pytest.fixture(scope="module")
def library() -> Path:
    found = need_softhsm()
    new_token(found)
    return found


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    path = tmp_path / "pin"
    path.touch(0o600)
    path.write_text(PIN)
    return path


def refusal(ask: Callable[[], object], expected: type[KeyProviderError]) -> str:
    with pytest.raises(expected) as raised:
        ask()
    return "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))


def test_a_wrong_pin_is_tried_once_until_it_changes_and_never_shown(library: Path, pin: Path) -> None:
    pin.write_text(WRONG_PIN)
    provider = Pkcs11Provider(TokenSession(library, LABEL, pin))
    texts = [refusal(lambda: provider.versions("logs"), ProviderRefusedError) for _ in range(3)]

    assert [WRONG_PIN in text for text in texts] == [False] * 3
    assert ["see " in text for text in texts] == [False, True, True]  # those that did not ask the token
    assert WRONG_PIN not in repr(provider) + repr(vars(provider))
    pin.write_text(PIN)
    assert provider.create("logs").newest == 1
    provider.close()


def test_keys_never_leave_the_token(library: Path, pin: Path) -> None:
    token = TokenSession(library, LABEL, pin)
    provider = Pkcs11Provider(token, prefix="stays-")
    provider.create("logs")

    def kinds(session: Session) -> list[tuple[bool, bool]]:
        found = session.get_objects(
            {Attribute.LABEL: "stays-logs:1", Attribute.CLASS: ObjectClass.SECRET_KEY}
        )
        return [(key[Attribute.EXTRACTABLE], key[Attribute.SENSITIVE]) for key in found]

    assert token.use(kinds) == [(False, True)]
    provider.close()


def test_a_session_that_ended_is_opened_again(library: Path, pin: Path) -> None:
    provider = Pkcs11Provider(TokenSession(library, LABEL, pin), prefix="again-")
    provider.create("logs")
    wrapped = provider.wrap("logs", 1, key := Secret(bytes(range(32))), CONTEXT)
    loaded = pkcs11_library.lib(str(library))
    loaded.finalize()
    loaded.initialize()

    assert provider.unwrap(wrapped, CONTEXT) == key
    provider.close()


def test_two_keys_of_one_version_made_in_the_same_moment_unwrap_what_each_wrapped(
    library: Path, pin: Path
) -> None:
    token = TokenSession(library, LABEL, pin)
    provider = Pkcs11Provider(token, prefix="twice-")
    provider.create("logs")
    keys = [Secret(bytes([number] * 32)) for number in range(6)]
    wrapped = [provider.wrap("logs", 1, key, CONTEXT) for key in keys[:3]]
    token.use(lambda session: provider._generate(session, "logs", 1))
    wrapped += [provider.wrap("logs", 1, key, CONTEXT) for key in keys[3:]]

    assert [provider.unwrap(each, CONTEXT) for each in wrapped] == keys
    assert provider.versions("logs").newest == 1
    provider.close()


def test_a_token_that_is_not_there_is_an_outage_and_no_library_a_mistake(library: Path, pin: Path) -> None:
    elsewhere = Pkcs11Provider(TokenSession(library, "another token", pin))
    refusal(lambda: elsewhere.versions("logs"), ProviderUnavailableError)
    no_library = Pkcs11Provider(TokenSession(pin, LABEL, pin))
    assert "cannot be loaded" in refusal(lambda: no_library.versions("logs"), ProviderRefusedError)
    pin.chmod(0o644)
    readable = Pkcs11Provider(TokenSession(library, LABEL, pin))
    assert "chmod 600" in refusal(lambda: readable.versions("logs"), ProviderRefusedError)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"library": None}, "library: not given"),
        ({"token": None}, "token: not given"),
        ({"prefix": "a:b"}, "prefix: has other"),
        ({"slot": 1}, "slot: no such key"),
    ],
)
def test_a_mistake_in_the_setting_is_told_with_its_remedy(change: dict[str, object], wrong: str) -> None:
    arguments: dict[str, object] = {"library": "/usr/lib/hsm.so", "token": "logs", **change}
    with pytest.raises(ValueError, match=wrong):
        open_provider("pkcs11", {name: value for name, value in arguments.items() if value is not None})
