"""Lists what is sealed, with data key and nonce, so that somebody else can prove that no nonce is used twice.

Nothing is opened, and no key is needed: both stand in the clear in the header of what is sealed. A list
with gaps would prove nothing: what may be sealed and cannot be listed here is refused; damage alone is passed
over.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from logging_system.encryption import block_codec
from logging_system.encryption.envelope import SealError, is_of_this_format, read_header
from logging_system.encryption.fernet import FERNET_VERSION
from logging_system.encryption.fields import FIELD
from logging_system.spool.codec import PLAIN
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.frame import BLOCK_HEADER_BYTES
from logging_system.spool.scan import refuse_newer, scan_blocks
from logging_system.spool.segment import Segment, opened_segments

_DIGEST_BYTES = 16


def listed(sealed: Iterable[bytes]) -> Iterator[str]:
    """Yield `<data key id> <nonce> <digest of what is sealed>` for each thing that has a header of ours.

    Raises:
        ValueError: Something is sealed in a format that this version does not know.
    """
    for each in sealed:
        try:
            header = read_header(each)
        except SealError as error:
            if each and each[0] != FERNET_VERSION and not is_of_this_format(each):
                raise ValueError(f"{error}; list its nonces with a newer version") from None
            continue  # a field in the simple mode, whose nonces are random; or damage
        digest = hashlib.sha256(each).digest()[:_DIGEST_BYTES]
        yield f"{header.data_key_id.hex()} {header.nonce.hex()} {digest.hex()}"


def sealed_in_documents(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is sealed in documents of the store, dead letters and lines of the fallback file."""
    for line in lines:
        try:
            content = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(content, dict):
            yield from _decoded(_texts(content))


def sealed_in_spool(folder: Path, disk: Disk = REAL_DISK) -> Iterator[bytes]:
    """Yield the sealed blocks of a spool folder, beside whoever writes or ships it.

    Raises:
        OSError: The folder cannot be read, or a segment is of a newer version.
        ValueError: A block is stored in a form that this version does not know.
    """
    for segment, descriptor in opened_segments(folder, disk):
        yield from _blocks(segment, descriptor, disk)


def _blocks(segment: Segment, descriptor: int, disk: Disk) -> Iterator[bytes]:
    refuse_newer(disk, descriptor, segment.path)
    for scanned in scan_blocks(disk, descriptor, segment.epoch):
        block = scanned.header
        if block is None or not scanned.intact or block.is_mark or block.codec == PLAIN.number:
            continue
        if block.codec != block_codec.NUMBER:
            raise ValueError(
                f"{segment.path}: a block of codec {block.codec}, of which this version cannot tell the nonce"
            )
        yield disk.pread(descriptor, block.length, scanned.offset_bytes + BLOCK_HEADER_BYTES)


def _texts(content: dict[str, object]) -> Iterator[object]:
    source = content.get("_source", content.get("document", content))
    fields = source.get(FIELD) if isinstance(source, dict) else None
    yield from fields if isinstance(fields, list) else ()
    yield from (content[name] for name in ("sealed", "_sealed") if name in content)


def _decoded(texts: Iterable[object]) -> Iterator[bytes]:
    for text in texts:
        if isinstance(text, str):
            decode = urlsafe_b64decode if "-" in text or "_" in text else b64decode
            try:
                yield decode(text.encode())
            except (binascii.Error, ValueError):
                continue
