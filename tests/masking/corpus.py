"""Labelled log lines by seed: with secrets of every kind, with what only looks like one, and with neither.

The half for tuning never shows every fourth template and name; the half for judging shows all. So rules
that were fitted to the first half meet surroundings in the second that nobody fitted them to.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from tests.masking.filling import filled
from tests.masking.labelled import KINDS, Line
from tests.masking.shapes import INNOCENT, NEAR_MISSES, SHAPES

Half = Literal["tuning", "judging"]
HELD_BACK = 4

NAMES: dict[str, tuple[str, ...]] = {
    "api_key": (
        "api_key", "apikey", "access_token", "x_api_key", "client_secret", "auth_token", "secret_key",
        "app_secret", "refresh_token", "private_token", "consumer_secret", "encryption_key",
        "stripe_api_key", "service_token", "signing_secret", "webhook_secret", "datadog_api_key",
        "jwt_secret", "bot_token", "access_key_secret",
    ),
    "password": (
        "password", "passwd", "pwd", "db_password", "passphrase", "user_password", "smtp_password",
        "pass", "admin_password", "root_password", "mysql_password", "keystore_password", "db_pass",
        "ldap_bind_password", "new_password", "redis_password",
    ),
}  # fmt: skip
SQL_WORDS = ("PASSWORD", "ENCRYPTED PASSWORD")


def shown(items: tuple[str, ...], half: Half) -> tuple[str, ...]:
    """What a half may draw from: for tuning, every fourth is held back."""
    if half == "judging" or len(items) < HELD_BACK:
        return items
    return tuple(item for place, item in enumerate(items, start=1) if place % HELD_BACK)


def own_words(kind: str, rng: Random, half: Half) -> dict[str, str]:
    """The name that a key or password goes by, in the spellings that a template may want."""
    name = rng.choice(shown(NAMES.get(kind, ("value",)), half))
    first, *rest = name.split("_")
    return {
        "key": name,
        # As a variable, PWD is the shell's own word for the working directory.
        "KEY": "DB_PWD" if name == "pwd" else name.upper(),
        "dashed": name.replace("_", "-"),
        "camel": first + "".join(word.title() for word in rest),
        "sqlkey": rng.choice(SQL_WORDS),
    }


def line(half: Half, seed: int, number: int) -> Line:
    """One line, by itself the same as among all others of its half and seed."""
    rng = Random(f"{half} {seed} {number}")
    kind = KINDS[number % len(KINDS)]
    turn = rng.random()
    if turn < 0.60:
        return filled(rng.choice(shown(SHAPES[kind], half)), rng, own_words(kind, rng, half))
    if turn < 0.88:
        return filled(rng.choice(shown(NEAR_MISSES[kind], half)), rng, {}, resembles=kind)
    return filled(rng.choice(shown(INNOCENT, half)), rng, {})


def lines(half: Half, seed: int, count: int) -> Iterator[Line]:
    """So many lines: three in five hold a secret, more than one in four a near miss, the others neither."""
    return (line(half, seed, number) for number in range(count))
