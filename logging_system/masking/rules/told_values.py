"""Values behind their name with no sign between, as sentences and programs' settings tell them."""

from __future__ import annotations

import re

from logging_system.masking.denied_names import CREDENTIALS, words_of
from logging_system.masking.placeholders import is_placeholder, is_varied
from logging_system.masking.rule import Rule, if_so

_NAMES = words_of(CREDENTIALS)
_PIECE_MIN, _PASSWORD_MIN = 16, 6
_AWS_KEY = re.compile(r"[A-Za-z0-9+/]{40}")
_SEPARATOR = re.compile(r"[-_./]")


def _is_told(value: str) -> bool:
    """Whether a value is a key of AWS, or has a piece too long and too mixed for a name."""
    pieces = [value] if _AWS_KEY.fullmatch(value) and not value.islower() else _SEPARATOR.split(value)
    return is_varied(value) and any(
        len(piece) >= _PIECE_MIN and any(map(str.isdigit, piece)) and any(map(str.isalpha, piece))
        for piece in pieces
    )


def _is_told_password(value: str) -> bool:
    return len(value) >= _PASSWORD_MIN and not value.isalpha() and not is_placeholder(value)


TOLD_VALUES = (
    Rule(
        name="told_credential",
        what="Tokens and keys behind their name alone: `token … is invalid`, a column of a table",
        gate=(rf"(?i)(?:{_NAMES})s?(?: +|\\t)[^A-Za-z0-9]{{0,6}}[A-Za-z0-9_+/-]{{16}}",),
        pattern=rf"(?i)(?:{_NAMES})s?\s{{1,24}}[|(]?\s{{0,3}}[\"'`]?([A-Za-z0-9_+/=.~-]{{16,}})",
        judge=if_so(_is_told),
        examples=(
            "token «a8Fk29sLq0ZpXv7Rt4Wm1Yb6» is invalid",
            "api key '«a8Fk29sLq0ZpXv7Rt4Wm1Yb6»' rejected",
            "AWS_SECRET_ACCESS_KEY     «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
            "| api_key | «a8Fk29sLq0ZpXv7Rt4Wm1Yb6» |",
        ),
        counterexamples=(
            "token request-0123456789 failed",
            "secret projects/shop-17/secrets/database-4",
            "token authenticationrequired",
            "tokens 1234567890123456",
        ),
    ),
    Rule(
        name="told_password",
        what="Passwords in sentences and settings of programs: `with password …`, `requirepass …`, .netrc",
        gate=(
            r"(?i)(?:with password|password is|login [^ ]* password) ",
            r"(?i)(?:requirepass|masterauth|-(?:store|key)pass|-securestring) ",
        ),
        pattern=r"""(?i)\b(?:with\spassword|password\sis|login\s{1,3}\S{1,64}\s{1,3}password"""
        r"""|requirepass|masterauth|(?:store|key)pass|convertto-securestring(?:\s-string)?)\s{1,3}(?:"([^"]+)|'([^']+)|([^\s"',;]+))""",
        judge=if_so(_is_told_password),
        examples=(
            "bob logged in with password «tiger42»",
            "machine db login bob password «tiger42»",
            "CONFIG SET requirepass «tiger42»",
            "keytool -storepass «tiger42» -list",
            'ConvertTo-SecureString "«tiger42»" -AsPlainText',
        ),
        counterexamples=(
            "login with password failed",
            "the password is incorrect",
            "requirepass ****",
            "login with password authentication",
        ),
    ),
)
