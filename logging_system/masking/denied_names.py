"""Names whose values are secrets wherever they stand: as a field, as a label, as `name=value` in a text.

Case does not matter, nor what separates words (`api_key`, `API-Key`, `apiKey`), nor what stands before:
`DB_PASSWORD` is a password. What stands behind does: `password_length` is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from logging_system.masking.look_alikes import plain

PASSWORDS = (
    "password",
    "passwd",
    "pass word",
    "pass phrase",
    "pass code",
    "passwort",
    "kennwort",
    "contrasena",
    "contraseña",
    "mot de passe",
    "senha",
    "wachtwoord",
    "hasło",
    "пароль",
    "Пароль",
    "密码",
    "パスワード",
    "db pass",
    "user pass",
    "root pass",
    "admin pass",
    "smtp pass",
    "ssh pass",
    "user pwd",
    "password confirmation",
    "recovery code",
    "verification code",
    "security answer",
)
"""Names of what people choose: any value may be one."""

SHORT_PASSWORDS = (
    "pass",
    "pwd",
    "pswd",
    "psw",
    "pw",
    "pin",
    "psk",
    "otp",
    "cvv",
    "cvc",
    "cvv2",
    "card security code",
)
"""The same, but so short that they count only as a word of their own: `user_pass`, not `compass`."""

CREDENTIALS = (
    "secret",
    "secret key",
    "secret key base",
    "secret access key",
    "token",
    "api key",
    "app key",
    "auth key",
    "access key",
    "account key",
    "shared access key",
    "shared access signature",
    "private key",
    "signing key",
    "encryption key",
    "master key",
    "session key",
    "hmac key",
    "aes key",
    "license key",
    "subscription key",
    "preshared key",
    "pre shared key",
    "code verifier",
    "jenkins crumb",
    "aspxauth",
    "jwt",
    "bearer",
    "credential",
    "credentials",
    "creds",
    "secret string",
    "secret value",
    "jsessionid",
    "phpsessid",
    "session cookie",
    "x amz signature",
    "x amz credential",
)
"""Names of what machines make."""

DERIVED = ("password hash", "password digest", "password value")
"""Names of fields only: in texts, `[masked:password_hash]` is one of them."""

HEADERS = ("authorization", "authentication info", "cookie", "cookie2", "x auth", "x csrf token")
"""Names of HTTP headers whose whole value is a secret."""

_COLOUR = r"(?:[ux](?:00)?1b[^A-Za-z]{0,8})?m?"
"""The letters of a terminal's colour between a name and its value, however much of it is escaped."""

_SEPARATOR = "[-_. ]?"


def words_of(names: Iterable[str]) -> str:
    """Return an expression for names, with or without something between their words, in any case.

    Names of other alphabets stand there as they are written, and as rules are shown them.
    """
    both = _both_forms(names)
    return "|".join(_with_separators(name) for name in sorted(both, key=lambda name: (-len(name), name)))


def _both_forms(names: Iterable[str]) -> set[str]:
    return {form for name in names for form in (name, plain(name).text)}


def _with_separators(name: str) -> str:
    return _SEPARATOR.join(map(re.escape, name.split()))


def _gate_of(names: Iterable[str]) -> str:
    """Return an expression for a name before its value, in JSON and in texts."""
    # In order of the alphabet RE2 makes one of what names begin with: fewer states, half as large.
    words = "|".join(map(_with_separators, sorted(_both_forms(names))))
    return (
        rf"(?i)(?:{words})s?(?:"
        # a sign, whatever is escaped before it
        rf"(?:[^A-Za-z]|\\[tnr]|%5d){{0,24}}{_COLOUR}(?:(?:amp;)*(?:quot|apos|x2[27]);)?"
        r"(?:[:=,;|}→]|->|%(?:25){0,3}3|u003d)"
        # the members of an object, which is shown as fields with dots in their names
        r"|\.[^\"]*\":"
        # a value that is the next attribute, or an element's text
        r"|[^A-Za-z0-9]+(?:[nr][^A-Za-z0-9]+){0,2}(?:value|content|type=)|\\*[\"'] ?[>\\]"
        # a value that stands below it, or at its side
        r"|[ *\\\"'`]{0,8}(?:  .*\\n|\\[tnr]|\xe2\x94\x82)| is [^ ]{6}"
        r"|(?: +|/)(?:was )?[^A-Za-z0-9]{0,6}[A-Za-z0-9_+/-]{16})"
    )


_BUILT_IN = (*PASSWORDS, *SHORT_PASSWORDS, *CREDENTIALS, *DERIVED, *HEADERS)
NAMED = _gate_of(_BUILT_IN)
"""The gate of all rules that look for a name: each copy of the names would make the gate slower."""

PART_OF_NAME = (
    "pass|pwd|pw|psw|psk|pin|otp|cvv|cvc|secret|token|key|cred|contrase|senha|wachtwoord|kennwort|jwt|bearer"
)
"""What is in most names, for gates that look for more than a name."""


class DeniedNames:
    """Tells the names of fields whose values are secrets.

    Args:
        more: Names beside the built-in ones.
        exempt: Paths (`labels.page_token`) that are none, exactly as written.
    """

    def __init__(self, more: Iterable[str] = (), exempt: Iterable[str] = ()) -> None:
        added = tuple(more)
        long = (*PASSWORDS, *CREDENTIALS, *DERIVED, *HEADERS, *added)
        self._name = re.compile(
            rf"(?:(?:{words_of(long)})|(?:^|.*(?:[^A-Za-z0-9]|(?-i:[a-z](?=[A-Z]))))(?:{words_of(SHORT_PASSWORDS)}))s?(?:[-_]?\d{{1,3}})?(?:#\d{{1,9}})?$",
            re.IGNORECASE | re.DOTALL,
        )
        self._exempt = frozenset(exempt)
        self.gate = (NAMED, _gate_of(added)) if added else (NAMED,)
        self._is_denied = lru_cache(maxsize=4096)(self._denies)

    def denies(self, name: str) -> bool:
        """Whether a name is one of a secret."""
        return self._is_denied(name[-256:])

    def exempts(self, path: str) -> bool:
        """Whether settings say that a field is none.

        Args:
            path: The names from the record down to the field, joined by dots, such as `labels.page_token`.
        """
        return path in self._exempt

    def _denies(self, name: str) -> bool:
        name = plain(name).text
        # The handler makes dotted names of nested values: `password.old` was a member of `password`.
        return any(self._name.search(part) for part in (name, *name.split(".")))
