"""A disk in memory that loses, tears and refuses what a real one may lose, tear and refuse.

Every file has two contents: what processes see (the page cache) and what a power cut leaves. A write
changes the first only. A sync copies the changed blocks to the second. A power cut takes, block by block and
by the luck of the draw, the one or the other; the same goes for each creation, rename and removal since the
last sync of the folder. A failed sync forgets which blocks were changed, as Linux does: the next one succeeds
and proves nothing.
"""

from __future__ import annotations

import errno
import os
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypeVar

from logging_system.spool.disk import Disk, FileStatus, Identity

T = TypeVar("T")

FOLDER = Path("/spool")
BLOCK_BYTES = 512
CALLS_MAX = 50_000


class Killed(BaseException):
    """The process that made this call is dead; like a real death, no handler of errors catches it."""


class HangError(AssertionError):
    """A step makes system calls without end."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault, at one system call of one process.

    Attributes:
        call: Which call it waits for; "" for any.
        after_calls: How many of these go through before it.
        kind: "error", "kill", "power" or "meanwhile".
        number: errno of an error.
        late: Whether the call took effect before a kill or power cut.
    """

    call: str
    after_calls: int
    kind: str
    number: int = 0
    late: bool = False


@dataclass(eq=False, slots=True)
class _File:
    seen: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    changed: set[int] = field(default_factory=set)
    forgotten: set[int] = field(default_factory=set)
    links: int = 1
    modified_seconds: float = 0.0
    is_folder: bool = False
    number: int = 0
    locks: dict[int, bool] = field(default_factory=dict)

    def put(self, data: bytes, offset: int) -> None:
        end = offset + len(data)
        if len(self.seen) < offset:
            self.seen.extend(bytes(offset - len(self.seen)))
        self.seen[offset:end] = data
        self.changed.update(range(offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES + 1))

    def cut(self, length: int) -> None:
        del self.seen[length:]
        self.changed.add(length // BLOCK_BYTES)

    def sync(self, blocks: set[int], size: int) -> None:
        """Make `blocks` durable in a file of `size` bytes."""
        del self.durable[size:]
        for block in sorted(blocks):
            start = block * BLOCK_BYTES
            data = self.seen[start : min(start + BLOCK_BYTES, size)]
            if data:
                if len(self.durable) < start:
                    self.durable.extend(bytes(start - len(self.durable)))
                self.durable[start : start + len(data)] = data
        if len(self.durable) < size:
            self.durable.extend(bytes(size - len(self.durable)))


class SimulatedDisk:
    """One folder, and those in it, on one disk, shared by the processes that `process` returns.

    Files and folders are named by their path below it.

    Args:
        rng: Decides what a failure leaves behind.
        lies: Whether syncs may return without having done anything (a broken controller).
    """

    def __init__(self, rng: random.Random, *, lies: bool = False) -> None:
        self.rng = rng
        self.lies = lies
        self.now_seconds = 0.0
        self.struck = 0
        """Faults that took place."""
        self.power_cuts = 0
        self.on_evicted: Callable[[bytes], None] | None = None
        self.on_written: Callable[[bytes], None] | None = None
        """Told of all that is written."""
        self.meanwhile: Callable[[], None] | None = None
        """What another process does in the middle of a call."""
        self.names: dict[str, _File] = {}
        self._durable_names: dict[str, _File] = {}
        self._pending: dict[str, list[tuple[str, str, _File]]] = {}
        self._processes: list[Process] = []
        self._next_descriptor = 3

    def process(self) -> Process:
        """Return the disk as a new process sees it."""
        started = Process(self)
        self._processes.append(started)
        return started

    def kill(self, process: Process) -> None:
        """End a process: its descriptors and locks go, what it wrote stays visible."""
        process.die()
        self._processes.remove(process)

    def power_cut(self) -> None:
        """End all processes and keep what was durable, and what happened to be by chance."""
        self.power_cuts += 1
        for process in list(self._processes):
            self.kill(process)
        names = dict(self._durable_names)
        for kind, name, file in chain.from_iterable(self._pending.values()):
            if self.rng.random() < 0.5:
                _apply(names, kind, name, file)
        names = {name: file for name, file in names.items() if _has_folder(names, name)}
        for file in {id(each): each for each in names.values()}.values():
            size = self.rng.choice((len(file.durable), len(file.seen)))
            kept = {block for block in file.changed if self.rng.random() < 0.5}
            file.sync(kept, size)
            file.seen = bytearray(file.durable)
            file.changed, file.forgotten = set(), set()
        for file in self.names.values():
            file.links = 0
        for file in names.values():
            file.links = 1
        self.names, self._durable_names, self._pending = names, dict(names), {}

    def evict_forgotten(self) -> bool:
        """Drop from the page cache what a failed sync left there marked as clean; whether there was any."""
        files = [file for file in self.names.values() if file.forgotten]
        for file in files:
            for block in file.forgotten - file.changed:
                start, end = block * BLOCK_BYTES, min((block + 1) * BLOCK_BYTES, len(file.seen))
                if start < end:
                    kept = file.durable[start:end]
                    file.seen[start:end] = kept + bytes(end - start - len(kept))
            file.forgotten = set()
        return bool(files)

    def rot(self, name: str, offset_bytes: int, bit: int) -> None:
        """Flip one bit of a file, on the disk and in the cache."""
        file = self.names[name]
        file.seen[offset_bytes] ^= 1 << bit
        if offset_bytes < len(file.durable):
            file.durable[offset_bytes] ^= 1 << bit

    def is_locked(self, name: str) -> bool:
        """Whether somebody holds a lock on a file."""
        return name in self.names and bool(self.names[name].locks)

    def content(self, name: str) -> bytes:
        """Return what processes see of a file."""
        return bytes(self.names[name].seen)

    def change_name(self, kind: str, name: str, file: _File) -> None:
        """Create, remove or rename ("old>new"), visible at once and durable at the folder's next sync."""
        replaced = self.names.get(name.rpartition(">")[2])
        if replaced is not None and replaced is not file:
            replaced.links = 0
        if kind == "unlink":
            file.links = 0
        _apply(self.names, kind, name, file)
        self._pending.setdefault(_folder_of(name), []).append((kind, name, file))
        if kind == "rename" and name.endswith(".evicted") and self.on_evicted is not None:
            self.on_evicted(bytes(file.seen))

    def sync_names(self, folder: str = "") -> None:
        """Make every creation, rename and removal so far in a folder durable."""
        for kind, name, file in self._pending.pop(folder, ()):
            _apply(self._durable_names, kind, name, file)

    def number_of(self, file: _File) -> int:
        """Return the inode's number: no two files have one."""
        if file.number == 0:
            self._next_descriptor += 1
            file.number = self._next_descriptor
        return file.number

    def new_descriptor(self) -> int:
        """Return a number no open file has."""
        self._next_descriptor += 1
        return self._next_descriptor


def _name(path: Path) -> str:
    """Return a path below the folder of the disk."""
    return str(path)[len(str(FOLDER)) + 1 :]


def _folder_of(name: str) -> str:
    """Return the folder in which a name is; of a rename, both are in one."""
    return name.partition(">")[0].rpartition("/")[0]


def _has_folder(names: dict[str, _File], name: str) -> bool:
    folder = _folder_of(name)
    return not folder or (folder in names and _has_folder(names, folder))


def _apply(names: dict[str, _File], kind: str, name: str, file: _File) -> None:
    if kind == "create":
        names[name] = file
    elif kind == "unlink":
        if names.get(name) is file:
            del names[name]
    else:
        old, _, new = name.partition(">")
        if names.get(old) is file:
            del names[old]
        names[new] = file


class Process(Disk):
    """The system calls of one process on a simulated disk."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self._disk = disk
        self._open: dict[int, tuple[_File | None, bool]] = {}
        self._folders: dict[int, str] = {}
        self._strikes: dict[Strike, int] = {}
        self._calls = 0
        self._entered = ""
        self.dead = False

    def arm(self, strikes: tuple[Strike, ...]) -> None:
        """Let faults take place some calls from now; those armed before are disarmed."""
        self._strikes = dict.fromkeys(strikes, 0)
        self._calls = 0

    def ask(self, name: str, answer: Callable[[], T]) -> T:
        """Ask a server; what befalls system calls befalls this too, before or after it took effect."""
        self._enter(name)
        answered = answer()
        self._leave()
        return answered

    def die(self) -> None:
        """Let go of everything, as the kernel does for a process that ended."""
        for descriptor in list(self._open):
            self._release(descriptor)
        self.dead = True

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        del mode
        self._enter("open")
        name = _name(path)
        file = self._disk.names.get(name)
        is_folder = not name or (file is not None and file.is_folder)
        if not is_folder:
            if file is None:
                if not flags & os.O_CREAT or not _has_folder(self._disk.names, name):
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
                file = _File(modified_seconds=self._disk.now_seconds)
                self._disk.change_name("create", name, file)
            elif flags & os.O_TRUNC:
                file.cut(0)
        descriptor = self._disk.new_descriptor()
        if is_folder:
            file, self._folders[descriptor] = None, name
        self._open[descriptor] = (file, bool(flags & (os.O_WRONLY | os.O_RDWR)))
        self._leave()
        return descriptor

    def close(self, descriptor: int) -> None:
        if not self.dead:
            self._release(descriptor)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        file = self._file(descriptor, writing=True)
        taken = bytes(data)
        self._tell(taken)
        self._enter("write", lambda: file.put(taken[: self._some(len(taken))], len(file.seen)))
        file.put(taken, len(file.seen))
        file.modified_seconds = self._disk.now_seconds
        self._leave()
        return len(taken)

    def pwrite(self, descriptor: int, data: bytes, offset_bytes: int) -> int:
        file = self._file(descriptor, writing=True)
        self._tell(data)
        self._enter("pwrite", lambda: file.put(data[: self._some(len(data))], offset_bytes))
        file.put(data, offset_bytes)
        file.modified_seconds = self._disk.now_seconds
        self._leave()
        return len(data)

    def pread(self, descriptor: int, length_bytes: int, offset_bytes: int) -> bytes:
        file = self._file(descriptor)
        self._enter("pread")
        self._leave()
        return bytes(file.seen[offset_bytes : offset_bytes + length_bytes])

    def truncate(self, descriptor: int, length_bytes: int) -> None:
        file = self._file(descriptor, writing=True)
        self._enter("truncate")
        file.cut(length_bytes)
        self._leave()

    def reserve(self, descriptor: int, offset_bytes: int, length_bytes: int) -> None:
        file = self._file(descriptor, writing=True)
        self._enter("reserve")
        missing = offset_bytes + length_bytes - len(file.seen)
        if missing > 0:
            file.seen.extend(bytes(missing))
        self._leave()

    def datasync(self, descriptor: int) -> None:
        file = self._file(descriptor)
        self._enter("datasync", lambda: self._fail_sync(file))
        self._sync_file(file)
        self._leave()

    def sync(self, descriptor: int) -> None:
        file, _ = self._entry(descriptor)
        if file is None:
            self._enter("sync")
            if not self._lied():
                self._disk.sync_names(self._folders[descriptor])
        else:
            opened = file
            self._enter("sync", lambda: self._fail_sync(opened))
            self._sync_file(file)
        self._leave()

    def try_lock(self, descriptor: int, *, shared: bool = False) -> bool:
        file = self._file(descriptor)
        self._enter("try_lock")
        others = [mine for holder, mine in file.locks.items() if holder != descriptor]
        free = not others or (shared and all(others))
        if free:
            file.locks[descriptor] = shared
        self._leave()
        return free

    def status(self, descriptor: int) -> FileStatus:
        file = self._file(descriptor)
        self._enter("status")
        return FileStatus(len(file.seen), file.links, file.modified_seconds)

    def path_status(self, path: Path) -> FileStatus | None:
        self._enter("path_status")
        file = self._disk.names.get(_name(path))
        return None if file is None else FileStatus(len(file.seen), 1, file.modified_seconds)

    def identity(self, path: Path) -> Identity | None:
        self._enter("path_status")
        file = self._disk.names.get(_name(path))
        if file is None:
            return None
        return self._disk.number_of(file), int(file.modified_seconds * 1e9), len(file.seen), 0o600

    def sleep(self, seconds: float) -> None:
        self._enter("sleep")
        self._disk.now_seconds += seconds

    def rename(self, source: Path, target: Path) -> None:
        self._enter("rename")
        file = self._disk.names.get(_name(source))
        if file is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))
        self._disk.change_name("rename", f"{_name(source)}>{_name(target)}", file)
        self._leave()

    def unlink(self, path: Path) -> None:
        self._enter("unlink")
        file = self._disk.names.get(_name(path))
        if file is not None:
            self._disk.change_name("unlink", _name(path), file)
        self._leave()

    def list_names(self, folder: Path) -> list[str]:
        """Return the names in the order of a hash, as ext4 does, and what happens meanwhile in half."""
        before = self._names_in(folder)
        self._enter("list_names")
        after = self._names_in(folder)
        if set(after) == set(before):
            return before
        half = [name for name in before if zlib.crc32(name.encode()) < 1 << 31]
        return half + [name for name in after if zlib.crc32(name.encode()) >= 1 << 31]

    def make_folder(self, folder: Path, mode: int) -> list[Path]:
        del mode
        self._enter("make_folder")
        name, made = _name(folder), list[Path]()
        for length in range(1, len(name.split("/")) + 1 if name else 0):
            parent = "/".join(name.split("/")[:length])
            if parent not in self._disk.names:
                self._disk.change_name("create", parent, _File(is_folder=True))
                made.append(FOLDER / parent)
        self._leave()
        return made

    def set_mode(self, path: Path, mode: int) -> None:
        del path, mode
        self._enter("set_mode")

    def _names_in(self, folder: Path) -> list[str]:
        name = _name(folder)
        if name and name not in self._disk.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        if not name:
            return [each for each in self._disk.names if "/" not in each]
        start = len(name) + 1
        return [
            each[start:]
            for each in self._disk.names
            if each.startswith(f"{name}/") and "/" not in each[start:]
        ]

    def _tell(self, data: bytes) -> None:
        if self._disk.on_written is not None and not self.dead:
            self._disk.on_written(data)

    def _enter(self, call: str, in_part: Callable[[], None] | None = None) -> None:
        """Do what befalls the process at this call, before it takes effect."""
        if self.dead:
            raise Killed
        self._calls += 1
        if self._calls > CALLS_MAX:
            raise HangError(f"{CALLS_MAX} system calls and no end, {call} the last of them")
        self._entered = call
        for strike, passed in list(self._strikes.items()):
            if strike.call not in ("", call):
                continue
            self._strikes[strike] = passed + 1
            if passed >= strike.after_calls and not strike.late:
                self._hit(strike, in_part)

    def _leave(self) -> None:
        """Do what befalls the process at this call, after it took effect."""
        for strike, passed in list(self._strikes.items()):
            if strike.late and strike.call in ("", self._entered) and passed > strike.after_calls:
                del self._strikes[strike]
                self._befall(strike)

    def _hit(self, strike: Strike, in_part: Callable[[], None] | None) -> None:
        del self._strikes[strike]
        if strike.kind == "meanwhile":
            if self._disk.meanwhile is not None:
                self._disk.meanwhile()
            if self.dead:
                raise Killed
            return
        if in_part is not None:
            in_part()
        self._befall(strike)

    def _befall(self, strike: Strike) -> None:
        self._disk.struck += 1
        if strike.kind == "error":
            raise OSError(strike.number, os.strerror(strike.number))
        if strike.kind == "power":
            self._disk.power_cut()
        else:
            self._disk.kill(self)
        raise Killed

    def _sync_file(self, file: _File) -> None:
        if not self._lied():
            file.sync(file.changed, len(file.seen))
            file.changed = set()

    def _fail_sync(self, file: _File) -> None:
        kept = {block for block in file.changed if self._disk.rng.random() < 0.3}
        file.sync(kept, self._disk.rng.choice((len(file.durable), len(file.seen))))
        file.forgotten |= file.changed - kept
        file.changed = set()

    def _lied(self) -> bool:
        return self._disk.lies and self._disk.rng.random() < 0.5

    def _some(self, length: int) -> int:
        return self._disk.rng.randrange(length) if length else 0

    def _entry(self, descriptor: int) -> tuple[_File | None, bool]:
        if self.dead:
            raise Killed
        if descriptor not in self._open:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._open[descriptor]

    def _file(self, descriptor: int, *, writing: bool = False) -> _File:
        file, writable = self._entry(descriptor)
        if file is None or (writing and not writable):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return file

    def _release(self, descriptor: int) -> None:
        file, _ = self._open.pop(descriptor)
        self._folders.pop(descriptor, None)
        if file is not None:
            file.locks.pop(descriptor, None)
