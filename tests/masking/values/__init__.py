"""Secrets that are well-formed by their issuers' rules, made from a seed; not one of them opens anything."""

from __future__ import annotations

from random import Random

from tests.masking.values import keys, money, names, tokens
from tests.masking.values.value import Value, Values

SECRETS: dict[str, Values] = {**money.SECRETS, **names.SECRETS, **tokens.SECRETS, **keys.SECRETS}


def secret(kind: str, rng: Random) -> Value:
    """One value; `kind` may name a form of it after a colon: `password:quoted`.

    Raises:
        KeyError: There is no such kind or form.
    """
    return SECRETS[kind](rng)


__all__ = ["SECRETS", "Value", "secret"]
