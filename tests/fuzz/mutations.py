"""Makes inputs from seeds: the same target, seed and number always give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.target import Target

INPUT_BYTES_MAX = 4 * 1024
_LARGE_ONE_IN = 2_000
_MUTATION_COUNTS = (1, 1, 1, 2, 2, 3, 5)
_JSON_SHARE = 0.6

_EDGES = (
    0, 1, 2, 7, 31, 32, 63, 64, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**16, 2**31 - 1, 2**31,
    2**32 - 1, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1,
)  # fmt: skip
_DEPTHS = (3, 17, 33, 99, 101, 253, 255, 500, 1_020, 1_030)
_JSON_NUMBERS = (
    b"0", b"-0", b"-1", b"1.5", b"1e999", b"-1e999", b"1e-999", b"201", b"409", b"2147483648", b"9" * 30,
    b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"9" * 3_000, b"NaN",
)  # fmt: skip
_JSON_DIGITS = tuple(b'"' + number + b'"' for number in (*_JSON_NUMBERS, b"99999999999999999999", b"-", b""))
_JSON_VALUES = (
    *_JSON_NUMBERS, *_JSON_DIGITS, b"null", b"true", b"false", b'"\\u0000"', b'"\\ud800"', b'"\xff"',
    '"²٣"'.encode(), b'"' + b"x" * 2_000 + b'"', b"[]", b"{}", b"[[]]", b'{"":{}}', b"[{}]",
)  # fmt: skip
_SAME_KIND = ((re.compile(rb"-?\d"), _JSON_NUMBERS), (re.compile(rb'"-?\d+"'), _JSON_DIGITS))
_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
_JSON_NAME = re.compile(rb'"(?:[^"\\]|\\.)*"(?=:)')
_OPENING = re.compile(rb"[{\[]")
_BRACKET = re.compile(rb"[{}\[\]]")


def input_of(target: Target, seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """Return one input of a campaign.

    Args:
        target: Whose words and mending are used.
        seeds: What `target.seeds()` returned.
        seed: The campaign's seed.
        number: Which input of the campaign; the first ones are the seeds, then each of them repeated.
    """
    if number < len(seeds):
        return seeds[number]
    if number < 2 * len(seeds):
        whole = seeds[number - len(seeds)]
        return whole * max(1, target.large_bytes // max(1, len(whole)))
    rng = Random(f"{target.name}:{seed}:{number}")
    body = rng.choice(seeds)
    for _ in range(rng.choice(_MUTATION_COUNTS)):
        mutate = _swap_json_value if target.json and rng.random() < _JSON_SHARE else rng.choice(_MUTATIONS)
        body = mutate(body, rng, target, seeds)[:INPUT_BYTES_MAX]
    if rng.randrange(_LARGE_ONE_IN) == 0 and body:
        body = rng.choice((body, rng.choice(seeds) or body))
        body *= target.large_bytes // len(body)
    return target.mend(body) if rng.random() < 0.5 else body


_Mutation = Callable[[bytes, Random, Target, Sequence[bytes]], bytes]


def _flip_bits(body: bytes, rng: Random, _target: Target, _seeds: Sequence[bytes]) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.randint(1, 3) if body else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _insert_bytes(body: bytes, rng: Random, _target: Target, _seeds: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(body))
    return body[:at] + rng.randbytes(rng.randint(1, 8)) + body[at:]


def _delete_bytes(body: bytes, rng: Random, _target: Target, _seeds: Sequence[bytes]) -> bytes:
    start, end = _range(body, rng)
    return body[:start] + body[end:]


def _truncate(body: bytes, rng: Random, _target: Target, _seeds: Sequence[bytes]) -> bytes:
    return body[: rng.randint(0, len(body))]


def _repeat(body: bytes, rng: Random, _target: Target, _seeds: Sequence[bytes]) -> bytes:
    start, end = _range(body, rng)
    return body[:end] + body[start:end] * rng.choice((1, 2, 10, 100)) + body[end:]


def _splice(body: bytes, rng: Random, _target: Target, seeds: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    return body[: rng.randint(0, len(body))] + other[rng.randint(0, len(other)) :]


def _insert_word(body: bytes, rng: Random, target: Target, _seeds: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(body))
    return body[:at] + rng.choice(target.words or (b"\n",)) + body[at:]


def _overwrite_number(body: bytes, rng: Random, _target: Target, _seeds: Sequence[bytes]) -> bytes:
    """Write an edge value where a length may stand: fixed width in both byte orders, or a varint."""
    value = rng.choice(_EDGES)
    at = rng.randint(0, len(body))
    width = rng.choice((1, 2, 4, 8))
    forms = (
        (value % 2 ** (8 * width)).to_bytes(width, "little"),
        (value % 2 ** (8 * width)).to_bytes(width, "big"),
        _varint(value),
    )
    return body[:at] + (form := rng.choice(forms)) + body[at + rng.choice((1, len(form))) :]


def _swap_json_value(body: bytes, rng: Random, _target: Target, _seeds: Sequence[bytes]) -> bytes:
    """Put another value where a plain one, or a whole object or list, stands."""
    found = [*_JSON_TOKEN.finditer(body), *_OPENING.finditer(body)]
    if not found:
        return body
    start, end = rng.choice(found).span()
    if body[start] in b"{[":
        end = _closing(body, start)
    if body[end : end + 1] == b":":  # a name: another of the same input takes its place
        names: list[bytes] = _JSON_NAME.findall(body)
        return body[:start] + rng.choice([*names, b'""']) + body[end:]
    return body[:start] + _json_value(rng, body[start:end]) + body[end:]


def _json_value(rng: Random, inner: bytes) -> bytes:
    if rng.random() < 0.4:
        return rng.choice(next((same for form, same in _SAME_KIND if form.match(inner)), _JSON_VALUES))
    if rng.random() < 0.7:
        return rng.choice(_JSON_VALUES)
    depth = rng.choice(_DEPTHS)
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"":', b"}]")))
    return opening * depth + inner + closing * depth


def _closing(body: bytes, start: int) -> int:
    depth = 0
    for match in _BRACKET.finditer(body, start):
        depth += 1 if match[0] in b"{[" else -1
        if depth == 0:
            return match.end()
    return len(body)


def _range(body: bytes, rng: Random) -> tuple[int, int]:
    start = rng.randint(0, len(body))
    return start, min(len(body), start + rng.choice((1, 2, 4, 16, 64, 256)))


def _varint(value: int) -> bytes:
    coded = bytearray()
    while value > 127:
        coded.append(value & 127 | 128)
        value >>= 7
    return bytes(coded) + bytes([value])


_MUTATIONS: tuple[_Mutation, ...] = (
    _flip_bits,
    _insert_bytes,
    _delete_bytes,
    _truncate,
    _repeat,
    _splice,
    _insert_word,
    _overwrite_number,
)
