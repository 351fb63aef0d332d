"""Tokens that tell by their look whose they are: prefixes, lengths and checksums of their issuers."""

from __future__ import annotations

import base64
import json
import zlib
from random import Random
from urllib.parse import quote

from tests.masking.values.value import (
    BASE36,
    BASE62,
    BASE64,
    BASE64URL,
    DIGITS,
    HEX,
    UPPER,
    Value,
    Values,
    base64url,
    characters,
    prefixed,
)


def base62(number: int, length: int) -> str:
    out = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        out = BASE62[digit] + out
    return out


def checked(prefix: str, rng: Random) -> Value:
    """GitHub's form of 2021, which npm took over: 30 random characters, then their CRC-32 in base 62."""
    body = characters(rng, BASE62, 30)
    return prefixed(prefix, body + base62(zlib.crc32(body.encode()), 6))


def github(rng: Random) -> Value:
    if rng.random() < 0.25:
        return prefixed("github_pat_", f"{characters(rng, BASE62, 22)}_{characters(rng, BASE62, 59)}")
    return checked(rng.choice(("ghp_", "gho_", "ghu_", "ghs_", "ghr_")), rng)


def npm(rng: Random) -> Value:
    return checked("npm_", rng)


def gitlab(rng: Random) -> Value:
    prefix = rng.choice(("glpat-", "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "routable"))
    if prefix == "routable":
        body = characters(rng, BASE64URL, 27)
        return prefixed("glpat-", f"{body}.0{rng.choice('123456789abc')}.{characters(rng, BASE36, 9)}")
    if prefix == "glptt-":
        return prefixed(prefix, characters(rng, HEX, 40))
    if prefix == "glcbt-":
        return prefixed(prefix, f"{characters(rng, HEX, 2)}_{characters(rng, BASE64URL, 20)}")
    return prefixed(prefix, characters(rng, BASE62 + "_-", 19) + rng.choice(BASE62))


def slack(rng: Random) -> Value:
    number = characters(rng, "123456789", 1) + characters(rng, DIGITS, rng.choice((10, 11, 12)))
    other = characters(rng, "123456789", 1) + characters(rng, DIGITS, rng.choice((10, 11, 12)))
    return rng.choice(
        (
            prefixed("xoxb-", f"{number}-{other}-{characters(rng, BASE62, 24)}"),
            prefixed("xoxp-", f"{number}-{other}-{other[::-1]}-{characters(rng, HEX, 32)}"),
            prefixed(
                "xapp-1-", f"A{characters(rng, UPPER + DIGITS, 10)}-{number}-{characters(rng, HEX, 64)}"
            ),
            prefixed(
                "https://hooks.slack.com/services/",
                f"T{characters(rng, UPPER + DIGITS, 8)}/B{characters(rng, UPPER + DIGITS, 10)}/"
                + characters(rng, BASE62, 24),
            ),
        )
    )


def stripe(rng: Random) -> Value:
    prefix = rng.choice(("sk_live_", "sk_live_", "rk_live_", "sk_test_", "whsec_"))
    length = 32 if prefix == "whsec_" else rng.choice((24, 24, 99))
    return prefixed(prefix, characters(rng, BASE62, length))


def sendgrid(rng: Random) -> Value:
    return prefixed(
        "SG.", f"{characters(rng, BASE64URL, 22)}.{characters(rng, BASE64URL, 42)}{rng.choice(BASE62)}"
    )


def pypi(rng: Random) -> Value:
    """A macaroon of version 2: location `pypi.org`, an identifier, a caveat, a signature of 32 bytes."""
    identifier = str(characters(rng, HEX, 8)) + "-" + characters(rng, HEX, 27)
    caveat = json.dumps([2, [characters(rng, HEX, 36)]]).encode()
    packed = b"\x02\x01\x08pypi.org\x02" + bytes([len(identifier)]) + identifier.encode() + b"\x00"
    packed += b"\x02" + bytes([len(caveat)]) + caveat + b"\x00\x00\x06\x20" + rng.randbytes(32)
    return prefixed("pypi-AgEIcHlwaS5vcmc", base64url(packed)[len("AgEIcHlwaS5vcmc") :])


def jwt(rng: Random) -> Value:
    """RFC 7519 with a signature of HS256, ES256 or RS256 length."""
    algorithm, size = rng.choice((("HS256", 32), ("ES256", 64), ("RS256", 256)))
    header = {"alg": algorithm, "typ": "JWT"}
    if rng.random() < 0.4:
        header["kid"] = characters(rng, HEX, 12)
    claims = {"sub": characters(rng, DIGITS, 10), "iat": rng.randrange(1_600_000_000, 1_790_000_000)}
    if rng.random() < 0.7:
        claims |= {"iss": "https://auth.example.com/", "scope": "read write"}
    packed = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    return Value(".".join(base64url(part) for part in (*packed, rng.randbytes(size))))


def aws_access_key(rng: Random) -> Value:
    return prefixed(rng.choice(("AKIA", "AKIA", "ASIA")), characters(rng, UPPER + "234567", 16))


def aws_secret_key(rng: Random) -> Value:
    return Value(characters(rng, BASE64, 39) + rng.choice(BASE62))


def gcp_api_key(rng: Random) -> Value:
    return prefixed("AIza", "Sy" + characters(rng, BASE64URL, 32) + rng.choice(BASE62))


def azure_storage_key(rng: Random) -> Value:
    return Value(base64.b64encode(rng.randbytes(64)).decode())


def azure_client_secret(rng: Random) -> Value:
    head = characters(rng, BASE62, 3) + rng.choice(DIGITS)
    return Value(f"{head}Q~{characters(rng, BASE62 + '_.~-', 33)}{rng.choice(BASE62)}")


def azure_shared_access_key(rng: Random) -> Value:
    return Value(base64.b64encode(rng.randbytes(32)).decode())


def azure_signature(rng: Random) -> Value:
    return Value(quote(base64.b64encode(rng.randbytes(32)).decode(), safe=""))


SECRETS: dict[str, Values] = {
    "jwt": jwt,
    "aws_access_key": aws_access_key,
    "aws_secret_key": aws_secret_key,
    "gcp_api_key": gcp_api_key,
    "azure_key:storage": azure_storage_key,
    "azure_key:client": azure_client_secret,
    "azure_key:shared": azure_shared_access_key,
    "azure_key:signature": azure_signature,
    "github_token": github,
    "gitlab_token": gitlab,
    "slack_token": slack,
    "stripe_key": stripe,
    "npm_token": npm,
    "pypi_token": pypi,
    "sendgrid_key": sendgrid,
}
