"""The library that moves the wall clock of processes into which it is preloaded, compiled when first needed.

Debian's libfaketime is not used: where it leaves the monotonic clock alone, `time.sleep` of Python 3.11 and
newer fails with EINVAL (wolfcw/libfaketime#426).
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

from harness.deployments.installed import cache_folder
from harness.model.errors import UnavailableError

_SOURCE = Path(__file__).with_name("wall_clock.c")
_COMPILE_SECONDS = 60.0
_FLAGS = ("-std=gnu11", "-O2", "-shared", "-fPIC", "-Wl,-z,now")
_SHOWN_CHARACTERS_MAX = 500


def clock_library() -> Path:
    """Return the compiled library, from the cache folder where it is there.

    Raises:
        UnavailableError: there is no C compiler, it fails, or the cache folder cannot be written.
    """
    source = _SOURCE.read_bytes()
    digest = hashlib.sha256(b"\0".join((source, " ".join(_FLAGS).encode()))).hexdigest()[:16]
    library = cache_folder() / f"wall-clock-{digest}-{platform.machine()}.so"
    if not library.is_file():
        _compile(library)
    return library


def _compile(library: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise UnavailableError(
            "no C compiler (cc, gcc or clang) is on PATH, so that wall clocks cannot be moved; install one "
            "(Debian: apt-get install gcc libc6-dev)"
        )
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=library.parent, prefix=".wall-clock-", delete=False) as file:
            fresh = Path(file.name)
    except OSError as error:
        raise UnavailableError(f"{library.parent}: cannot be written: {error.strerror}") from error
    try:
        subprocess.run(
            [compiler, *_FLAGS, "-o", str(fresh), str(_SOURCE), "-ldl"],
            capture_output=True,
            text=True,
            timeout=_COMPILE_SECONDS,
            check=True,
        )
        fresh.chmod(0o755)  # readable by whoever a stack runs its processes as
        os.replace(fresh, library)  # noqa: PTH105 - two runs may compile it at the same time
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip()[:_SHOWN_CHARACTERS_MAX]
        raise UnavailableError(f"{compiler} cannot compile {_SOURCE.name}: {said}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{compiler} cannot compile {_SOURCE.name}: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
