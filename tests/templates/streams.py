"""Streams to time a miner with: the lines of a log as they are, and ever new ones of the same kinds."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence

from tests.templates.miners import Learner

_HEXADECIMAL = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{6,}\b")
_DIGIT = re.compile(r"\d")


def ever_new(messages: Sequence[str], times: int, seed: int) -> list[str]:
    """Return the lines so many times, each time with other digits, so that few are equal.

    Args:
        messages: The lines.
        times: How often.
        seed: Of the digits.
    """
    drawn = random.Random(seed)
    digits, hexadecimal = "0123456789", "0123456789abcdef"

    def other(message: str) -> str:
        message = _HEXADECIMAL.sub(lambda it: "".join(drawn.choices(hexadecimal, k=len(it[0]))), message)
        return _DIGIT.sub(lambda _: drawn.choice(digits), message)

    return [other(message) for _ in range(times) for message in messages]


def lines_per_second(learn: Learner, messages: Sequence[str]) -> float:
    """Return how many lines a miner learns in a second of this process's processor time."""
    begun = time.process_time()
    for message in messages:
        learn(message)
    return len(messages) / (time.process_time() - begun)
