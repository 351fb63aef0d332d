"""What a shipper takes does not follow the backlog, sealed or not, nor the length of an outage."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import orjson
import pytest

from logging_system.config.encryption import encryption_of, encryption_settings
from logging_system.keys.providers.file import FileProvider
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.writer import SpoolWriter
from tests.stack.processes import eventually, finish, kill, ready_line, started

DEAD = "http://127.0.0.1:9"
BLOCK_RECORDS = 256
BACKLOG_RECORDS = 8_192
"""More than fits one request."""
LARGER_RECORDS = 40_960
CHUNK_RECORDS = 2_048
"""More than the megabyte that is read at a time."""
PROMISED_MIB_MAX = 64.0
"""As our stack files promise it."""
MORE_MIB_MAX = 3.0
"""Held in memory, as many records as fit five requests take nine more than those of one."""


def test_memory_does_not_follow_the_backlog_be_it_sealed_or_not(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    FileProvider(keys).create("logs")
    setting = f"provider=file,path={keys}"
    sealed_folder = tmp_path / "sealed"
    settings = encryption_settings(setting)
    assert settings is not None
    sealing = encryption_of(settings, sealed_folder)

    plain = grown_mib(tmp_path / "plain", PLAIN_CODECS)
    sealed = grown_mib(sealed_folder, sealing.codecs(), "--encryption", setting)

    assert plain[1] - plain[0] < MORE_MIB_MAX
    assert sealed[1] - sealed[0] < MORE_MIB_MAX
    # What opening needs once, whatever is held: the first key, and its cipher.
    assert sealed[1] < plain[1] + 2 * MORE_MIB_MAX


@pytest.mark.parametrize(
    ("provider", "more_mib_max"),
    [
        ("provider=vault,url=http://127.0.0.1:9,token_file={token}", MORE_MIB_MAX),
        # One that is not ours keeps what it likes until garbage is looked for.
        ("provider=tests.stack.circular_provider:CircularProvider", PROMISED_MIB_MAX),
    ],
)
def test_memory_does_not_follow_the_length_of_an_outage_of_the_keys(
    tmp_path: Path, provider: str, more_mib_max: float
) -> None:
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text("token")
    keys = tmp_path / "keys.json"
    FileProvider(keys).create("logs")
    spool = tmp_path / "spool"
    sealing = encryption_settings(f"provider=file,path={keys}")
    assert sealing is not None
    writer = SpoolWriter(
        spool, spool_bytes_max=1 << 30, sync=False, codecs=encryption_of(sealing, spool).codecs()
    )
    append(writer, 0, CHUNK_RECORDS)
    with shipping(spool, "--encryption", provider.format(token=tmp_path / "token")) as process:
        eventually(lambda: status(spool).get("unavailable_epochs") == 1, "the shipper waits for the key")
        before_mib = resident_mib(process.pid)
        wait_for_reports(spool, 4)  # a hundred attempts, each with a megabyte of the spool
        after_mib = resident_mib(process.pid)

    assert after_mib - before_mib < more_mib_max


def grown_mib(spool: Path, codecs: Codecs, *flags: str) -> Sequence[float]:
    """Return the growth above idle with a backlog and with a larger one."""
    with shipping(spool, *flags) as process:
        wait_for_reports(spool, 1)
        idle_mib = resident_mib(process.pid)
        writer = SpoolWriter(spool, spool_bytes_max=1 << 30, sync=False, codecs=codecs)
        append(writer, 0, BACKLOG_RECORDS)
        eventually(lambda: status(spool)["spooled"] > 0, "the backlog is read")
        wait_for_reports(spool, 2)
        few_mib = resident_mib(process.pid) - idle_mib
        append(writer, BACKLOG_RECORDS, LARGER_RECORDS)
        wait_for_reports(spool, 2)
        many_mib = resident_mib(process.pid) - idle_mib
        writer.seal()
    return few_mib, many_mib


@contextmanager
def shipping(spool: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """A shipper whose store is dead."""
    arguments = ["--spool", str(spool), "--elasticsearch", DEAD, "--stream", "logs-memory-test", *flags]
    command = [sys.executable, "-m", "logging_system", "ship", "--lifeline", *arguments]
    process = started(command, stderr=subprocess.DEVNULL)
    try:
        ready_line(process)
        yield process
        assert finish(process) == 0
    finally:
        kill(process)


def append(writer: SpoolWriter, first: int, end: int) -> None:
    for start in range(first, end, BLOCK_RECORDS):
        numbers = range(start, start + BLOCK_RECORDS)
        writer.append(
            [b'{"message":"%d %s"}' % (number, os.urandom(300).hex().encode()) for number in numbers]
        )


def wait_for_reports(spool: Path, count: int) -> None:
    """Wait until the shipper has written its counters so often: it writes them once a second."""
    for _ in range(count):
        before_ns = written_ns(spool)
        eventually(partial(is_newer, spool, before_ns), "the counters are written")


def is_newer(spool: Path, before_ns: int) -> bool:
    return written_ns(spool) > before_ns


def written_ns(spool: Path) -> int:
    path = spool / "status-shipper.json"
    return path.stat().st_mtime_ns if path.exists() else 0


def status(spool: Path) -> dict[str, int]:
    path = spool / "status-shipper.json"
    content: dict[str, int] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return content


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
