"""The primitives answer as NIST, the RFCs and Wycheproof published, through the calls that we make."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from logging_system.keys.derivation import derive
from logging_system.keys.offline import unwrap_hpke
from logging_system.keys.provider import FORM_HPKE, WrapInvalidError, WrappedKey
from logging_system.keys.secret import Secret

VECTORS = Path(cryptography_vectors.__file__).parent


def answers(path: str) -> Iterator[dict[str, bytes | None]]:
    """Yield the cases of a file of `Name = hex` lines; FAIL is the name of one that must be refused."""
    case: dict[str, bytes | None] = {}
    for line in [*(VECTORS / path).read_text().splitlines(), ""]:
        name, equals, value = (part.strip() for part in line.partition("="))
        if equals and not line.startswith(("[", "#", "Hash", "COUNT", "Count")):
            case[name] = int(value).to_bytes(2) if name == "L" else bytes.fromhex(value)
        elif name == "FAIL":
            case[name] = None
        elif not line and case.keys() & {"OKM", "Tag"}:
            yield case
            case = {}


def test_aes_256_gcm_opens_what_nist_sealed_and_refuses_what_is_wrong() -> None:
    opened = refused = 0
    for case in answers("ciphers/AES/GCM/gcmDecrypt256.rsp"):
        key, nonce, tag = (case[name] or b"" for name in ("Key", "IV", "Tag"))
        if len(nonce) != 12 or len(tag) != 16:
            continue  # not of our format
        sealed = (case["CT"] or b"") + tag
        if "FAIL" in case:
            refused += 1
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(nonce, sealed, case["AAD"])
        else:
            opened += 1
            assert AESGCM(key).decrypt(nonce, sealed, case["AAD"]) == (case["PT"] or b"")
    assert opened > 100
    assert refused > 100


def test_hkdf_gives_what_rfc_5869_says() -> None:
    cases = list(answers("KDF/rfc-5869-HKDF-SHA256.txt"))
    for case in cases:
        length = int.from_bytes(case["L"] or b"")
        hkdf = HKDF(SHA256(), length, salt=case["salt"] or None, info=case["info"])
        assert hkdf.derive(case["IKM"] or b"") == case["OKM"]
    assert len(cases) == 3


def test_keys_for_two_purposes_have_nothing_in_common() -> None:
    secret = Secret(bytes(range(32)))
    seal, commit = derive(secret, b"seal").reveal(), derive(secret, b"commit").reveal()

    assert len({secret.reveal(), seal, commit}) == 3
    assert derive(secret, b"seal").reveal() == seal


def test_hpke_follows_the_key_schedule_of_rfc_9180() -> None:
    cases = [
        case
        for case in json.loads((VECTORS / "HPKE" / "test-vectors.json").read_text())
        if (case["mode"], case["kem_id"], case["kdf_id"], case["aead_id"]) == (0, 0x20, 1, 2)
    ]
    for case in cases:
        data = {name: bytes.fromhex(case[name]) for name in ("skRm", "enc", "info", "key", "base_nonce")}
        # The vectors authenticate data of their own, where we have none: their key and nonce are the answer.
        sealed = data["enc"] + AESGCM(data["key"]).encrypt(data["base_nonce"], bytes(32), b"")
        private_key = X25519PrivateKey.from_private_bytes(data["skRm"])
        wrapped = WrappedKey("logs", 1, FORM_HPKE, sealed)

        assert unwrap_hpke(private_key, wrapped, data["info"]) == Secret(bytes(32))
        with pytest.raises(WrapInvalidError):
            unwrap_hpke(private_key, wrapped, data["info"] + b"x")
    assert len(cases) == 1


def wycheproof(name: str) -> list[dict[str, Any]]:
    """Return the groups of a file of Wycheproof, which `make wycheproof` fetches."""
    folder = Path(os.environ.get("GOMODCACHE") or Path.home() / "go" / "pkg" / "mod")
    found = sorted(folder.glob(f"github.com/google/wycheproof@*/testvectors/{name}_test.json"))
    if not found:
        pytest.skip("Wycheproof is not here; `make wycheproof` fetches it with Go")
    groups: list[dict[str, Any]] = json.loads(found[-1].read_text())["testGroups"]
    return groups


def test_aes_256_gcm_decides_as_wycheproof_does() -> None:
    decided = Counter[str]()
    for group in wycheproof("aes_gcm"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue  # not of our format
        for case in group["tests"]:
            key, nonce, plain, place = (bytes.fromhex(case[name]) for name in ("key", "iv", "msg", "aad"))
            sealed = bytes.fromhex(case["ct"] + case["tag"])
            decided[case["result"]] += 1
            if case["result"] == "valid":
                assert AESGCM(key).encrypt(nonce, plain, place) == sealed
                assert AESGCM(key).decrypt(nonce, sealed, place) == plain
            else:
                with pytest.raises(InvalidTag):
                    AESGCM(key).decrypt(nonce, sealed, place)
    assert decided == {"valid": 21, "invalid": 27}


def test_x25519_agrees_with_wycheproof() -> None:
    agreed = refused = 0
    for group in wycheproof("x25519"):
        for case in group["tests"]:
            private = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"]))
            public = X25519PublicKey.from_public_bytes(bytes.fromhex(case["public"]))
            if not any(bytes.fromhex(case["shared"])):
                refused += 1  # a point of low order: the secret would be known to everybody
                with pytest.raises(ValueError, match="shared key"):
                    private.exchange(public)
            else:
                agreed += 1
                assert private.exchange(public).hex() == case["shared"]
    assert agreed > 100
    assert refused > 5
