"""Lists what is sealed, with data key and nonce, so that somebody else can prove that no nonce is used twice.

Nothing is opened, and no key is needed: both stand in the clear in the header of what is sealed.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from logging_system.encryption import block_codec
from logging_system.encryption.envelope import SealError, read_header
from logging_system.encryption.fields import FIELD
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.frame import BLOCK_HEADER_BYTES
from logging_system.spool.scan import read_file_header, scan_blocks
from logging_system.spool.segment import Segment, opened_segments

_DIGEST_BYTES = 16


def listed(sealed: Iterable[bytes]) -> Iterator[str]:
    """Yield `<data key id> <nonce> <digest of what is sealed>` for each thing that has a header of ours."""
    for each in sealed:
        try:
            header = read_header(each)
        except SealError:
            continue  # a field in the simple mode, or damage
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
        OSError: The folder cannot be read.
    """
    for segment, descriptor in opened_segments(folder, disk):
        yield from _blocks(segment, descriptor, disk)


def _blocks(segment: Segment, descriptor: int, disk: Disk) -> Iterator[bytes]:
    header = read_file_header(disk, descriptor)
    if header is None or header.is_newer:
        return
    for scanned in scan_blocks(disk, descriptor, segment.epoch):
        block = scanned.header
        if block is not None and scanned.intact and block.codec == block_codec.NUMBER:
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
