"""What two runs must have in common to be compared: suite, input, major version, class of machine.

What of a machine matters, and what does not, is reasoned in docs/decisions/0019.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from math import ceil, log2
from pathlib import Path

from harness import __version__
from harness.runs.environment import cgroup_limits
from harness.runs.plan import SuitePlan

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_CPUS = Path("/proc/cpuinfo")
_MOUNTS = Path("/proc/self/mountinfo")
_GIB = 1 << 30
_HASH_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class MachineClass:
    """What of a machine changes how long things take on it, coarse enough that its twins are the same.

    `cores` are those that this process may use, by its affinity and its control group; `memory_gib` is the
    nearest power of two; `filesystem` is the one of scratch folders, which decides what a sync costs.
    """

    architecture: str
    cpu: str
    cores: float
    memory_gib: float
    filesystem: str
    python: str

    @property
    def words(self) -> str:
        """Return the class in one line."""
        return (
            f"{self.cpu or 'unknown CPU'} ({self.architecture}), {self.cores:g} cores, "
            f"{self.memory_gib:g} GiB, {self.filesystem}, {self.python}"
        )


@dataclass(frozen=True, slots=True)
class BaselineKey:
    """What a baseline belongs to; runs with another key are not compared with it."""

    suite_hash: str
    input_digest: str
    logquake: str
    machine: MachineClass

    @property
    def digest(self) -> str:
        """Return a short hash of the whole key."""
        return sha256(repr(self).encode()).hexdigest()[:_HASH_CHARACTERS]

    def differences(self, other: BaselineKey) -> list[str]:
        """Say what keeps a baseline with another key from being compared, one sentence each.

        Args:
            other: the baseline's.
        """
        found = []
        if self.suite_hash != other.suite_hash:
            found.append(
                f"the suite hash is {self.suite_hash}, the baseline's {other.suite_hash}: "
                "a scenario, a check, the stack file or the backend has changed"
            )
        if self.input_digest != other.input_digest:
            found.append("another input was sent")
        if self.logquake != other.logquake:
            found.append(f"this is logquake {self.logquake}, the baseline was recorded by {other.logquake}")
        for part in fields(MachineClass):
            here, there = (getattr(key.machine, part.name) for key in (self, other))
            if here != there:
                found.append(f"the machine's {part.name} is {here}, the baseline's {there}")
        return found


def baseline_key(plan: SuitePlan) -> BaselineKey:
    """Return the key of a plan on this machine."""
    return BaselineKey(plan.suite_hash(), plan.input_digest, major_version(__version__), machine_class())


def major_version(version: str) -> str:
    """Return what of a version must be the same: `2` of 2.4.1; before 1.0 the minor is the major: `0.3`."""
    parts = version.split(".")
    return ".".join(parts[: 2 if parts[0] == "0" else 1])


def machine_class() -> MachineClass:
    """Return the class of this machine, as far as this process may use it."""
    limits = cgroup_limits(_CGROUPS, _MEMBERSHIP)
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return MachineClass(
        architecture=platform.machine(),
        cpu=cpu_model(_text(_CPUS)),
        cores=allowed_cores(len(os.sched_getaffinity(0)), limits.get("cgroup cpu.max", "")),
        memory_gib=memory_gib(memory_bytes, limits.get("cgroup memory.max", "")),
        filesystem=filesystem_of(Path(tempfile.gettempdir()).resolve(), _text(_MOUNTS).splitlines()),
        python=f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]}",
    )


def cpu_model(cpuinfo: str) -> str:
    """Return the name of the CPU as /proc/cpuinfo tells it (see proc(5)); '' where it tells none."""
    found = re.search(r"^(?:model name|Model|cpu model|CPU part)\s*:\s*(.+)$", cpuinfo, re.M)
    return " ".join(found[1].split()) if found else ""


def allowed_cores(cores: int, quota: str) -> float:
    """Return how many cores may be used: by affinity, and by the control group's `quota period` in µs."""
    words = quota.split()
    if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
        return min(float(cores), round(int(words[0]) / int(words[1]), 1))
    return float(cores)


def memory_gib(physical_bytes: int, limit: str) -> float:
    """Return the memory as the nearest power of two in GiB: what firmware keeps for itself is no class.

    Args:
        physical_bytes: of the machine.
        limit: bytes that a container allows, as its file has them; anything but a number is no limit.
    """
    allowed = min(physical_bytes, int(limit)) if limit.isdecimal() else physical_bytes
    return 2.0 ** ceil(log2(max(1, allowed) / _GIB) - 0.5)


def filesystem_of(folder: Path, mounts: Sequence[str]) -> str:
    """Return the kind of filesystem that a folder lies on, from lines of /proc/self/mountinfo (proc(5)).

    Args:
        folder: absolute, without symbolic links.
        mounts: lines of the file; of mounts at one place the last counts.
    """
    found, depth = "unknown", -1
    for line in mounts:
        before, _, after = line.partition(" - ")
        words = before.split()
        # Octal escapes stand for spaces and the like; a folder below such a mount is taken for its parent's.
        at = Path(words[4]) if len(words) > 4 else None
        if at is not None and after and folder.is_relative_to(at) and len(at.parts) >= depth:
            found, depth = after.split()[0], len(at.parts)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
