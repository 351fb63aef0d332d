"""Private keys that any library loads, repeatable by seed, which libraries' own generators are not."""

from __future__ import annotations

import base64
import functools
from math import gcd
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

PUBLIC_EXPONENT = 65_537
PRIME_BITS = 512
PRIMES = 12
ROUNDS = 20
SMALL_PRIMES = 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31 * 37 * 41 * 43 * 47 * 53 * 59 * 61 * 67 * 71 * 73


def is_prime(number: int, rng: Random) -> bool:
    """Miller and Rabin's test; wrong once in 4 to the power of ROUNDS. For numbers above 73."""
    if gcd(number, SMALL_PRIMES) > 1:
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(ROUNDS):
        power = pow(rng.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


@functools.cache
def primes() -> tuple[int, ...]:
    """A few primes, the same in every process, of which each RSA key takes two."""
    rng = Random("primes of RSA keys")
    found: list[int] = []
    while len(found) < PRIMES:
        # The two highest bits make every product of two have twice the bits.
        number = rng.getrandbits(PRIME_BITS) | 3 << PRIME_BITS - 2 | 1
        if gcd(number - 1, PUBLIC_EXPONENT) == 1 and is_prime(number, rng):
            found.append(number)
    return tuple(found)


def rsa_key(rng: Random) -> rsa.RSAPrivateKey:
    p, q = rng.sample(primes(), 2)
    d = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q),
    ).private_key(unsafe_skip_rsa_key_validation=True)  # which is slow; a test loads some and validates them


def ec_key(rng: Random) -> ec.EllipticCurvePrivateKey:
    curve = rng.choice((ec.SECP256R1(), ec.SECP384R1()))
    return ec.derive_private_key(rng.getrandbits(250) + 1, curve)


def text(*parts: bytes) -> bytes:
    """SSH's strings, each after its length (RFC 4251, section 5)."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def openssh_block(rng: Random) -> str:
    """An Ed25519 key in OpenSSH's own form, unencrypted (PROTOCOL.key)."""
    seed, check = rng.randbytes(32), rng.randbytes(4)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    private = check * 2 + text(b"ssh-ed25519", public, seed + public, b"deploy@build")
    private += bytes(range(1, 1 + -len(private) % 8))
    public_blob = text(b"ssh-ed25519", public)
    packed = b"openssh-key-v1\x00" + text(b"none", b"none", b"") + (1).to_bytes(4, "big")
    body = base64.b64encode(packed + text(public_blob, private)).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----"])


def key_block(rng: Random) -> str:
    """One key of any of the forms."""
    turn = rng.randrange(5)
    if turn == 0:
        return openssh_block(rng)
    key = rsa_key(rng) if turn < 3 else ec_key(rng)
    form = PrivateFormat.TraditionalOpenSSL if turn % 2 else PrivateFormat.PKCS8
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
