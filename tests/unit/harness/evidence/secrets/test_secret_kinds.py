"""Each canary is well-formed by the rules of its kind, and another run's is another one."""

import base64
import json
import re
import zlib
from random import Random

import pytest

from harness.evidence.secrets.kinds import KINDS

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def made(kind, seed=1):
    return KINDS[kind](Random(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_is_named_by_its_kind_and_holds_its_secrets_within_what_a_mask_may_take_out(kind):
    canary = made(kind)

    assert canary.kind == kind
    assert canary.secrets
    assert all(len(secret) >= 16 for secret in canary.secrets)
    assert any(secret in canary.masked for secret in canary.secrets)
    assert canary.masked in canary.text
    assert not any(secret in canary.before + canary.after for secret in canary.secrets)


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_is_a_function_of_the_seed(kind):
    assert made(kind, 1) == made(kind, 1)
    assert not set(made(kind, 1).secrets) & set(made(kind, 2).secrets)


@pytest.mark.parametrize("seed", range(30))
def test_a_card_passes_luhn(seed):
    digits = re.sub(r"\D", "", made("card", seed).masked)
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]

    assert len(digits) == 16
    assert sum(sum(map(int, str(each))) for each in doubled) % 10 == 0


@pytest.mark.parametrize("seed", range(30))
def test_an_iban_passes_mod_97(seed):
    iban = made("iban", seed).masked

    assert int(f"{iban[4:]}1314{iban[2:4]}") % 97 == 1


def test_a_token_of_github_ends_in_its_own_checksum():
    drawn, check = (part for part in (made("github_token").masked[4:34], made("github_token").masked[34:]))
    number = 0
    for digit in check:
        number = number * 62 + BASE62.index(digit)

    assert number == zlib.crc32(drawn.encode())


def test_a_jwt_can_be_read():
    head, claims, signature = made("jwt").masked.split(".")

    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "HS256"
    assert "sub" in json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert len(base64.urlsafe_b64decode(signature + "=")) == 32


def test_an_address_is_one_that_nobody_can_have():
    assert made("email").masked.endswith(".example")
