"""A small disk of its own for one folder of a stack, so that it can be full without filling this machine's.

It is a tmpfs of a fixed size, mounted over the folder before the stack starts. What fills it is a file
without a name: nobody finds it in the folder, it does not count as the stack's, and it goes with the process
that has it open, however that process ends. The kernel answers as it does on any full disk: ENOSPC.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import threading
from contextlib import suppress
from pathlib import Path

from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.files import FilesTarget

_MNT_DETACH = 2
_MNT_FLAGS = 2 | 4  # MS_NOSUID | MS_NODEV, from sys/mount.h
_KEPT = ".logquake-kept"
_FILL_SECONDS = 0.02
_PIECE_BYTES = 1 << 20
_PIECES_MAX = 2_048
_PROBE_BYTES = 4_096
_END_SECONDS = 5.0
REMEDY = (
    "it needs CAP_SYS_ADMIN. Run logquake as root, or as "
    "`unshare --map-current-user --keep-caps --mount logquake run …`, which needs no root"
)


def mount(folder: Path, size_mib: int) -> None:
    """Mount an empty disk over a folder, which is made where it is missing.

    Args:
        folder: what will lie on it.
        size_mib: how much it takes, in MiB.

    Raises:
        FaultError: the system refuses, e.g. for lack of a permission.
    """
    options = f"size={size_mib}m,mode=0700"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(_MNT_FLAGS), options.encode())
    except OSError as error:
        remedy = f"; {REMEDY}" if error.errno in {errno.EPERM, errno.EACCES} else ""
        raise FaultError(f"no small disk can be mounted over {folder}: {error.strerror}{remedy}") from error


def unmount(folder: Path) -> bool:
    """Take a disk away with all that is on it, also while processes have files on it open. Idempotent.

    Args:
        folder: over which it was mounted; what was in the folder before shows again.

    Returns:
        Whether there was one.

    Raises:
        FaultError: the system refuses.
    """
    if not folder.is_mount():
        return False
    try:
        _call("umount2", os.fsencode(folder), _MNT_DETACH)
    except OSError as error:
        raise FaultError(f"the disk over {folder} cannot be unmounted: {error.strerror}") from error
    return True


def unmount_keeping(folder: Path) -> None:
    """Take a disk away and leave its files in the folder, as evidence; raises FaultError."""
    if not folder.is_mount():
        return
    kept = folder.with_name(folder.name + _KEPT)
    with suppress(OSError, shutil.Error):  # evidence is worth a try, and no more
        shutil.copytree(folder, kept, symlinks=True, ignore=_special)
    unmount(folder)
    if kept.is_dir():
        with suppress(OSError):
            folder.rmdir()
            kept.rename(folder)


def undo_mount(folder: Path) -> Undo:
    """Say how a later process takes the disk away.

    Args:
        folder: over which it is going to be mounted.
    """
    return Undo("unmount_disk", {"folder": str(folder)})


class FillableFiles(FilesTarget):
    """Files on a small disk; implements Fillable besides what all files do."""

    def __init__(self, files: FilesTarget, folder: Path) -> None:
        """Take the files and the folder over which their disk is mounted."""
        super().__init__(files.name, files.folder, files.patterns)
        self._disk = folder
        self._ballast: int | None = None
        self._ballast_bytes = 0
        self._ending = threading.Event()
        self._filler: threading.Thread | None = None

    def fill(self) -> None:
        """Take all that is free, and go on taking what becomes free; raises FaultError."""
        try:
            self._ballast = os.open(self._disk, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FaultError(f'target "{self.name}": its disk cannot be filled: {error.strerror}') from error
        self._ballast_bytes = 0
        self._ending.clear()
        self._take_free()
        self._filler = threading.Thread(target=self._go_on_filling, daemon=True)
        self._filler.start()

    def empty(self) -> None:
        """Give back what was taken. Idempotent."""
        self._ending.set()
        if self._filler is not None:
            self._filler.join(_END_SECONDS)
            self._filler = None
        if self._ballast is not None:
            os.close(self._ballast)
            self._ballast = None

    def full(self) -> bool:
        """Try to write a block to the disk: a full one refuses it with ENOSPC."""
        try:
            descriptor = os.open(self._disk, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return error.errno == errno.ENOSPC
        try:
            return os.write(descriptor, bytes(_PROBE_BYTES)) < _PROBE_BYTES
        except OSError as error:
            return error.errno == errno.ENOSPC
        finally:
            os.close(descriptor)

    def describe_disk(self) -> str:
        """Return how much of the disk is free, for a person."""
        status = os.statvfs(self._disk)
        free_kib, total_kib = (n * status.f_frsize // 1024 for n in (status.f_bavail, status.f_blocks))
        return f"{free_kib:,} of {total_kib:,} KiB are free"

    def undo_fill(self) -> Undo:
        """Say that what fills the disk ends with its process; the disk itself has an undo of its own."""
        return Undo("nothing", {"why": f"what filled the disk of {self.name} ended with its harness"})

    def _go_on_filling(self) -> None:
        while not self._ending.wait(_FILL_SECONDS):
            self._take_free()

    def _take_free(self) -> None:
        """Take what is free in small pieces: a piece that no longer fits is given back as a whole."""
        for _ in range(_PIECES_MAX):
            status = os.statvfs(self._disk)
            piece_bytes = min(status.f_bavail * status.f_frsize, _PIECE_BYTES)
            if not piece_bytes or self._ballast is None:
                return
            try:
                os.posix_fallocate(self._ballast, self._ballast_bytes, piece_bytes)
            except OSError:
                return  # the stack was faster; what is free then is taken at the next look
            self._ballast_bytes += piece_bytes


class FilesWithoutDisk(FilesTarget):
    """Files for which no small disk could be had: their disk cannot be filled, and `refusal` says why."""

    def __init__(self, files: FilesTarget, refusal: str) -> None:
        """Take the files and the reason."""
        super().__init__(files.name, files.folder, files.patterns)
        self._refusal = refusal

    @property
    def refusal(self) -> str:
        """Say why their disk cannot be filled."""
        return self._refusal


def _call(name: str, *arguments: object) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _special(folder: str, names: list[str]) -> list[str]:
    """Name what is neither a file nor a folder: reading a FIFO would wait for ever."""
    modes = {name: (Path(folder) / name).lstat().st_mode for name in names}
    return [name for name, mode in modes.items() if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))]
