"""What canaries look like in bytes, in each encoding, and the search for all of it in one pass.

Each secret is looked for in two halves, so that one which is split over two records is found as well: of any
cut, one half is whole on its side. Half of a card number is eight digits, which stand in logs by chance; such
a kind counts where both halves are in the same place.

    data      … a8f3 7c1e 0b …       every third byte begins a piece of six that is looked up in one table;
                ╰────╯╰────╯         each needle is in it by the pieces that begin at its first three bytes

So each occurrence is met exactly once, whatever the number of needles.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from harness.evidence.secrets.kinds import Canary

CLEAR = "in clear"
_PIECE_BYTES = 6
_HTML_SAFE = "<>&'=+/@"
_ESCAPE = re.compile("%[0-9A-F]{2}")


@dataclass(frozen=True, slots=True)
class Needle:
    """Half of a secret in one encoding: of which canary, by kind and path, and whether it is the first half.

    `secret` numbers the secrets of all canaries; `unmistakable` says that it is nowhere by chance.
    """

    kind: str
    path: str
    encoding: str
    secret: int
    is_first: bool
    unmistakable: bool


class Needles:
    """All halves of all canaries, in every encoding.

    Args:
        canaries: by kind and path.
    """

    def __init__(self, canaries: Mapping[tuple[str, str], Canary]) -> None:
        meanings: dict[bytes, Needle] = {}
        secrets = [(at, canary, text) for at, canary in canaries.items() for text in canary.secrets]
        for number, ((kind, path), canary, text) in enumerate(secrets):
            middle = len(text) // 2
            for is_first, half in ((True, text[:middle]), (False, text[middle:])):
                for encoding, form in encoded(half):
                    # The plainest form comes first, and forms that are alike are told as that.
                    meanings.setdefault(
                        form, Needle(kind, path, encoding, number, is_first, canary.unmistakable)
                    )
        self.count = len(meanings)
        self.bytes_max = max(map(len, meanings), default=0)
        self._step = max(1, min(map(len, meanings), default=_PIECE_BYTES) - _PIECE_BYTES + 1)
        self._pieces: dict[bytes, list[tuple[int, bytes, Needle]]] = {}
        for form, needle in meanings.items():
            for shift in range(self._step):
                piece = form[shift : shift + _PIECE_BYTES]
                self._pieces.setdefault(piece, []).append((shift, form, needle))

    def hits(self, data: bytes) -> Iterator[tuple[int, int, Needle]]:
        """Yield (begin, end, needle) of each occurrence in the data, by its place."""
        pieces, size = self._pieces, _PIECE_BYTES
        places = range(0, len(data) - size + 1, self._step)
        for place in [place for place in places if data[place : place + size] in pieces]:
            for shift, form, needle in pieces[data[place : place + size]]:
                begin = place - shift
                if begin >= 0 and data.startswith(form, begin):
                    yield begin, begin + len(form), needle


def encoded(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield each form that a text may have in bytes, with the encoding's name; the plainest first.

    Base64 of a text depends on what stands before it, so it has three forms; each is what of it does not
    depend on its neighbours.
    """
    plain = text.encode()
    yield CLEAR, plain
    yield "escaped in JSON", orjson.dumps(text)[1:-1]
    yield "escaped in JSON", text.replace("/", "\\/").encode()
    yield from (("escaped in JSON", form.encode()) for form in _html_safe(text))
    quoted = quote(text, safe="")
    yield "URL-encoded", quoted.encode()
    yield "URL-encoded", _ESCAPE.sub(lambda escape: escape[0].lower(), quoted).encode()
    yield "in hexadecimal", plain.hex().encode()
    yield "in hexadecimal", plain.hex().upper().encode()
    yield "in UTF-16", text.encode("utf-16-le")
    yield "in UTF-16", text.encode("utf-16-be")
    for shift in range(3):
        first, last = -(-8 * shift // 6), 8 * (shift + len(plain)) // 6
        for form in _base64_forms(bytes(shift) + plain):
            yield "in Base64", form[first:last]


def _html_safe(text: str) -> Iterable[str]:
    r"""Return the text as writers of JSON for HTML have it: `=` as `\u003d`."""
    small = "".join(f"\\u{ord(sign):04x}" if sign in _HTML_SAFE else sign for sign in text)
    large = "".join(f"\\u{ord(sign):04X}" if sign in _HTML_SAFE else sign for sign in text)
    return small, large


def _base64_forms(content: bytes) -> Iterator[bytes]:
    yield base64.b64encode(content)
    yield base64.urlsafe_b64encode(content)
