"""Kills a real process at its system calls and looks whether anything it had acknowledged is lost.

`python -m tests.crash.kills --strace 500 --seam 10000` does so in two ways:

* strace's injection: at every write, sync, rename and removal as the kernel sees it; one interpreter a kill.
* the disk seam: a forked child sends SIGKILL to itself before, after or amid its n-th call. In three of ten
  kills it only writes, and another process reads, checkpoints and removes at the same time.

After one to four kills in the same folder the rest is read, and everything is compared.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.disk import Disk
from logging_system.spool.reader import SpoolReader
from tests.crash.writer import deliver, document, work
from tests.simulation.campaign import PROCESSES, commit
from tests.toy_codec import toy_codecs

WRITE_PATH = ("write", "pwrite64", "fdatasync", "fsync", "rename", "unlink", "ftruncate", "flock")
"""The system calls at which strace kills."""
_KILLS_A_FOLDER_MAX = 4
_CALLS_MAX = 600
_READS_MAX = 50
_BESIDE_SHARE = 0.3
_CALLS_OF_A_WRITER = 150
_LOOK_SECONDS = 0.002


class BrokenPromiseError(AssertionError):
    """Something acknowledged is lost, or something delivered was never handed in."""


@dataclass(slots=True)
class Account:
    """What the processes of one folder said before they died."""

    acknowledged: set[tuple[str, int]] = field(default_factory=set)
    delivered: set[tuple[str, int]] = field(default_factory=set)

    def note(self, line: str) -> None:
        """Take one line of a process.

        Raises:
            BrokenPromiseError: It delivered what nobody handed in.
        """
        word, epoch, sequence, *content = line.split(" ", 3)
        record = (epoch, int(sequence))
        if word == "acknowledged":
            self.acknowledged.add(record)
            return
        if content[0].encode() != document(bytes.fromhex(epoch), record[1]):
            raise BrokenPromiseError(f"record {record} was delivered as {content[0]!r}")
        self.delivered.add(record)


class KillingDisk(Disk):
    """The real disk, until the n-th call kills the process.

    Args:
        at_call: Which call, counted from 1.
        moment: "before", "after", or "amid" (half of a write; before any other call).
    """

    def __init__(self, at_call: int, moment: str) -> None:
        self._left = at_call
        self._moment = moment
        for name in vars(Disk):
            if not name.startswith("_"):
                setattr(self, name, self._deadly(getattr(super(), name), name))

    def _deadly(self, call: Callable[..., object], name: str) -> Callable[..., object]:
        def counted(*arguments: object, **options: object) -> object:
            self._left -= 1
            if self._left == 0:
                if self._moment == "after":
                    call(*arguments, **options)
                elif self._moment == "amid" and name in ("write", "pwrite"):
                    descriptor, data, *rest = arguments
                    call(descriptor, bytes(data)[: len(data) // 2], *rest)  # type: ignore[call-overload, arg-type]
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return counted


def kill_by_seam(
    folder: Path,
    account: Account,
    *,
    at_call: int,
    moment: str,
    sync: bool,
    reads: bool = True,
    codecs: Codecs = PLAIN_CODECS,
) -> bool:
    """Fork a child that works in `folder` and dies at a call; returns whether it died there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            disk = KillingDisk(at_call, moment)
            work(
                folder,
                sync=sync,
                disk=disk,
                say=lambda line: _tell(writing, line),
                reads=reads,
                codecs=codecs,
            )
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        for line in said:
            account.note(line.rstrip("\n"))
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@contextlib.contextmanager
def reading_beside(folder: Path, account: Account, codecs: Codecs = PLAIN_CODECS) -> Iterator[None]:
    """Let another process read, checkpoint and remove while writers come and are killed.

    Raises:
        BrokenPromiseError: It ended with an error.
    """
    saying, telling = os.pipe()
    stopping, stop = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(stop)
        code = 1
        try:
            reader = SpoolReader(folder, codecs)
            while not select.select([stopping], [], [], _LOOK_SECONDS)[0]:
                deliver(reader, lambda line: _tell(telling, line), bytes_max=600)
            code = 0
        finally:
            os._exit(code)
    os.close(telling)
    os.close(stopping)
    try:
        yield
    finally:
        os.close(stop)
        with os.fdopen(saying) as said:
            for line in said:
                account.note(line.rstrip("\n"))
        _, status = os.waitpid(child, 0)
    if status:
        raise BrokenPromiseError(f"the reader beside a killed writer ended with {status}")


def kill_by_strace(folder: Path, account: Account, *, call: str, when: int, sync: bool) -> bool:
    """Run the writer under strace and kill it at its `when`-th `call`; returns whether it died there."""
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:signal=KILL:when={when}", sys.executable, "-m", "tests.crash.writer"]
    done = subprocess.run(
        [*command, str(folder), "fsync" if sync else "write"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for line in done.stdout.splitlines():
        account.note(line)
    if done.returncode not in (0, -signal.SIGKILL, 128 + signal.SIGKILL):
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return done.returncode != 0


def judge(folder: Path, account: Account, codecs: Codecs = PLAIN_CODECS) -> None:
    """Read what is left in `folder` and compare it with what was acknowledged.

    Raises:
        BrokenPromiseError: Something acknowledged is lost, or something torn was delivered.
    """
    reader = SpoolReader(folder, codecs)
    quiet = 0
    for _ in range(_READS_MAX):
        quiet = 0 if deliver(reader, account.note, bytes_max=1 << 20) else quiet + 1
        if quiet == 3:
            break
    damage = reader.damage
    reader.close()
    lost = account.acknowledged - account.delivered
    if lost:
        raise BrokenPromiseError(f"{len(lost)} acknowledged records are lost: {sorted(lost)[:5]}")
    if damage.corrupted_records or damage.corrupted_blocks:
        raise BrokenPromiseError(f"a kill was taken for damage: {damage}")
    left = [path.name for path in folder.iterdir() if path.suffix in (".open", ".segment", ".new")]
    if left:
        raise BrokenPromiseError(f"all was delivered and {left} is still there")


def toy_codec_kills(kills: int, seed: int) -> int:
    """Kill by the seam while blocks are stored authenticated."""
    return seam_kills(kills, seed, toy_codecs())


def seam_kills(kills: int, seed: int, codecs: Codecs = PLAIN_CODECS) -> int:
    """Kill by the seam until `kills` processes died; returns how many records they had acknowledged."""
    rng = random.Random(seed)

    def strike(folder: Path, account: Account) -> bool:
        moment, sync = rng.choice(("before", "after", "amid")), rng.random() < 0.5
        if rng.random() >= _BESIDE_SHARE:
            at_call = rng.randrange(1, _CALLS_MAX)
            return kill_by_seam(folder, account, at_call=at_call, moment=moment, sync=sync, codecs=codecs)
        at_call = rng.randrange(1, _CALLS_OF_A_WRITER)
        with reading_beside(folder, account, codecs):
            return kill_by_seam(
                folder, account, at_call=at_call, moment=moment, sync=sync, reads=False, codecs=codecs
            )

    return _campaign(kills, rng, strike, codecs)


def strace_kills(kills: int, seed: int) -> int:
    """Kill by strace, at each call of the write path in turn; returns how many records were acknowledged."""
    rng = random.Random(seed)
    points = _points()

    def strike(folder: Path, account: Account) -> bool:
        call, when = next(points)
        return kill_by_strace(folder, account, call=call, when=when, sync=rng.random() < 0.5)

    return _campaign(kills, rng, strike)


def _points() -> Iterator[tuple[str, int]]:
    """Yield every call of the write path at its every occurrence, over and over, calls side by side."""
    while True:
        for when in range(1, 111):
            for call in WRITE_PATH:
                if when <= _OCCURRENCES[call]:
                    yield call, when


_OCCURRENCES = {
    "write": 105,
    "pwrite64": 6,
    "fdatasync": 23,
    "fsync": 21,
    "rename": 10,
    "unlink": 5,
    "ftruncate": 1,
    "flock": 7,
}
"""How often a first run of the writer makes each call (`strace -c`); some more would never kill."""


def _campaign(
    kills: int,
    rng: random.Random,
    strike: Callable[[Path, Account], bool],
    codecs: Codecs = PLAIN_CODECS,
) -> int:
    done = records = 0
    for _ in range(20 * kills):
        if done >= kills:
            return records
        folder = Path(tempfile.mkdtemp(prefix="logquake-crash-"))
        try:
            account = Account()
            for _ in range(rng.randrange(1, _KILLS_A_FOLDER_MAX + 1)):
                done += strike(folder, account)
            judge(folder, account, codecs)
            records += len(account.acknowledged)
        finally:
            shutil.rmtree(folder)
    raise RuntimeError(f"only {done} of {kills} processes died at the call meant for them")


def _tell(descriptor: int, line: str) -> None:
    os.write(descriptor, line.encode() + b"\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill; returns 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--strace", type=int, default=0, metavar="N")
    parser.add_argument("--seam", type=int, default=0, metavar="N")
    parser.add_argument("--toy-codec", type=int, default=0, metavar="N", help="by the seam, authenticated")
    parser.add_argument("--seed", type=int, default=1, help="of the first process; the next has the next one")
    parser.add_argument("--processes", type=int, default=PROCESSES, metavar="P")
    options = parser.parse_args(arguments)
    campaigns: Iterable[tuple[str, int, Callable[[int, int], int]]] = (
        ("strace", options.strace, strace_kills),
        ("seam", options.seam, seam_kills),
        ("toy codec", options.toy_codec, toy_codec_kills),
    )
    failed = 0
    for name, kills, campaign in campaigns:
        if kills:
            failed += _run(name, campaign, kills, options.seed, min(options.processes, kills))
    return 1 if failed else 0


def _run(name: str, campaign: Callable[[int, int], int], kills: int, seed: int, processes: int) -> int:
    started, records, failures = time.monotonic(), 0, 0
    shares = [kills // processes + (place < kills % processes) for place in range(processes)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        seeds = [seed + place for place in range(processes)]
        pending = [pool.apply_async(campaign, given) for given in zip(shares, seeds, strict=True)]
        for of, result in zip(seeds, pending, strict=True):
            try:
                records += result.get()
            except BrokenPromiseError as error:
                failures += 1
                print(f"seed {of}, {name}: {error}", file=sys.stderr)
    print(
        f"crash, {name}: {kills} kills, seeds from {seed}, {records} acknowledged records, "
        f"{failures} failures, {time.monotonic() - started:.0f} s on {processes} processes, "
        f"commit {commit()}",
        flush=True,
    )
    return failures


if __name__ == "__main__":
    sys.exit(main())
