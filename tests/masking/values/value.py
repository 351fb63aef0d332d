"""What a generator of secrets returns, and the alphabets that they share."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

DIGITS = string.digits
HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase
UPPER = string.ascii_uppercase
BASE36 = LOWER + DIGITS
BASE62 = DIGITS + UPPER + LOWER
BASE64 = UPPER + LOWER + DIGITS + "+/"
BASE64URL = UPPER + LOWER + DIGITS + "-_"


@dataclass(frozen=True, slots=True)
class Value:
    """A secret as it stands in a line; the first `public` characters of it tell only what it is."""

    text: str
    public: int = 0


Values = Callable[[Random], Value]


def characters(rng: Random, alphabet: str, length: int) -> str:
    """So many characters, drawn independently."""
    return "".join(rng.choices(alphabet, k=length))


def base64url(data: bytes) -> str:
    """URL-safe base64 without padding, as RFC 7515 has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def prefixed(prefix: str, rest: str) -> Value:
    """A token whose prefix is the same for everyone."""
    return Value(prefix + rest, public=len(prefix))
