"""The folder a run works in: made once, owned by one harness, removed whole."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from pathlib import Path

from harness.model.errors import InternalError, UnavailableError
from harness.processes import procfs

PREFIX = "logquake-"
OWNER_FILE = "owner.json"

UNPRIVILEGED = 65_534
"""The uid and gid of `nobody`: what servers run as when the harness is root, because they refuse root."""


def server_user() -> int | None:
    """Return the uid and gid that servers run as: `nobody` under root, else the harness's own (None)."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def exists_here(user: int, uid_map: str) -> bool:
    """Whether a uid exists in the harness's user namespace, so that a process can run as it.

    Args:
        user: the uid.
        uid_map: /proc/self/uid_map: the first uid here, the first outside, and how many, a line a range.
    """
    ranges = [tuple(map(int, line.split())) for line in uid_map.splitlines()]
    return any(first <= user < first + length for first, _, length in ranges)


def make_scratch(run_id: str) -> Path:
    """Make the scratch folder of a run in the temporary folder, with its owner written into it.

    Under root it is 0755, so that servers running as another user reach their own subfolders; else 0700.

    Args:
        run_id: the run's; part of the folder's name.

    Returns:
        The folder, new and, but for its owner's file, empty.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{run_id}-"))
    owner = {"harness": procfs.mark(os.getpid()), "run_id": run_id}
    (folder / OWNER_FILE).write_text(json.dumps(owner))
    folder.chmod(0o755 if os.geteuid() == 0 else 0o700)
    return folder


def subfolder(scratch: Path, name: str, user: int | None = None) -> Path:
    """Make a private (0700) subfolder that belongs to `user` (uid and gid), or to the harness for None.

    Args:
        scratch: the run's folder.
        name: may lead several folders deep; one that is there already is used as it is.
        user: whoever the server runs as; the caller must be root to give one.

    Returns:
        The subfolder's path.

    Raises:
        UnavailableError: that user cannot reach the folder, because one above it is closed to others.
    """
    folder = scratch / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        require_reachable(folder.parent)
        give(folder, user)
    return folder


def give(folder: Path, user: int) -> None:
    """Make a folder and all that is in it belong to `user` (uid and gid)."""
    os.chown(folder, user, user)
    for entry in folder.rglob("*"):
        os.chown(entry, user, user, follow_symlinks=False)


def require_reachable(folder: Path) -> None:
    """Check that users other than the owner can pass through `folder` and all folders above it.

    Raises:
        UnavailableError: one of them is closed to others.
    """
    for step in (folder.resolve(), *folder.resolve().parents):
        if not step.stat().st_mode & stat.S_IXOTH:
            raise UnavailableError(
                f"{folder}: servers run as uid {UNPRIVILEGED} and cannot pass through {step} "
                f"(mode {stat.S_IMODE(step.stat().st_mode):04o}); point TMPDIR and LOGQUAKE_CACHE to folders "
                "that others can enter"
            )


def remove_scratch(folder: Path) -> None:
    """Remove a scratch folder with all that is in it. Idempotent.

    Raises:
        InternalError: the folder is none that `make_scratch` made.
    """
    if not folder.exists():
        return
    if not folder.name.startswith(PREFIX) or not (folder / OWNER_FILE).is_file():
        raise InternalError(f"{folder} is not a scratch folder of a run; it was left unchanged")
    shutil.rmtree(folder)
