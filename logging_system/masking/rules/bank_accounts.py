"""International bank account numbers: a country's length, and the remainder of 97 (ISO 13616, ISO 7064)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from logging_system.masking.rule import Rule, Span

# The registry of ISO 13616, as SWIFT publishes it.
_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FO GL NL SD FK",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM TL SO",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HN HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for country in countries.split()
}

_COUNTRIES_IN_SMALL_LETTERS = "|".join(
    f"{first}[{''.join(country[1] for country in countries)}]".lower()
    for first, countries in groupby(sorted(_LENGTHS), key=itemgetter(0))
)
_WORD_BEFORE_CHARACTERS = 32
GROUP_SEPARATORS = r"[ .+-]|[ \t]{2}|\t|\r?\n|%20|&nbsp;"
"""What stands between the groups of a number, as people and programs write it."""
_SEPARATOR = re.compile(rf"(?:{GROUP_SEPARATORS})")


def letters_and_digits(number: str) -> str:
    """Return a number without what groups it, in capitals."""
    return _SEPARATOR.sub("", number).upper()


def _is_likely_in_small_letters(text: str, start: int, number: str) -> bool:
    """Whether small letters may be an account's: identifiers such as those of spans look alike."""
    return number[2:].isdigit() or "iban" in text[max(0, start - _WORD_BEFORE_CHARACTERS) : start].lower()


def _accounts(text: str, found: Span) -> Iterator[Span]:
    """Yield the account that begins where something was found, if there is one of its country's length."""
    start, end = found
    length = _LENGTHS.get(text[start : start + 2].upper(), 0)
    taken, place = 0, start
    while place < end and taken < length:
        separator = _SEPARATOR.match(text, place, end)
        taken += separator is None
        place = place + 1 if separator is None else separator.end()
    if not length or taken < length or text[place : place + 1].isalnum():
        return
    number = letters_and_digits(text[start:place])
    if any(map(str.islower, _SEPARATOR.sub("", text[start:place]))) and not _is_likely_in_small_letters(
        text, start, number
    ):
        return
    if int("".join(str(int(each, 36)) for each in number[4:] + number[:4])) % 97 == 1:
        yield start, place


BANK_ACCOUNTS = (
    Rule(
        name="iban",
        what="International bank account numbers, bare or in groups, also over lines: the country's length, "
        "and the checksum",
        # Small letters only with digits, or behind the word: a gate that identifiers pass costs too much. And
        # only of countries that there are: each beginning of a word that could be one's costs every record.
        gate=(
            r"(?:[^0-9A-Za-z]|\\[bfnrt]|\[[0-9;]*m)(?:"
            r"[A-Z]{2}[0-9]{2}(?:[ .+-]|  |\\[nt]|%20|&nbsp;)?[A-Z0-9]{4}"
            rf"|(?:{_COUNTRIES_IN_SMALL_LETTERS})[0-9]{{2}}(?:[ -]?[0-9]{{4}}){{2}}[ -]?[0-9]{{3}})",
            r"(?i)iban.{0,64}[^0-9A-Z][A-Z]{2}[0-9]{2}",
        ),
        pattern=r"(?i)(?:^|[^0-9A-Z])([A-Z]{2}[0-9]{2}(?:[A-Z0-9]{11,30}"
        rf"|(?:(?:{GROUP_SEPARATORS})[A-Z0-9]{{1,4}}){{3,8}}))\b",
        judge=_accounts,
        canonical=letters_and_digits,
        examples=(
            "to «DE89 3704 0044 0532 0130 00» today",
            "iban=«GB82WEST12345698765432»",
            "«NO93 8601 1117 947»",
            "«FR14-2004-1010-0505-0001-3M02-606»",
            "IBAN «CH9300762011623852957», BIC X",
            "from «de89370400440532013000»",
            "iban=«gb82west12345698765432»",
            "\x1b[1m«DE89370400440532013000»\x1b[0m",
            "to «DE89.3704.0044.0532.0130.00» ok",
            "to «DE89\t3704\t0044\t0532\t0130\t00» ok",
            "iban=«DE89%203704%200044%200532%200130%2000»&x=1",
            "iban=«DE89+3704+0044+0532+0130+00»",
            "to «DE89 3704 0044\n0532 0130 00»",
        ),
        counterexamples=(
            "DE89 3704 0044 0532 0130 01",
            "GB82WEST1234569876543",
            "XX89370400440532013000",
            "part AB12 CDEF 3456",
            "span gb82west12345698765432",
        ),
    ),
)
