"""Reads JSON as strictly as it was written: first by the standard, then as clients really write it.

What `orjson` refuses costs a whole request, so a second reading takes what one odd value of one record may
bring: `NaN`, `Infinity`, numbers beyond a double, half of a surrogate pair, bytes that are no UTF-8, control
characters, more levels than any reader takes. Text that is no JSON at all is refused by both.
"""

from __future__ import annotations

import codecs
import json
import re

import orjson

NESTED_MAX = 300
"""Containers within each other; what lies deeper is replaced by `TOO_DEEP`."""
TOO_DEEP = f"[nested deeper than {NESTED_MAX} levels]"

_DIGITS_MAX = 20
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)
_BYTES_SHOWN = "logging_system.bytes_shown"


class NotJsonError(ValueError):
    """A text is no JSON, however leniently it is read."""


def read_json(text: bytes) -> object:
    r"""Return the value a text stands for.

    A byte that is no UTF-8 becomes `\xe9`, as in NDJSON's lines; half of a surrogate pair stays one, which
    `encode_document` writes as six characters.

    Args:
        text: UTF-8, with or without a byte order mark.

    Raises:
        NotJsonError: It is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as strict:
        written = text.decode("utf-8", _BYTES_SHOWN).removeprefix("\ufeff")
        try:
            return json.loads(_pruned(written), strict=False, parse_int=_integer)
        except (ValueError, RecursionError) as error:
            raise NotJsonError(str(strict)) from error


def _integer(digits: str) -> int | str:
    # Python refuses to read thousands of digits, and nothing here counts that far.
    return int(digits) if len(digits) <= _DIGITS_MAX else digits


def _pruned(text: str) -> str:
    if text.count("[") + text.count("{") <= NESTED_MAX:
        return text
    parts: list[str] = []
    depth = copied = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == NESTED_MAX + 1:
                parts += (text[copied : token.start()], json.dumps(TOO_DEEP))
        elif token[0] in "]}":
            depth -= 1
            if depth == NESTED_MAX:
                copied = token.end()
    return "".join(parts) + text[copied:] if depth <= NESTED_MAX else text


def _shown(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"\\\\x{byte:02x}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_BYTES_SHOWN, _shown)
