"""Which data keys the sealed fields of a document name, read from its bytes and opened nowhere."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import orjson

from logging_system.encryption.envelope import data_key_id_of
from logging_system.encryption.fields import FIELD

MARK = b'"%b":[' % FIELD.encode()
"""What a document with sealed fields has in it, and maybe others too."""
_ONLY_SEALED = re.compile(re.escape(MARK) + rb'"([\w=-]+(?:","[\w=-]+)*)"\]')
# The longest header up to and with the data key's id has 87 bytes; base64 makes four characters of three.
_HEAD_CHARACTERS = 116


def named_data_keys(document: bytes) -> Iterator[bytes]:
    """Yield the ids of the data keys that a document's sealed fields need, each as often as it is named.

    Args:
        document: JSON as it is spooled: an object, without blanks between its parts.
    """
    at = document.find(MARK)
    if at < 0:
        return
    only = _ONLY_SEALED.match(document, at)
    # An application may have had a field of that name, with whatever in it.
    elements = only[1].split(b'","') if only and MARK not in document[only.end() :] else _texts(document)
    for element in elements:
        with_head = element[:_HEAD_CHARACTERS]
        try:
            data_key_id = data_key_id_of(urlsafe_b64decode(with_head[: len(with_head) // 4 * 4]))
        except binascii.Error:
            continue
        if data_key_id is not None:
            yield data_key_id


def _texts(document: bytes) -> Iterator[bytes]:
    try:
        found = orjson.loads(document)[FIELD]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return
    for each in found if isinstance(found, list) else ():
        if isinstance(each, str):
            yield each.encode("utf-8", "replace")
