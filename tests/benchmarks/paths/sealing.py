"""Sealing beside the cipher alone, and beside Fernet: processor time, turn by turn, on the same bytes."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from logging_system.config.encryption import EncryptionSettings, encryption_of
from logging_system.encryption.encryption import Encryption
from logging_system.encryption.envelope import NONCE_BYTES
from logging_system.encryption.lines import PURPOSE as LINE
from logging_system.keys.providers.file import FileProvider
from logging_system.spool.codec import BlockContext
from tests.benchmarks.paths.row import Row

_BLOCK_BYTES = 64 * 1024
_RECORD_BYTES = 600
_RECORDS = _BLOCK_BYTES // _RECORD_BYTES
_BLOCKS = 40
_TURNS = 100


def measure() -> list[Row]:
    """Return sealing's share of raw AES-256-GCM, and how many times as fast as Fernet it is."""
    with tempfile.TemporaryDirectory(prefix="paths-") as name:
        encryption = _encryption(Path(name))
        encode = encryption.codecs().writing.encode
        block, record = os.urandom(_BLOCK_BYTES), os.urandom(_RECORD_BYTES)
        context = BlockContext(bytes(16), 1, 1, _RECORDS)
        # As much is authenticated beside the bytes as with a block of ours, and no nonce comes twice.
        associated = bytes(len(encode(b"", context)[0]) + len(context.associated_data))
        raw, numbers = AESGCM(os.urandom(32)).encrypt, count()
        raw_blocks = _repeated(
            lambda: raw(next(numbers).to_bytes(NONCE_BYTES, "big"), block, associated), _BLOCKS
        )
        sealed_blocks = _repeated(lambda: encode(block, context), _BLOCKS)
        sealed_block = _repeated(lambda: encode(block, context), 1)
        fernet, seal = Fernet(Fernet.generate_key()).encrypt, encryption.sealer(LINE).seal
        fernet_records = _repeated(lambda: fernet(record), _RECORDS)
        sealed_records = _repeated(lambda: seal(record, b""), _RECORDS)
        raw_share = _ratio(raw_blocks, sealed_blocks)
        block_speed = _ratio(fernet_records, sealed_block)
        record_speed = _ratio(fernet_records, sealed_records)
    return [
        Row("sealing a block of 64 KiB: of raw AES-256-GCM", raw_share, "x", "≥ 0.90"),
        Row("sealing records of 600 bytes in a block: times as fast as Fernet", block_speed, "x", "≥ 1"),
        Row("sealing a record of 600 bytes by itself: times as fast as Fernet", record_speed, "x", "≥ 1"),
    ]


def _encryption(folder: Path) -> Encryption:
    keys = folder / "keys.json"
    FileProvider(keys).create("logs")
    return encryption_of(EncryptionSettings("file", arguments={"path": str(keys)}), folder / "spool")


def _repeated(act: Callable[[], object], times: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(times):
            act()

    return repeat


def _ratio(reference: Callable[[], None], ours: Callable[[], None]) -> float:
    """Return the reference's time to ours; each turn of ours is between two of the reference."""
    _seconds(ours)
    before, ratios = _seconds(reference), []
    for _ in range(_TURNS):
        seconds, behind = _seconds(ours), _seconds(reference)
        ratios.append((before + behind) / 2 / seconds)
        before = behind
    return statistics.median(ratios)


def _seconds(act: Callable[[], None]) -> float:
    began_ns = time.thread_time_ns()
    act()
    return (time.thread_time_ns() - began_ns) / 1e9
