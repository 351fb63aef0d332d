"""Numbers that states give to people; only where settings ask for them."""

from __future__ import annotations

from logging_system.masking.rule import Rule, if_so
from logging_system.masking.rules.cards import digits_of

_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"


def _is_social_security_number(number: str) -> bool:
    """Whether the United States could have issued a number: some areas, groups and serials are never used."""
    area, group, serial = number.split(number[3])
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _is_spanish(number: str) -> bool:
    """Whether the letter is that of the number: its remainder of 23."""
    digits = number[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2").rstrip("-")
    return _SPANISH[int(digits) % 23] == number[-1]


def _is_swiss(number: str) -> bool:
    """Whether the last digit is the checksum of an EAN-13."""
    digits = [int(each) for each in digits_of(number)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


def _is_brazilian(number: str) -> bool:
    """Whether the last two digits are the checksums of the others."""
    digits = [int(each) for each in digits_of(number)]
    if len(set(digits)) == 1:
        return False
    for place in (9, 10):
        total = sum(digit * (place + 1 - at) for at, digit in enumerate(digits[:place]))
        if digits[place] != total * 10 % 11 % 10:
            return False
    return True


NATIONAL_IDS = (
    Rule(
        name="us_ssn",
        what="Social security numbers of the United States, in groups",
        gate=(r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}",),
        pattern=r"(?:^|[^0-9A-Za-z-])([0-9]{3}(?:-[0-9]{2}-| [0-9]{2} )[0-9]{4})\b",
        judge=if_so(_is_social_security_number),
        canonical=digits_of,
        is_opt_in=True,
        examples=("ssn «536-22-1234»",),
        counterexamples=("000-22-1234", "911-22-1234", "1536-22-1234"),
    ),
    Rule(
        name="uk_nino",
        what="National Insurance numbers of the United Kingdom",
        gate=(r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",),
        pattern=r"\b([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D])\b",
        is_opt_in=True,
        examples=("nino «AB 12 34 56 C»", "«JG103759A»"),
        counterexamples=("DQ123456A", "AB123456E"),
    ),
    Rule(
        name="es_dni",
        what="Numbers of Spanish identity cards and of foreigners in Spain, with their letter",
        gate=(r"[0-9XYZ]-?[0-9]{7}-?[A-Z]",),
        pattern=r"\b((?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-Z])\b",
        judge=if_so(lambda number: _is_spanish(number.replace("-", ""))),
        is_opt_in=True,
        examples=("dni «12345678Z»", "nie «X1234567L»"),
        counterexamples=("12345678A",),
    ),
    Rule(
        name="ch_ahv",
        what="Social security numbers of Switzerland",
        gate=(r"756[.]?[0-9]{4}[.]?[0-9]{4}",),
        pattern=r"\b(756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}|756[0-9]{10})\b",
        judge=if_so(_is_swiss),
        canonical=digits_of,
        is_opt_in=True,
        examples=("ahv «756.9217.0769.85»",),
        counterexamples=("756.9217.0769.84",),
    ),
    Rule(
        name="br_cpf",
        what="Numbers of Brazilian taxpayers, in groups",
        gate=(r"[0-9]{3}[.][0-9]{3}[.][0-9]{3}-[0-9]{2}",),
        pattern=r"\b([0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2})\b",
        judge=if_so(_is_brazilian),
        canonical=digits_of,
        is_opt_in=True,
        examples=("cpf «529.982.247-25»",),
        counterexamples=("529.982.247-26", "111.111.111-11"),
    ),
)
