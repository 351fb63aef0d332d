"""Secrets that only their surroundings tell: keys after a telling name, headers, cookies, key blocks."""

from __future__ import annotations

import base64
from random import Random
from urllib.parse import quote

from tests.masking.values.key_blocks import key_block
from tests.masking.values.names import FIRST, chosen
from tests.masking.values.value import (
    BASE36,
    BASE62,
    BASE64URL,
    DIGITS,
    HEX,
    LOWER,
    UPPER,
    Value,
    Values,
    characters,
)


def uuid(rng: Random) -> str:
    return "-".join(characters(rng, HEX, size) for size in (8, 4, 4, 4, 12))


def api_key(rng: Random) -> Value:
    return Value(
        rng.choice(
            (
                characters(rng, HEX, rng.choice((32, 40, 64))),
                characters(rng, BASE62, rng.randrange(20, 48)),
                characters(rng, BASE64URL, rng.randrange(24, 44)) + rng.choice(BASE62),
                characters(rng, LOWER + DIGITS, rng.randrange(24, 36)),
                uuid(rng),
                base64.b64encode(rng.randbytes(rng.choice((24, 32)))).decode(),
            )
        )
    )


def api_key_in_url(rng: Random) -> Value:
    return Value(quote(api_key(rng).text, safe=""))


def bearer(rng: Random) -> Value:
    return Value(
        rng.choice(
            (
                characters(rng, BASE62, rng.randrange(24, 64)),
                characters(rng, BASE64URL, rng.randrange(30, 80)) + rng.choice(BASE62),
                "ya29." + characters(rng, BASE64URL, 120) + rng.choice(BASE62),
                characters(rng, HEX, rng.choice((32, 40, 64))),
                uuid(rng),
            )
        )
    )


def basic(rng: Random) -> Value:
    """RFC 7617: user and password, joined by a colon, in base64."""
    pair = f"{rng.choice((*FIRST, 'admin', 'elastic', 'svc-deploy'))}:{chosen(rng, '!#*-_')}"
    return Value(base64.b64encode(pair.encode()).decode())


def cookie(rng: Random) -> Value:
    """A cookie by a name that sessions go by, with its value."""
    name, value = rng.choice(
        (
            ("JSESSIONID", characters(rng, HEX.upper(), 32)),
            ("PHPSESSID", characters(rng, BASE36, 26)),
            ("sessionid", characters(rng, BASE36, 32)),
            ("connect.sid", f"s%3A{characters(rng, BASE64URL, 32)}.{characters(rng, BASE62, 43)}"),
            ("_myapp_session", characters(rng, BASE64URL, 90) + "%3D%3D--" + characters(rng, HEX, 40)),
            ("ASP.NET_SessionId", characters(rng, BASE36, 24)),
            (
                "session",
                ".".join(characters(rng, BASE64URL, size) for size in (40, 6, 26)) + rng.choice(BASE62),
            ),
            ("sid", characters(rng, BASE62, 40)),
            ("auth_token", characters(rng, BASE62, 32)),
            ("remember_token", characters(rng, BASE64URL, 42) + rng.choice(UPPER)),
        )
    )
    return Value(f"{name}={value}", public=len(name) + 1)


def block(rng: Random, line_break: str) -> Value:
    """A key block as RFC 7468 lays it out: a label, base64 in lines of 64, the label again."""
    lines = key_block(rng).strip().splitlines()
    head = lines[0] + line_break
    return Value(head + line_break.join(lines[1:]), public=len(head))


def private_key(rng: Random) -> Value:
    return block(rng, "\n")


def escaped_private_key(rng: Random) -> Value:
    return block(rng, "\\n")


SECRETS: dict[str, Values] = {
    "api_key": api_key,
    "api_key:url": api_key_in_url,
    "bearer_auth": bearer,
    "basic_auth": basic,
    "cookie": cookie,
    "private_key": private_key,
    "private_key:escaped": escaped_private_key,
}
