"""Keys, tokens and the seal: what the server keeps, in memory and in one file that survives its death."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from harness.programs.transit_lite.errors import ApiError, bad_request
from harness.programs.transit_lite.keys import KINDS, TransitKey, restored, stored

TOKENS_MAX = 10_000
KEYS_MAX = 10_000
FOREVER = 0.0


class Vault:
    """What one server keeps.

    Args:
        root_token: the token that never expires, and that unseals.
        file: where keys, tokens and the seal are kept; None keeps them in memory alone.
        now: seconds since the epoch.
    """

    def __init__(self, root_token: str, file: Path | None, now: Callable[[], float] = time.time) -> None:
        self._root_token = root_token
        self._file = file
        self._now = now
        self.keys: dict[str, TransitKey] = {}
        self.tokens: dict[str, float] = {}
        self.is_sealed = False
        if file is not None and file.exists():
            self._load(orjson.loads(file.read_bytes()))

    def allow(self, token: str) -> None:
        """Return if a token counts; a sealed server and an unknown or expired token are refused."""
        if self.is_sealed:
            raise ApiError(503, "Vault is sealed")
        if secrets.compare_digest(token.encode(), self._root_token.encode()):
            return
        expires = self.tokens.get(token)
        if expires is None or FOREVER < expires <= self._now():
            raise ApiError(403, "permission denied")

    def seconds_left(self, token: str) -> int:
        """Return how long a token counts; 0 for one without an end."""
        return max(1, int(self.tokens[token] - self._now())) if self.tokens.get(token) else 0

    def create_token(self, seconds: float) -> str:
        """Return a new token.

        Args:
            seconds: how long it counts; 0 for ever.
        """
        if len(self.tokens) >= TOKENS_MAX:
            raise bad_request(f"transit_lite keeps at most {TOKENS_MAX} tokens")
        token = f"hvs.{secrets.token_urlsafe(24)}"
        self.tokens[token] = self._now() + seconds if seconds else FOREVER
        self.save()
        return token

    def revoke_token(self, token: str) -> None:
        """Let a token count no more."""
        self.tokens.pop(token, None)
        self.save()

    def expire_tokens(self) -> int:
        """Let every token but the root's expire at once; return how many there were."""
        self.tokens = dict.fromkeys(self.tokens, self._now())
        self.save()
        return len(self.tokens)

    def seal(self) -> None:
        """Answer nothing but 503 until unsealed."""
        self.is_sealed = True
        self.save()

    def unseal(self, share: str) -> None:
        """Answer again; the root token is the only share."""
        if not secrets.compare_digest(share.encode(), self._root_token.encode()):
            raise bad_request("invalid key: the share is the root token")
        self.is_sealed = False
        self.save()

    def create_key(self, name: str, kind: str) -> None:
        """Make a key unless it exists."""
        if kind not in KINDS:
            raise bad_request(f"unknown key type; transit_lite has {', '.join(sorted(KINDS))}")
        if len(self.keys) >= KEYS_MAX:
            raise bad_request(f"transit_lite keeps at most {KEYS_MAX} keys")
        if name not in self.keys:
            key = TransitKey(name, kind)
            key.add_version()
            self.keys[name] = key
            self.save()

    def key(self, name: str, otherwise: str) -> TransitKey:
        """Return a key; a 400 with `otherwise` where it is not there."""
        key = self.keys.get(name)
        if key is None:
            raise bad_request(otherwise)
        return key

    def delete_key(self, name: str) -> None:
        """Delete a key that may be deleted."""
        if not self.key(name, "could not delete key; not found").settings["deletion_allowed"]:
            raise bad_request(f"error deleting policy {name}: deletion is not allowed for this policy")
        del self.keys[name]
        self.save()

    def save(self) -> None:
        """Replace the file as a whole."""
        if self._file is None:
            return
        content = {
            "keys": [stored(key) for key in self.keys.values()],
            "tokens": self.tokens,
            "is_sealed": self.is_sealed,
        }
        new = self._file.with_name(f"{self._file.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(orjson.dumps(content))
        new.replace(self._file)

    def _load(self, content: dict[str, object]) -> None:
        keys, tokens = content["keys"], content["tokens"]
        assert isinstance(keys, list)  # noqa: S101 - written by `save`
        assert isinstance(tokens, dict)  # noqa: S101 - written by `save`
        self.keys = {key.name: key for key in map(restored, keys)}
        self.tokens = tokens
        self.is_sealed = bool(content["is_sealed"])
