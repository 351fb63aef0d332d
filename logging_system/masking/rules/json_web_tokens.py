"""JSON web tokens (RFC 7519): signed ones of three parts, encrypted ones of five."""

from __future__ import annotations

import base64
import binascii
import json

from logging_system.masking.rule import Rule, if_so


def _has_header(token: str) -> bool:
    """Whether the first part is a JSON object that names an algorithm (RFC 7515, RFC 7516)."""
    part = token.partition(".")[0][:4096]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and ("alg" in header or "enc" in header or "typ" in header)


JSON_WEB_TOKENS = (
    Rule(
        name="jwt",
        what="JSON web tokens whose header can be read",
        gate=(r"eyJ[A-Za-z0-9_-]{8}", r"ewog[A-Za-z0-9_-]{8}"),
        pattern=r"(?:^|[^A-Za-z0-9_-])((?:eyJ|ewog)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"
        r"(?:\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*)?)",
        judge=if_so(_has_header),
        examples=(
            "jwt «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIzNDU2» end",
            "?t=«eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.»",
        ),
        counterexamples=("eyJub3QiOiJhIGp3dCJ9", "eyJicm9rZW4.aaaa.bbbb", "file eyJab.txt.gz"),
    ),
)
