"""Telephone numbers; only where settings ask for them, since many other numbers look alike."""

from __future__ import annotations

from logging_system.masking.rule import Rule, if_so

_DIGITS_MIN, _DIGITS_MAX = 8, 15  # ITU-T E.164


def _is_number(text: str) -> bool:
    number, _x, _extension = text.partition("x")
    return _DIGITS_MIN <= sum(map(str.isdigit, number)) <= _DIGITS_MAX


PHONE_NUMBERS = (
    Rule(
        name="phone",
        what="Telephone numbers with a country's code, in brackets, in North America's groups, or after a 0",
        gate=(
            r"[+][0-9]",
            r"[0-9]{3}[) .-]{0,2}[0-9]{3}[ .-][0-9]{4}",
            r"[^0-9]0[0-9]{1,3} [0-9]{2,4} [0-9]{2}",
            r"\([0-9]{2,4}\)[ -]?[0-9]{3}",
        ),
        pattern=r"(?:^|[^0-9A-Za-z.:/_+#-])(\+[1-9][0-9]{0,2}(?:[ ./-]?\(?[0-9]{1,5}\)?){2,6}(?:x[0-9]{1,6})?"
        r"|(?:001[ -]?)?\([0-9]{2,4}\)[ -]?[0-9]{3,4}[ -][0-9]{3,4}(?:x[0-9]{1,6})?"
        r"|(?:001[ -])?[2-9][0-9]{2}[ .-][2-9][0-9]{2}[ .-][0-9]{4}(?:x[0-9]{1,6})?"
        r"|0[0-9]{1,3}(?: [0-9]{2,4}){2,4})\b",
        judge=if_so(_is_number),
        is_opt_in=True,
        examples=(
            "call «+49 30 901820» now",
            "«(212) 555-0147»",
            "tel=«+14155550123»",
            "«415-555-0123»",
            "«0490 75 40 81», please",
            "«001-518-640-0854»",
            "«(579)888-3058»",
            "«259.735.7502x459»",
        ),
        counterexamples=(
            "2026-11-30T03:55:10+01:00",
            "2026-11-30",
            "30.11.2026",
            "10.0.0.1",
            "10.251.215.16",
            "version +1.2",
            "1234567890",
            "12 34 56",
        ),
    ),
)
