"""A small keyring of all versions of a key, a JSON file, and the commands that work it.

    python -m harness.selftest.keyring rotate|rotate_and_forget|status|decode|nonces KEYRING

What seals is a stream from SHAKE-256 with an HMAC, of the standard library: damage is noticed.
`decode` opens documents on standard input, one a line; `nonces` lists what is sealed in them. It is started
for each look at an archive, so that it imports as little as it can.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NONCE_BYTES = 16
_KEY_BYTES, _TAG_BYTES = 32, 32


@dataclass(frozen=True, slots=True)
class Keyring:
    """All versions of the key by their numbers; the highest seals."""

    keys: Mapping[int, bytes]

    @property
    def version(self) -> int:
        """Return the version that seals."""
        return max(self.keys)

    def seal(self, text: str, nonce: bytes = b"") -> str:
        """Return a text that only a keyring with this version opens; the nonce is drawn if none is given."""
        key, nonce = self.keys[self.version], nonce or secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + _masked(key, nonce, text.encode("utf-8", "surrogatepass"))
        return f"{self.version}:{base64.b64encode(sealed + hmac.digest(key, sealed, 'sha256')).decode()}"

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            KeyError: its version is gone.
            ValueError: it is damaged.
        """
        version, _, stored = sealed.partition(":")
        key, content = self.keys[int(version)], base64.b64decode(stored)
        body, tag = content[:-_TAG_BYTES], content[-_TAG_BYTES:]
        if not hmac.compare_digest(tag, hmac.digest(key, body, "sha256")):
            raise ValueError("the tag does not fit")
        return _masked(key, body[:NONCE_BYTES], body[NONCE_BYTES:]).decode("utf-8", "surrogatepass")


def _masked(key: bytes, nonce: bytes, data: bytes) -> bytes:
    stream = hashlib.shake_256(key + nonce).digest(len(data))
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


def read_keyring(path: Path) -> Keyring:
    """Read a keyring; raises OSError or ValueError where it cannot be had."""
    return Keyring(
        {int(version): bytes.fromhex(key) for version, key in json.loads(path.read_text()).items()}
    )


def write_keyring(path: Path, keyring: Keyring) -> None:
    """Replace a keyring at once, so that nobody sees half of it."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text(json.dumps({version: key.hex() for version, key in keyring.keys.items()}))
    fresh.chmod(0o600)
    fresh.replace(path)


def make_keyring(path: Path) -> None:
    """Make a keyring where there is none; a name that is taken by something else is left alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(path):
        write_keyring(path, Keyring({1: secrets.token_bytes(_KEY_BYTES)}))


def decode(path: Path) -> None:
    """Answer each document on standard input with its message opened."""
    keyring = read_keyring(path)
    for line in sys.stdin:
        document = json.loads(line)
        if (sealed := document.pop("sealed", None)) is not None:
            try:
                document["message"] = keyring.open(sealed)
            except (KeyError, ValueError):
                document = {"undecodable": f"no key of version {sealed.partition(':')[0]} opens it"}
        sys.stdout.write(json.dumps(document) + "\n")


def nonces() -> None:
    """List version, nonce and digest of each sealed message of the documents on standard input."""
    for line in sys.stdin:
        if (sealed := json.loads(line).get("sealed")) is not None:
            version, _, stored = sealed.partition(":")
            content = base64.b64decode(stored)
            digest = hashlib.sha256(content).hexdigest()
            sys.stdout.write(f"{version} {content[:NONCE_BYTES].hex()} {digest}\n")


def main(arguments: Sequence[str]) -> None:
    """Work a keyring."""
    command, path = arguments[0], Path(arguments[1])
    if command == "decode":
        decode(path)
        return
    if command == "nonces":
        nonces()
        return
    keyring = read_keyring(path)
    if command.startswith("rotate"):
        kept = {} if command == "rotate_and_forget" else keyring.keys
        write_keyring(path, Keyring({**kept, keyring.version + 1: secrets.token_bytes(_KEY_BYTES)}))
    else:
        print(json.dumps({"version": keyring.version, "versions": sorted(keyring.keys)}))


if __name__ == "__main__":
    main(sys.argv[1:])
