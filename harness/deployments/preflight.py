"""What a run needs of this machine, asked before anything starts: each answer with its remedy."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import UnavailableError
from harness.processes.ports import LOOPBACK, free_port, release_port
from harness.processes.scratch import exists_here, require_reachable, server_user

_MIB = 1 << 20
_SCRATCH_MIB = 512
_REPORTS_MIB = 64
_DESCRIPTORS = 512
_CONNECT_SECONDS = 2.0
_NAP_SECONDS = 0.02
_NAP_SECONDS_MAX = 1.0
_UID_MAP = Path("/proc/self/uid_map")
_RESOLUTION_SECONDS_MAX = 0.001


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a backend needs beyond what every run needs.

    Attributes:
        memory_mib: memory its services take, and one scenario on them.
        memory_mib_of_node: memory of each further node of the store.
        other_user: its servers refuse root, and run as another user where the harness is root.
        more: what else to look at.
    """

    memory_mib: int = 256
    other_user: bool = False
    memory_mib_of_node: int = 0
    more: tuple[Callable[[], Check], ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was seen, and what to do where it does not suffice ("" = it does)."""

    name: str
    seen: str
    remedy: str = ""


def check_machine(requirements: Requirements, out: Path) -> list[Check]:
    """Look at everything a run needs.

    Args:
        requirements: what the backend needs.
        out: the folder of results; nothing is made in it.

    Returns:
        One answer for each thing looked at, good or bad, in the order in which they are shown.
    """
    temporary = Path(tempfile.gettempdir())
    checks = [
        _disk(temporary, _SCRATCH_MIB, "set TMPDIR to a folder with more room"),
        _disk(existing(out), _REPORTS_MIB, "name another folder with --out"),
        writable(temporary, "set TMPDIR to a folder you can write to"),
        writable(existing(out), "name another folder with --out"),
        _memory(requirements.memory_mib),
        _descriptors(),
        _loopback(),
        _clock(),
    ]
    user = server_user()
    if requirements.other_user and user is not None:
        checks += [check_user(user, _UID_MAP.read_text()), _passable(temporary)]
    return checks + [look() for look in requirements.more]


def require(checks: Sequence[Check]) -> None:
    """Refuse to run where something lacks.

    Raises:
        UnavailableError: one line for each thing that lacks, with its remedy.
    """
    lacking = [f"{check.name}: {check.seen}; {check.remedy}" for check in checks if check.remedy]
    if lacking:
        raise UnavailableError("\n".join(lacking))


def existing(folder: Path) -> Path:
    """Return the folder, or the first above it that exists."""
    absolute = folder.absolute()
    return next(step for step in (absolute, *absolute.parents) if os.path.exists(step))  # noqa: PTH110 - a closed folder is none


def _disk(folder: Path, needed_mib: int, remedy: str) -> Check:
    free_mib = shutil.disk_usage(folder).free // _MIB
    enough = free_mib >= needed_mib
    return Check(
        f"disk of {folder}",
        f"{free_mib:,} MiB free; {needed_mib:,} MiB required",
        "" if enough else f"free some, or {remedy}",
    )


def writable(folder: Path, remedy: str) -> Check:
    """Look whether files can be made in a folder; `remedy` is what to do where not."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
            probe.flush()
    except OSError as error:
        return Check(f"writing to {folder}", f"not possible: {error.strerror}", remedy)
    return Check(f"writing to {folder}", "possible")


def _memory(needed_mib: int) -> Check:
    available_mib = min(_available_mib(), _left_in_group_mib())
    enough = available_mib >= needed_mib
    lighter = "" if needed_mib <= Requirements().memory_mib else "; or use --backend embedded"
    return Check(
        "memory",
        f"{available_mib:,} MiB available; {needed_mib:,} MiB required",
        "" if enough else f"end other programs, or lower --jobs{lighter}",
    )


def _available_mib() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") // _MIB


def _left_in_group_mib() -> int:
    """Return what the control group's limit leaves (cgroup v2 at its usual place); very much without a limit.

    Page cache counts as used there although it can be reclaimed, so inactive file pages are given back.
    """
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 1 << 40
    if not limit.isdecimal():
        return 1 << 40
    return (int(limit) - used + int(statistics.get("inactive_file", 0))) // _MIB


def _descriptors() -> Check:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    enough = unlimited or soft >= _DESCRIPTORS
    return Check(
        "open files",
        f"{'no limit' if unlimited else f'{soft:,} allowed'}; {_DESCRIPTORS} required",
        "" if enough else f"raise the limit: ulimit -n {_DESCRIPTORS * 2}",
    )


def _loopback() -> Check:
    name = "loopback ports"
    try:
        port = free_port()
    except UnavailableError as error:
        return Check(name, str(error), "end programs that hold many ports")
    try:
        _talk_to_ourselves(port)
    except OSError as error:
        return Check(
            name, f"{LOOPBACK}:{port} cannot be used: {error}", "bring the interface lo up: ip link set lo up"
        )
    finally:
        release_port(port)
    return Check(name, f"{LOOPBACK}:{port} can be bound and reached")


def _talk_to_ourselves(port: int) -> None:
    with socket.create_server((LOOPBACK, port)) as server:
        server.settimeout(_CONNECT_SECONDS)
        with socket.create_connection((LOOPBACK, port), timeout=_CONNECT_SECONDS):
            server.accept()[0].close()


def _clock() -> Check:
    resolution_seconds = time.get_clock_info("monotonic").resolution
    slept_seconds = _nap(time.monotonic)
    sane = resolution_seconds <= _RESOLUTION_SECONDS_MAX and _NAP_SECONDS <= slept_seconds < _NAP_SECONDS_MAX
    return Check(
        "clock",
        f"resolution {resolution_seconds:.0e} s, a wait of {_NAP_SECONDS * 1e3:g} ms took "
        f"{slept_seconds * 1e3:.1f} ms",
        "" if sane else "latency cannot be measured on this machine now: give it more processor time",
    )


def _nap(now: Callable[[], float]) -> float:
    began = now()
    time.sleep(_NAP_SECONDS)
    return now() - began


def check_user(user: int, uid_map: str) -> Check:
    """Look whether the user that servers run as exists: a user namespace may have no other user than root.

    Args:
        user: the uid.
        uid_map: /proc/self/uid_map.
    """
    name = f"uid {user}, which the servers run as because they refuse root"
    if exists_here(user, uid_map):
        return Check(name, "exists")
    remedy = (
        "keep your own user: `unshare --map-current-user --keep-caps --mount logquake run …`, "
        "or use --backend embedded"
    )
    return Check(name, "does not exist in this user namespace", remedy)


def _passable(folder: Path) -> Check:
    name = f"{folder} for the user that servers run as"
    try:
        require_reachable(folder)
    except UnavailableError as error:
        return Check(name, str(error), "chmod o+x what is closed, or set TMPDIR")
    return Check(name, "can be entered")
