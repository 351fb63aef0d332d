"""A canary is found in every form that it may have, wherever a stream is cut; what is none is not."""

import base64
import gzip
import json
import zlib
from random import Random
from urllib.parse import quote

import pytest
import zstandard

from harness.evidence.lines import GeneratedLines
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.secrets.needles import Needles
from harness.evidence.secrets.search import Stream

PATH = "message"
FORMS = {
    "in clear": lambda secret: secret.encode(),
    "escaped in JSON": lambda secret: json.dumps(secret).replace("/", "\\/").replace("+", "\\u002b").encode(),
    "URL-encoded": lambda secret: quote(secret, safe="").encode(),
    "in hexadecimal": lambda secret: secret.encode().hex().encode(),
    "in HEXADECIMAL": lambda secret: secret.encode().hex().upper().encode(),
    "in UTF-16": lambda secret: secret.encode("utf-16"),
    "in UTF-16 of the other order": lambda secret: secret.encode("utf-16-be"),
    "in Base64": lambda secret: base64.b64encode(secret.encode()),
    "in Base64 at 1": lambda secret: base64.b64encode(b"a" + secret.encode() + b"bc"),
    "in Base64 at 2": lambda secret: base64.urlsafe_b64encode(b"ab" + secret.encode()),
    "in clear, within gzip": lambda secret: gzip.compress(secret.encode()),
    "in clear, within zlib": lambda secret: zlib.compress(secret.encode()),
    "in clear, within zstd": lambda secret: zstandard.compress(secret.encode()),
    "in Base64, within gzip": lambda secret: gzip.compress(base64.b64encode(secret.encode())),
}


def canaries(*kinds):
    return {(kind, PATH): KINDS[kind](Random(f"{kind}")) for kind in kinds or KINDS}


def found(needles, data, piece_bytes=1 << 20):
    stream = Stream(needles)
    return [
        hit for at in range(0, len(data), piece_bytes) for hit in stream.feed(data[at : at + piece_bytes])
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_both_halves_are_found_in_each_form(kind, form):
    needles = Needles(canaries())
    for number, secret in enumerate(canaries()[kind, PATH].secrets):
        data = b'{"a": "' + FORMS[form](secret) + b'"}'
        halves = {hit.needle.is_first for hit in found(needles, data) if hit.needle.kind == kind}

        assert halves == {True, False}, number


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 64])
def test_a_stream_may_be_cut_anywhere(piece_bytes):
    secret = canaries()["jwt", PATH].secrets[0].encode()
    data = b"x" * 11 + secret + b"y" * 5 + gzip.compress(b"z" * 50 + secret)
    whole, cut = (found(Needles(canaries()), data, size) for size in (1 << 20, piece_bytes))

    assert [(hit.at_byte, hit.packed) for hit in cut] == [(hit.at_byte, hit.packed) for hit in whole]
    assert len(whole) == 4


@pytest.mark.parametrize("at", range(1, 20, 3))
def test_of_a_secret_that_is_split_over_two_records_one_half_is_found(at):
    secret = canaries()["aws_key", PATH].secrets[0]
    data = f'{{"m": "{secret[:at]}"}}\n{{"m": "{secret[at:]}"}}\n'.encode()

    assert found(Needles(canaries()), data)


def test_the_place_is_counted_from_the_beginning_of_the_stream():
    secret = canaries()["cookie", PATH].secrets[0].encode()

    first, second = found(Needles(canaries()), b"x" * 100_000 + secret, 4096)
    assert (first.at_byte, second.at_byte) == (100_000, 100_000 + len(secret) // 2)


def test_lines_without_canaries_hold_none():
    data = "\n".join(map(GeneratedLines(3).text, range(2_000))).encode()

    assert found(Needles(canaries()), data) == []


def test_a_mask_that_keeps_the_beginning_and_the_last_four_shows_nothing():
    shown = [f"{secret[:4]}…{secret[-4:]}" for canary in canaries().values() for secret in canary.secrets]

    assert found(Needles(canaries()), "\n".join(shown).encode()) == []


def test_a_bomb_is_looked_into_only_so_far():
    bomb = gzip.compress(b"\0" * (96 << 20))

    assert found(Needles(canaries()), bomb) == []
