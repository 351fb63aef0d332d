"""What a stack wrote, kept beside the result of a scenario that did not pass: its logs, and its run's folder.

The stack is not trusted: only regular files are read, no link is followed, everything has a cap, and what a
stack closes to others, keys above all, is not copied. What is left out is told with the reason.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.model.declarations import LOAD
from harness.model.result import KeptFiles
from harness.reporting.escaping import visible
from harness.reporting.redaction import Redaction

BYTES_MAX = 8 * 2**20
FILE_BYTES_MAX = 2 * 2**20
FILES_MAX = 200
ENTRIES_MAX = 10_000
DEPTH_MAX = 16
LEFT_OUT_MAX = 40
_HEAD_BYTES = FILE_BYTES_MAX // 8
_NAME_BYTES_MAX = 200
_KEY_FOLDER = re.compile(
    r"(?is)(?:.*[._-])?(?:keys?|secrets?|private|pki|tls|certs?|ssh|gnupg|aws|kube|credentials?|keystore|keyring)"
    r"(?:[._-].*)?\Z"
)
_KEY_FILE = re.compile(
    r"(?is)(?:.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx)|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.pgpass|\.env)\Z"
)
_PRIVATE_KEY = b"PRIVATE KEY-----"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LOGS = "logs"


@dataclass(frozen=True, slots=True)
class _Source:
    """One folder of the scratch, what its copy is called, and the logs in it that the harness opened.

    With `only_logs`, the rest of it is the harness's own.
    """

    folder: Path
    name: str
    logs: Collection[str]
    only_logs: bool = False


def keep_files(
    stack: Path, processes: Collection[str], load: Path, into: Path, redaction: Redaction
) -> KeptFiles | None:
    """Copy what a stack wrote, as far as it may be kept.

    Args:
        stack: the stack's folder of the run (`{run.folder}`), in which each process has its log.
        processes: the names of the stack's processes.
        load: the load's folder, with the log of the application that hosts a handler, or those of Locust.
        into: where the copies go, mode 0700; its last two parts are what reports call it.
        redaction: masks what reports mask.

    Returns:
        What was kept and what was left out; None where nothing was written at all.
    """
    workers = sorted(path.name for path in load.glob(f"{LOAD}.*.log"))
    sources = (
        _Source(load, "application", ("application.log", "master.log", *workers), only_logs=True),
        _Source(stack, "stack", tuple(f"{name}.log" for name in processes)),
    )
    keeping = _Keeping(into, redaction)
    for source in sources:
        keeping.take(source)
    return keeping.kept()


@dataclass(slots=True)
class _Keeping:
    """One scenario's copies while they are made."""

    into: Path
    redaction: Redaction
    files: int = 0
    size_bytes: int = 0
    entries: int = 0
    left_out: list[str] = field(default_factory=list)
    more: int = 0

    def kept(self) -> KeptFiles | None:
        if not self.files and not self.left_out:
            return None
        more = (f"{self.more:,} more",) if self.more else ()
        name = "/".join(self.into.parts[-2:])
        return KeptFiles(name, self.files, self.size_bytes, (*self.left_out, *more))

    def take(self, source: _Source) -> None:
        """Take the logs first: they are what a reader needs most, and the room may not suffice for all."""
        if not source.folder.is_dir():
            return
        for place, name, descriptor in list_files(self, source):
            try:
                self._take_file(place, name, descriptor, is_log=name in source.logs and place == source.name)
            except OSError as error:
                self.leave(f"{place}/{name}", f"cannot be kept: {error.strerror}")
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    return

    def leave(self, what: str, why: str) -> None:
        """Note that something is left out."""
        if len(self.left_out) < LEFT_OUT_MAX:
            self.left_out.append(f"{visible(what)}: {why}")
        else:
            self.more += 1

    def _take_file(self, place: str, name: str, descriptor: int, *, is_log: bool) -> None:
        seen = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if why := self._why_not(name, seen, is_log=is_log):
            self.leave(f"{place}/{name}", why)
            return
        if not seen.st_size:
            return
        content = _content(name, descriptor, seen)
        masked = self._masked(content)
        if isinstance(masked, str):
            self.leave(f"{place}/{name}", masked)
            return
        if self.size_bytes + len(masked) > BYTES_MAX:
            self.leave(
                f"{place}/{name}", f"{seen.st_size:,} bytes, and there is room for {BYTES_MAX:,} in all"
            )
            return
        self._write(Path(*(_safe(part) for part in place.split("/")), _safe(name)), masked)
        if seen.st_size > FILE_BYTES_MAX:
            self.leave(
                f"{place}/{name}", f"its middle: {seen.st_size - FILE_BYTES_MAX:,} of {seen.st_size:,} bytes"
            )

    def _why_not(self, name: str, seen: os.stat_result, *, is_log: bool) -> str:
        if why := _no_plain_file(seen):
            return why
        # The logs are opened by the harness, closed to others.
        if not is_log and not seen.st_mode & _OTHERS:
            return f"closed to others (mode {stat.S_IMODE(seen.st_mode):04o})"
        if _KEY_FILE.match(name):
            return "named as a file of keys"
        if self.files >= FILES_MAX:
            return f"there is room for {FILES_MAX} files"
        return ""

    def _masked(self, content: bytes) -> bytes | str:
        """Return what may be kept of a file's content, or why nothing may."""
        text = _text(content)
        if text is not None:
            return self.redaction.file_text(text).encode("utf-8", "surrogateescape")
        if _PRIVATE_KEY in content:
            return "holds a private key"
        if self.redaction.masks_lines:
            return "no text, so lines of --input in it could not be masked"
        return content

    def _write(self, path: Path, content: bytes) -> None:
        target = self.into / path
        for folder in (
            self.into.parent,
            self.into,
            *(self.into / each for each in reversed(path.parents[:-1])),
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        self.files += 1
        self.size_bytes += len(content)


def list_files(keeping: _Keeping, source: _Source) -> Iterator[tuple[str, str, int]]:
    """Yield each file as (folder's place, name, folder's descriptor), the logs first; no link is followed."""
    for root, folders, files, descriptor in os.fwalk(
        source.folder, onerror=lambda error: _unreadable(keeping, source, error), follow_symlinks=False
    ):
        below = Path(root).relative_to(source.folder)
        place = source.name if below == Path() else f"{source.name}/{below}"
        folders[:] = [] if source.only_logs else _entered(keeping, place, sorted(folders), descriptor)
        wanted = [name for name in files if not source.only_logs or name in source.logs]
        for name in sorted(wanted, key=lambda each: (each not in source.logs, each)):
            keeping.entries += 1
            if keeping.entries > ENTRIES_MAX:
                keeping.leave(f"{place}/…", f"more than {ENTRIES_MAX:,} files")
                return
            yield place, name, descriptor


def _entered(keeping: _Keeping, place: str, folders: list[str], descriptor: int) -> list[str]:
    """Return the folders to look into; the others are left out."""
    entered = []
    for name in folders:
        with suppress(OSError):
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                keeping.leave(f"{place}/{name}", "a symbolic link")
            elif _KEY_FOLDER.match(name):
                keeping.leave(f"{place}/{name}/", "named as a folder of keys")
            elif place.count("/") >= DEPTH_MAX:
                keeping.leave(f"{place}/{name}/", f"more than {DEPTH_MAX} folders deep")
            else:
                entered.append(name)
    return entered


def _unreadable(keeping: _Keeping, source: _Source, error: OSError) -> None:
    keeping.leave(f"{source.name}/{error.filename}/", f"cannot be read: {error.strerror}")


def _no_plain_file(seen: os.stat_result) -> str:
    if stat.S_ISLNK(seen.st_mode):
        return "a symbolic link"
    if not stat.S_ISREG(seen.st_mode):
        return "no regular file"
    # A second name may be that of a file which is none of the stack's.
    return "a file with a second name (hard link)" if seen.st_nlink > 1 else ""


def _content(name: str, folder: int, seen: os.stat_result) -> bytes:
    """Return a file's content; of a large one the beginning and the end, cut between two lines.

    Raises:
        OSError: it cannot be read, or is not what was seen.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        if not os.path.samestat(os.fstat(descriptor), seen):
            raise OSError(errno.ESTALE, "it was replaced while it was read")
        if seen.st_size <= FILE_BYTES_MAX:
            return file.read(FILE_BYTES_MAX)
        head = file.read(_HEAD_BYTES)
        file.seek(seen.st_size - (FILE_BYTES_MAX - _HEAD_BYTES))
        tail = file.read(FILE_BYTES_MAX - _HEAD_BYTES)
    head = head[: head.rfind(b"\n") + 1] or head
    tail = tail[tail.find(b"\n") + 1 :] or tail
    left_out = seen.st_size - len(head) - len(tail)
    return b"%b[logquake: %d bytes left out]\n%b" % (head, left_out, tail)


def _text(content: bytes) -> str | None:
    """Return a content as text; None where it is none."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _safe(name: str) -> str:
    """Return a name for a copy: nothing invisible in it, of bounded length."""
    shown = visible(name)
    return shown.encode("utf-8", "backslashreplace")[:_NAME_BYTES_MAX].decode("utf-8", "ignore")
