"""Card numbers (issuer, length, Luhn) and IBANs (country's structure, ISO 7064 mod 97-10)."""

from __future__ import annotations

from random import Random

from tests.masking.values.value import BASE36, DIGITS, UPPER, Value, Values, characters

# Issuer's prefixes and the lengths it uses, as the networks publish them.
ISSUERS: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...] = (
    (("4",), (16,)),
    (("51", "52", "53", "54", "55", "2221", "2300", "2500", "2699", "2720"), (16,)),
    (("34", "37"), (15,)),
    (("6011", "644", "649", "65"), (16,)),
    (("3528", "3550", "3589"), (16,)),
    (("36", "38", "300", "305"), (14,)),
    (("6221", "6250", "6282"), (16,)),
)

# The BBAN of each country: n digits, a letters, c both, with their counts (SWIFT's registry).
COUNTRIES: dict[str, str] = {
    "AT": "n16",
    "BE": "n12",
    "CH": "n5c12",
    "CZ": "n20",
    "DE": "n18",
    "DK": "n14",
    "ES": "n20",
    "FI": "n14",
    "FR": "n10c11n2",
    "GB": "a4n14",
    "IE": "a4n14",
    "IT": "a1n10c12",
    "LU": "n3c13",
    "NL": "a4n10",
    "NO": "n11",
    "PL": "n24",
    "PT": "n21",
    "SE": "n20",
}


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` plus itself pass Luhn (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def card_digits(rng: Random) -> str:
    prefixes, lengths = rng.choice(ISSUERS)
    prefix, length = rng.choice(prefixes), rng.choice(lengths)
    body = prefix + characters(rng, DIGITS, length - len(prefix) - 1)
    return body + luhn_digit(body)


def card_groups(digits: str, separator: str) -> str:
    """As printed on the card: 4-6-5 or 4-6-4 below sixteen digits, else fours."""
    sizes = {14: (4, 6, 4), 15: (4, 6, 5)}.get(len(digits), (4,) * (len(digits) // 4))
    groups, start = [], 0
    for size in sizes:
        groups.append(digits[start : start + size])
        start += size
    return separator.join(groups)


def card(rng: Random) -> Value:
    return Value(card_groups(card_digits(rng), rng.choice(("", "", "", " ", "-"))))


def bban(rng: Random, structure: str) -> str:
    alphabets = {"n": DIGITS, "a": UPPER, "c": BASE36.upper()}
    out, rest = "", structure
    while rest:
        letter, digits = rest[0], ""
        rest = rest[1:]
        while rest and rest[0].isdigit():
            digits, rest = digits + rest[0], rest[1:]
        out += characters(rng, alphabets[letter], int(digits))
    return out


def iban_check_digits(country: str, account: str) -> str:
    """ISO 13616: letters count from A = 10, the whole rearranged is 1 modulo 97."""
    number = "".join(str(int(character, 36)) for character in account + country + "00")
    return f"{98 - int(number) % 97:02d}"


def fours(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def iban_text(rng: Random) -> str:
    country = rng.choice(sorted(COUNTRIES))
    account = bban(rng, COUNTRIES[country])
    return country + iban_check_digits(country, account) + account


def iban(rng: Random) -> Value:
    text = iban_text(rng)
    return Value(fours(text) if rng.random() < 0.3 else text)


SECRETS: dict[str, Values] = {"card": card, "iban": iban}
