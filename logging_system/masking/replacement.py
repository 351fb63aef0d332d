"""What is written in the place of a secret: `[masked:<rule>]`, and what its action leaves of it."""

from __future__ import annotations

import hashlib
import hmac

from logging_system.masking.rule import Action, Rule

KEPT_CHARACTERS = 4
KEPT_FROM_CHARACTERS = 12
"""Of a secret shorter than this nothing is kept: its end would tell too much of it."""

KEY_BYTES_MIN = 16
_TOKEN_HEX, _KEY_ID_HEX = 32, 4


class TokenKey:
    """The key that tokens are made with.

    Args:
        key: At least 16 bytes.

    Raises:
        ValueError: It is shorter.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"the key for tokens has {len(key)} bytes; at least {KEY_BYTES_MIN} are needed")
        self._key = key
        self._id = self._digest(b"key id")[:_KEY_ID_HEX]

    def __repr__(self) -> str:
        return f"TokenKey({self._id})"

    def token(self, rule: str, secret: str) -> str:
        """Return the same text for the same secret of a rule, from which nobody without the key finds it.

        HMAC-SHA256 (RFC 2104), cut to 128 bits, behind four digits that tell one key from another.
        """
        told = f"{rule}\0{secret}".encode("utf-8", "backslashreplace")
        return f"{self._id}-{self._digest(told)[:_TOKEN_HEX]}"

    def _digest(self, told: bytes) -> str:
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()


def redacted(name: str) -> str:
    """Return what stands for a secret of which nothing is left.

    Args:
        name: That of the rule which found it.
    """
    return f"[masked:{name}]"


def failed(name: str) -> str:
    """Return what stands for a field on which a rule raised.

    Args:
        name: That of the rule.
    """
    return f"[masked:{name}:error]"


def replacement(rule: Rule, action: Action, secret: str, key: TokenKey | None) -> str:
    """Return what stands for a secret.

    Args:
        rule: Which found it.
        action: What is left; of `drop_record` nothing is, as the record is not kept.
        secret: What was found.
        key: Makes tokens; without one nothing is left.
    """
    if action == "keep_last_4":
        kept = "".join(each for each in secret if each.isalnum())
        if len(kept) >= KEPT_FROM_CHARACTERS:
            return f"[masked:{rule.name}:{kept[-KEPT_CHARACTERS:]}]"
    if action == "token" and key is not None:
        return f"[masked:{rule.name}:{key.token(rule.name, rule.canonical(secret))}]"
    return redacted(rule.name)
