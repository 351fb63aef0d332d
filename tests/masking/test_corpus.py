"""The labelled lines are what they say: repeatable, well-formed, with each label where it belongs."""

from __future__ import annotations

import base64
import re
import zlib
from collections import Counter
from random import Random

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from tests.masking import values
from tests.masking.corpus import line, lines
from tests.masking.fillers import FILLERS
from tests.masking.filling import filled
from tests.masking.labelled import KINDS
from tests.masking.shapes import INNOCENT, NEAR_MISSES, SHAPES
from tests.masking.values import SECRETS
from tests.masking.values.money import iban_check_digits
from tests.masking.values.value import BASE62

TEMPLATES = [(kind, shape) for kind, shapes in SHAPES.items() for shape in shapes]
WORDS_OF_A_LINE = {"key", "KEY", "dashed", "camel", "sqlkey"}


def passes_luhn(digits: str) -> bool:
    """Another way than the generator's: all digits from the right, every second doubled, in one sum."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    total = sum(doubled[int(it)] if place % 2 else int(it) for place, it in enumerate(reversed(digits)))
    return total % 10 == 0


def passes_mod_97(text: str) -> bool:
    compact = text.replace(" ", "")
    return int("".join(str(int(it, 36)) for it in compact[4:] + compact[:4])) % 97 == 1


def drawn(kind: str, count: int = 200) -> list[str]:
    rng = Random(5)
    return [values.secret(kind, rng).text for _ in range(count)]


def test_a_line_is_the_same_by_itself_and_among_others():
    assert list(lines("judging", 3, 50))[37] == line("judging", 3, 37)


def test_the_halves_and_seeds_differ():
    assert list(lines("judging", 3, 50)) != list(lines("tuning", 3, 50))
    assert list(lines("judging", 3, 50)) != list(lines("judging", 4, 50))


def test_tuning_never_sees_every_fourth_template():
    tuning = {it.shape for it in lines("tuning", 1, 1500)}
    held_back = {shapes[place] for shapes in SHAPES.values() for place in range(3, len(shapes), 4)}

    assert not tuning & held_back
    assert held_back & {it.shape for it in lines("judging", 1, 1000)}


def test_every_kind_is_planted_and_resembled():
    all_lines = list(lines("judging", 2, 2300))
    planted = Counter(secret.kind for it in all_lines for secret in it.secrets)
    resembled = Counter(it.resembles for it in all_lines if it.resembles)

    assert set(planted) == set(resembled) == set(KINDS)
    assert min(planted.values()) >= 40
    assert min(resembled.values()) >= 15


def test_each_template_plants_its_kind_and_leaves_no_placeholder():
    own = dict.fromkeys(WORDS_OF_A_LINE, "api_key")
    for kind, template in TEMPLATES:
        made = filled(template, Random(1), own)
        assert kind in {secret.kind for secret in made.secrets}, template
        assert not re.search(r"<it>|[«»]", made.text), template
        for secret in made.secrets:
            assert 0 <= secret.reach_start <= secret.start < secret.end, template
            assert secret.end <= secret.reach_end <= len(made.text), template


def test_every_filler_in_a_template_is_known_unless_the_dollar_says_it_is_text():
    innocent = [*INNOCENT, *(it for shapes in NEAR_MISSES.values() for it in shapes)]
    for template in [*innocent, *(shape for _, shape in TEMPLATES)]:
        for word in re.findall(r"(?<!\$)\{([A-Za-z_0-9]+)\}", template):
            assert word in FILLERS or word in WORDS_OF_A_LINE, template
    assert not any(filled(template, Random(1), {}).secrets for template in innocent)


def test_labels_point_at_the_planted_text():
    rng = Random(9)
    for kind in SECRETS:
        made = filled(f"before <{kind}> after", rng, {})
        (secret,) = made.secrets
        assert made.text.startswith("before ")
        assert made.text[secret.end :] == " after"
        assert secret.kind == kind.partition(":")[0]


def test_cards_pass_luhn_and_have_the_length_of_their_issuer():
    for text in drawn("card"):
        digits = re.sub(r"\D", "", text)
        assert passes_luhn(digits)
        assert len(digits) == {"34": 15, "37": 15, "36": 14, "38": 14, "30": 14}.get(digits[:2], 16)


def test_numbers_that_resemble_a_card_fail_luhn_or_have_no_issuer():
    rng = Random(5)
    for _ in range(200):
        assert not passes_luhn(FILLERS["not_luhn"](rng))
        assert passes_luhn(FILLERS["imei"](rng))
        assert passes_luhn(FILLERS["iccid"](rng))


def test_ibans_pass_mod_97_and_what_resembles_one_does_not():
    rng = Random(5)

    assert all(passes_mod_97(text) for text in drawn("iban"))
    assert not any(passes_mod_97(FILLERS["bad_iban"](rng)) for _ in range(500))


@pytest.mark.parametrize(
    ("iban", "country"), [("DE89370400440532013000", "DE"), ("GB29NWBK60161331926819", "GB")]
)
def test_check_digits_agree_with_published_ibans(iban, country):
    assert iban_check_digits(country, iban[4:]) == iban[2:4]


@pytest.mark.parametrize("kind", ["github_token", "npm_token"])
def test_tokens_carry_the_crc_32_of_their_random_part(kind):
    checked = [text for text in drawn(kind) if not text.startswith("github_pat_")]
    assert checked
    for text in checked:
        body = text.partition("_")[2]
        number = 0
        for character in body[30:]:
            number = number * 62 + BASE62.index(character)
        assert number == zlib.crc32(body[:30].encode())


def test_json_web_tokens_have_a_header_claims_and_a_signature():
    for text in drawn("jwt"):
        header, claims, signature = text.split(".")
        assert b'"alg"' in base64.urlsafe_b64decode(header + "==")
        assert b'"sub"' in base64.urlsafe_b64decode(claims + "==")
        assert len(base64.urlsafe_b64decode(signature + "==")) in {32, 64, 256}


def test_pypi_tokens_are_macaroons_of_pypi():
    for text in drawn("pypi_token"):
        packed = base64.urlsafe_b64decode(text.removeprefix("pypi-") + "===")
        assert packed.startswith(b"\x02\x01\x08pypi.org")


def test_private_keys_are_keys_that_a_library_loads():
    labels = set()
    for text in drawn("private_key", 40):
        load = load_ssh_private_key if "OPENSSH" in text else load_pem_private_key
        assert load(text.encode(), None)
        assert text.replace("\n", "\\n") != text
        labels.add(text.splitlines()[0])
    assert len(labels) == 4


def test_basic_credentials_are_a_user_and_a_password():
    assert all(b":" in base64.b64decode(text) for text in drawn("basic_auth"))
