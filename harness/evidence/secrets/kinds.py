"""The kinds of canary: a made-up secret of each, well-formed by its own rules, so that a good mask knows it.

    card 4539 1488 0343 6467        before: innocent words, which must stay
         ───────────────────        masked: what a mask may take out, and nothing beside it
         4539148803436467           secrets: what must be seen nowhere, in any form

Values are drawn by a random generator that is handed in; none of them ever opened anything.
"""

from __future__ import annotations

import base64
import string
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import orjson

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_BASE32 = string.ascii_uppercase + "234567"
_ISSUERS = ("4539", "4916", "5425", "5267")
_PEM_LINES = 4
_PEM_LINE_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Canary:
    """One made-up secret as it stands in a text: `before` and `after` are innocent and must stay.

    `masked` is what a mask may take out; `secrets` are the parts of it that must be seen nowhere. `key` is
    what a field that holds it is called. `unmistakable` says that half of it is found nowhere by chance.
    `in_query` is the name and the value by which it stands in a URL, None where it has no place in one.
    """

    kind: str
    masked: str
    secrets: tuple[str, ...]
    before: str = ""
    after: str = ""
    key: str = "note"
    unmistakable: bool = True
    in_query: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """Return it with the words around it."""
        return f"{self.before}{self.masked}{self.after}"


def _card(rng: Random) -> Canary:
    """Return a card number of sixteen digits that passes Luhn's check, grouped or not.

    What follows stands behind a comma: beside a number of three digits it could be read as one of nineteen.
    """
    digits = rng.choice(_ISSUERS) + "".join(rng.choices(string.digits, k=11))
    digits += _luhn_digit(digits)
    grouped = rng.choice(("", " ", "-")).join(digits[at : at + 4] for at in range(0, 16, 4))
    secrets = tuple(dict.fromkeys((grouped, digits)))
    return Canary(
        "card", grouped, secrets, "paid with card ", ",", unmistakable=False, in_query=("ref", digits)
    )


def _luhn_digit(digits: str) -> str:
    """Return the check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def _iban(rng: Random) -> Canary:
    """Return a German account number whose check digits are right (ISO 13616, mod 97)."""
    account = "".join(rng.choices(string.digits, k=18))
    country = "".join(str(ord(letter) - 55) for letter in "DE")
    check = 98 - int(f"{account}{country}00") % 97
    iban = f"DE{check:02d}{account}"
    return Canary("iban", iban, (iban,), "refund to iban ", ",", in_query=("ref", iban))


def _email(rng: Random) -> Canary:
    """Return an address under `.example`, which nobody can have (RFC 2606)."""
    name = ".".join("".join(rng.choices(string.ascii_lowercase, k=9)) for _ in range(2))
    address = f"{name}@mail.example"
    return Canary("email", address, (name,), "invited ", in_query=("ref", address))


def _jwt(rng: Random) -> Canary:
    """Return a signed token (RFC 7519); its header is everybody's, so it is no secret."""
    head = _base64url(orjson.dumps({"alg": "HS256", "typ": "JWT"}))
    claims = _base64url(orjson.dumps({"sub": _drawn(rng, _BASE62, 12), "iat": 1_700_000_000}))
    signed = f"{claims}.{_base64url(rng.randbytes(32))}"
    token = f"{head}.{signed}"
    return Canary("jwt", token, (signed,), "session token ", key="token", in_query=("token", token))


def _password(rng: Random) -> Canary:
    word = _drawn(rng, _BASE62, 9) + "+" + _drawn(rng, _BASE62, 8)
    return Canary(
        "password",
        word,
        (word,),
        "login failed for svc-orders password=",
        key="password",
        in_query=("password", word),
    )


def _url_password(rng: Random) -> Canary:
    """Return an address with user and password; a mask may take out both (RFC 3986, userinfo)."""
    word = _drawn(rng, _BASE62, 18)
    return Canary(
        "url_password", f"orders:{word}", (word,), "connecting to postgresql://", "@db.example:5432/orders"
    )


def _aws_key(rng: Random) -> Canary:
    key = f"AKIA{_drawn(rng, _BASE32, 16)}"
    return Canary("aws_key", key, (key,), "uploading with access key ", in_query=("ref", key))


def _github_token(rng: Random) -> Canary:
    """Return a personal access token, which ends in six digits of its own CRC32 in base 62."""
    drawn = _drawn(rng, _BASE62, 30)
    check = zlib.crc32(drawn.encode())
    token = f"ghp_{drawn}{_written(check, 6)}"
    secret = token.removeprefix("ghp_")
    return Canary("github_token", token, (secret,), "cloning with ", in_query=("ref", token))


def _private_key(rng: Random) -> Canary:
    lines = ["MIIB" + _drawn(rng, _BASE64, _PEM_LINE_CHARACTERS - 4)]
    lines += [_drawn(rng, _BASE64, _PEM_LINE_CHARACTERS) for _ in range(_PEM_LINES - 1)]
    block = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    return Canary("private_key", block, tuple(lines), "loaded key ")


def _authorization(rng: Random) -> Canary:
    """Return a header; a mask may take out its whole value (RFC 9110, credentials)."""
    token = _drawn(rng, _BASE62, 40)
    return Canary(
        "authorization",
        f"Bearer {token}",
        (token,),
        "upstream said 401 to Authorization: ",
        key="Authorization",
    )


def _cookie(rng: Random) -> Canary:
    """Return a header; a mask may take out its whole value (RFC 6265, cookie-string)."""
    value = _drawn(rng, _BASE62, 32)
    return Canary("cookie", f"session={value}", (value,), "request came with Cookie: ", key="Cookie")


def _drawn(rng: Random, letters: str, count: int) -> str:
    return "".join(rng.choices(letters, k=count))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _written(number: int, digits: int) -> str:
    return "".join(_BASE62[number // 62**place % 62] for place in reversed(range(digits)))


KINDS: Mapping[str, Callable[[Random], Canary]] = {
    "card": _card,
    "iban": _iban,
    "email": _email,
    "jwt": _jwt,
    "password": _password,
    "url_password": _url_password,
    "aws_key": _aws_key,
    "github_token": _github_token,
    "private_key": _private_key,
    "authorization": _authorization,
    "cookie": _cookie,
}
"""What `promises.secrets` may name: how a canary of each kind is made."""
