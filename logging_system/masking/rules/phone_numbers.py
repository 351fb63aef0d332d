"""Telephone numbers; only where settings ask for them, since many other numbers look alike."""

from __future__ import annotations

from collections.abc import Iterator

from logging_system.masking.rule import Rule, Span

_DIGITS_MIN, _DIGITS_MAX = 8, 15  # ITU-T E.164


def _numbers(text: str, found: Span) -> Iterator[Span]:
    digits = sum(map(str.isdigit, text[found[0] : found[1]]))
    if _DIGITS_MIN <= digits <= _DIGITS_MAX:
        yield found


PHONE_NUMBERS = (
    Rule(
        name="phone",
        what="Telephone numbers with a country's code, and those of North America in groups",
        gate=(r"[+][0-9]", r"[0-9]{3}[) .-]{1,2}[0-9]{3}[ .-][0-9]{4}"),
        pattern=r"(?:^|[^0-9A-Za-z.+-])(\+[1-9][0-9]{0,2}(?:[ ./-]?\(?[0-9]{1,5}\)?){2,6}"
        r"|\(?[2-9][0-9]{2}\)?[ .-][2-9][0-9]{2}[ .-][0-9]{4})\b",
        judge=_numbers,
        is_opt_in=True,
        examples=("call «+49 30 901820» now", "«(212) 555-0147»", "tel=«+14155550123»", "«415-555-0123»"),
        counterexamples=("2026-11-30T03:55:10+01:00", "10.0.0.1", "version +1.2", "1234567890"),
    ),
)
