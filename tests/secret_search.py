"""Looks for made-up secrets and for the bytes of keys, in every spelling, packed or not, whole or in halves.

The spellings of text and the unpacking are those of the harness's own search; keys are bytes and have more.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote_from_bytes

from harness.evidence.secrets.kinds import Canary
from harness.evidence.secrets.needles import Needle, Needles
from harness.evidence.secrets.search import Stream


def text_needles(secrets: Mapping[str, str]) -> Needles:
    """Return what made-up secrets look like, by what each is called."""
    return Needles({(name, ""): Canary(name, text, (text,)) for name, text in secrets.items()})


class KeyNeedles(Needles):
    """What keys look like: their bytes in two halves, each in every spelling.

    Args:
        keys: By what each is called.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._forms: dict[bytes, Needle] = {}
        for number, (name, key) in enumerate(keys.items()):
            middle = len(key) // 2
            for half in (key[:middle], key[middle:]):
                for encoding, form in spellings(half):
                    needle = Needle(name, "", encoding, number, half == key[:middle], unmistakable=True)
                    self._forms.setdefault(form, needle)
        self.count = len(self._forms)
        self.bytes_max = max(map(len, self._forms), default=0)

    def hits(self, data: bytes) -> Iterator[tuple[int, int, Needle]]:
        """Yield (begin, end, needle) of each occurrence."""
        for form, needle in self._forms.items():
            at = data.find(form)
            while at >= 0:
                yield at, at + len(form), needle
                at = data.find(form, at + 1)


def spellings(key: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each form of a key's bytes, with its name."""
    yield "in clear", key
    yield "in hexadecimal", key.hex().encode()
    yield "in hexadecimal", key.hex().upper().encode()
    yield "URL-encoded", quote_from_bytes(key, safe="").encode()
    yield "URL-encoded", quote_from_bytes(key, safe="").lower().encode()
    yield "escaped in JSON", json.dumps(key.decode("latin-1"))[1:-1].encode()
    yield "in UTF-8", key.decode("latin-1").encode()
    yield "in a repr", repr(key)[2:-1].encode()
    yield "as numbers", json.dumps(list(key))[1:-1].encode()
    yield "as numbers", ",".join(map(str, key)).encode()
    for shift in range(3):
        first, last = -(-8 * shift // 6), 8 * (shift + len(key)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield "in Base64", encode(bytes(shift) + key)[first:last]


def leaks(places: Mapping[str, bytes], *needles: Needles) -> list[str]:
    """Return where something was found: place, what, and how it was spelt."""
    return sorted(
        {
            f"{place}: {hit.needle.kind} {hit.encoding}"
            for place, content in places.items()
            for each in needles
            for hit in Stream(each).feed(content)
        }
    )
