"""Numbers of payment cards: Luhn's checksum (ISO/IEC 7812-1), an issuer's first digits, and its lengths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from logging_system.masking.rule import Rule, Span

_DIGITS_MIN, _DIGITS_MAX = 12, 19
_WORD_BEFORE_CHARACTERS = 48
_WORD = re.compile(
    r"(?i)card|visa|maestro|master|amex|diners|jcb|discover|unionpay|credit|debit|\bpan\b|\bcc\b"
)
_NAME_BEFORE = re.compile(r"_-?$|\d[.]$")
_NAME_BEHIND = re.compile(r"_|[.]\d")
_GROUP_DIGITS, _GROUPS_MAX = 4, 5
_GROUP = re.compile(r"(?:%20)?(\d+)")
_SPACE = re.compile(r"\s{1,2}")
_USUAL = (" ", "-", ".")
"""Between groups these need no word before the number; what else does is as often between other numbers."""
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


@dataclass(frozen=True, slots=True)
class _Issuer:
    """First digits, from and to, with the lengths of its numbers.

    `rare` lengths count only in groups or behind a word like "card": bare, most numbers so long are others'.
    """

    first: str
    last: str
    lengths: frozenset[int]
    rare: frozenset[int] = frozenset()


_ISSUERS = (
    _Issuer("4", "4", frozenset({16}), frozenset({13, 19})),  # Visa
    _Issuer("51", "55", frozenset({16})),  # Mastercard
    _Issuer("2221", "2720", frozenset({16})),
    _Issuer("34", "34", frozenset({15})),  # American Express
    _Issuer("37", "37", frozenset({15})),
    _Issuer("6011", "6011", frozenset({16}), frozenset({19})),  # Discover
    _Issuer("644", "659", frozenset({16}), frozenset({19})),
    _Issuer("35", "35", frozenset({16}), frozenset({19})),  # JCB has 3528 to 3589, no other issuer the rest
    _Issuer("2131", "2131", frozenset({15})),
    _Issuer("1800", "1800", frozenset({15})),
    _Issuer("300", "305", frozenset({14}), frozenset({16})),  # Diners Club
    _Issuer("3095", "3095", frozenset({14}), frozenset({16})),
    _Issuer("36", "36", frozenset({14}), frozenset({16, 19})),
    _Issuer("38", "39", frozenset({14}), frozenset({16})),
    _Issuer("62", "62", frozenset({16}), frozenset({17, 18, 19})),  # UnionPay
    _Issuer("50", "50", frozenset({16}), frozenset({12, 13, 14, 15, 17, 18, 19})),  # Maestro
    _Issuer("56", "58", frozenset({16}), frozenset({12, 13, 14, 15, 17, 18, 19})),
    _Issuer("6304", "6304", frozenset({16}), frozenset({12, 13, 14, 15, 17, 18, 19})),
    _Issuer("6759", "6763", frozenset({16}), frozenset({12, 13, 14, 15, 17, 18, 19})),
    _Issuer("2200", "2204", frozenset({16})),  # Mir
)


def digits_of(number: str) -> str:
    """Return the digits of a number, without what groups them."""
    number = number.replace("%20", "")
    return "".join(each for each in number if each.isdigit())


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the checksum of the others.

    Args:
        digits: Digits alone, without what groups them; as many as there are.
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _DOUBLED[int(digit)] if place % 2 else int(digit)
    return total % 10 == 0


def _is_card(digits: str, *, is_likely: bool) -> bool:
    return (
        _DIGITS_MIN <= len(digits) <= _DIGITS_MAX
        and _is_issued(digits, is_likely=is_likely)
        and passes_luhn(digits)
    )


def _is_issued(digits: str, *, is_likely: bool) -> bool:
    for issuer in _ISSUERS:
        if issuer.first <= digits[: len(issuer.first)] <= issuer.last:
            return len(digits) in issuer.lengths or (is_likely and len(digits) in issuer.rare)
    return False


def _cards_in(text: str, found: Span) -> Iterator[Span]:
    """Yield the cards in a run of digits and single separators.

    A card begins and ends where a group does: a group is never parted. At most five groups are looked at from
    each, so the time is linear.
    """
    start, end = found
    word = _WORD.search(text, max(0, start - _WORD_BEFORE_CHARACTERS), start) is not None
    groups = [(start + each.start(1), start + each.end(1)) for each in _GROUP.finditer(text[start:end])]
    place = 0
    while place < len(groups):
        last = _last_group(text, groups, place, word=word)
        if last is None:
            place += 1
        else:
            first, behind = groups[place][0], groups[last][1]
            # The card's own ends count, not the run's: a fraction may follow it, as in "… 6467 0.5 s".
            if not _is_part_of_a_name(text, first, behind):
                yield first, behind
            place = last + 1


def _last_group(text: str, groups: list[Span], place: int, *, word: bool) -> int | None:
    """Return the last group of a card that begins at one: the longest card there is."""
    start, end = groups[place]
    digits = text[start:end]
    if _is_card(digits, is_likely=word):
        return place
    if len(digits) != _GROUP_DIGITS:
        return None
    best = None
    separator = _SPACE.sub(" ", text[end : groups[place + 1][0]]) if place + 1 < len(groups) else ""
    if separator not in _USUAL and not word:
        return None
    for last in range(place + 1, min(len(groups), place + _GROUPS_MAX)):
        group_start, group_end = groups[last]
        between = text[groups[last - 1][1] : group_start]
        if (
            _SPACE.sub(" ", between) != separator
            or (between != separator and not word)
            or group_end - group_start > _GROUP_DIGITS + 2
        ):
            break
        digits += text[group_start:group_end]
        sizes = [each_end - each_start for each_start, each_end in groups[place : last + 1]]
        if _are_groups_of_a_card(sizes) and _is_card(digits, is_likely=True):
            best = last
    return best


def _are_groups_of_a_card(sizes: list[int]) -> bool:
    """Whether groups are fours, the last one of them shorter or not, or 4-6-5 and 4-6-4."""
    fours = sizes[:-1] == [_GROUP_DIGITS] * (len(sizes) - 1) and sizes[-1] <= _GROUP_DIGITS
    return fours or sizes in ([4, 6, 5], [4, 6, 4])


def _is_part_of_a_name(text: str, start: int, end: int) -> bool:
    """Whether digits are part of a name or of a fraction: `blk_-1608999687919862906`, `0.5105…`."""
    return _NAME_BEFORE.search(text, max(0, start - 2), start) is not None or bool(
        _NAME_BEHIND.match(text, end, end + 2)
    )


CARDS = (
    Rule(
        name="card",
        what="Numbers of payment cards, bare or in groups: issuer, length, and Luhn's checksum",
        gate=(
            r"(?:[^0-9A-Za-z_-]|[^_]-|\\[bfnrt]|\[[0-9;]*m)"
            r"(?:(?:[2-6][0-9]{3}|1800)[ -]?[0-9]{4}(?:[ -]?[0-9]{4}|[0-9]{2}[ -][0-9]{4})[0-9]*[^0-9A-Za-z]"
            r"|[2-6][0-9]{3}[ -][0-9]{4}\\[nr]"
            r"|[2-6][0-9]{3}(?:[./+_]|  |\\[nt]|%20|&nbsp;)[0-9]{4}(?:[0-9]{2})?(?:[ ./+_]|\\[nt]|%20|&))",
        ),
        pattern=r"(?:^|[^0-9A-Za-z])([0-9]+(?:(?:[ ./_-]|[ \t]{2}|\t|\r?\n|\+|%20|&nbsp;)[0-9]+)*)\b",
        judge=_cards_in,
        canonical=digits_of,
        action="redact",
        examples=(
            "paid with «4111 1111 1111 1111» today",
            "card=«5555555555554444»",
            "amex «3782-822463-10005», ok",
            "«4111111111111111»",
            "order 17 «4012888888881881» 3",
            "visa card «4222222222222»",
            "1,«4111111111111111»,12/25,123",
            "card number «6304000000000000»",
            "\x1b[1m«4111111111111111»\x1b[0m",
            "paid with card «4539 1488 0343 6467» 0.993 ms",
            "card «4539148803436467» 1.2.3.4",
            "paid «4111.1111.1111.1111» today",
            "amex «3782.822463.10005»",
            "card\t«4111\t1111\t1111\t1111»\tok",
            "pan «4111/1111/1111/1111»",
            "card=«4111%201111%201111%201111»&x=1",
            "card=«4111+1111+1111+1111»&x=1",
            "card «4111&nbsp;1111&nbsp;1111&nbsp;1111»",
            "card «4111 1111\n1111 1111» exp 12/29",
            "card «4111  1111  1111  1111» ok",
        ),
        counterexamples=(
            "4111 1111 1111 1112",
            "blk_-1608999687919862906",
            "took 1700000000000000 ns",
            "4111111111111111a",
            "4111111111111111.5",
            "9111111111111111",
            "10.5105105105105100",
            "4222222222222",
            "4111\t1111\t1111\t1111",
            "rows 4111/1111/1111/1111",
            "card 4111 1111-1111 1111",
        ),
    ),
)
