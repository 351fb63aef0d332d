"""A scenario on the backend `containers`, what containers promise, and that none outlives its harness.

    python -m tests.containers_smoke

A Docker daemon that runs is used; otherwise one is started where `dockerd` is installed and this is root, and
ended afterwards. What this machine lacks is said and fails nothing; only a wrong verdict or a failed test
does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.deployments.container_images import IMAGES
from harness.model.errors import UnavailableError
from harness.processes import docker_daemon

SERVERS = ("elasticsearch", "toxiproxy")
SCENARIO = "store_killed"
_DAEMON_SECONDS = 20.0
_POLL_SECONDS = 0.2
_STOP_SECONDS = 15.0
_IMAGES_SECONDS = 60.0
_RUN_MINUTES = 3
_HEAL = "tests/system/test_heal.py"
_NOTHING_OUTLIVES = "test_everything_ends_within_seconds_of_a_killed_harness"
_TESTS_SECONDS = 300
_EXIT_INCONCLUSIVE, _EXIT_UNAVAILABLE = 6, 7
_LOG_LINES = 3


class Skipped(Exception):  # noqa: N818 - nothing went wrong
    """Why nothing was run."""


def main() -> int:
    """Run it; return the exit code."""
    try:
        with daemon():
            make_missing_images()
            return run_scenario() or run_tests()
    except Skipped as reason:
        print(f"containers-smoke  skipped: {reason}", flush=True)
        return 0


@contextmanager
def daemon() -> Iterator[None]:
    """Have a daemon; raises Skipped where none can be had."""
    why = _why_none_answers()
    if not why:
        yield
        return
    program = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/sbin")
    if program is None or os.geteuid() != 0 or os.environ.get("DOCKER_HOST"):
        raise Skipped(f"no Docker daemon answers, and none can be started here: {why}")
    with tempfile.NamedTemporaryFile(prefix="dockerd-", suffix=".log") as log:
        process = subprocess.Popen([program], stdout=log, stderr=log, start_new_session=True)
        try:
            _await_daemon(process, Path(log.name))
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_STOP_SECONDS)


def _why_none_answers() -> str:
    try:
        print(f"containers-smoke  Docker {docker_daemon.version()} runs already", flush=True)
    except UnavailableError as error:
        return str(error)
    return ""


def _await_daemon(process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _DAEMON_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            print(f"containers-smoke  Docker {docker_daemon.version()} started", flush=True)
        except UnavailableError:
            time.sleep(_POLL_SECONDS)
        else:
            return
    said = " | ".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    raise Skipped(f"dockerd does not come up within {_DAEMON_SECONDS:g} s: {said}")


def make_missing_images() -> None:
    """Have the images, made here within a minute if need be; raises Skipped."""
    missing = [name for name in SERVERS if not _has_image(name)]
    if not missing:
        return
    command = [sys.executable, "-m", "harness.cli.main", "servers", "images", *missing]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_IMAGES_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Skipped(
            f"images of {', '.join(missing)} were not made within {_IMAGES_SECONDS:g} s; "
            "`logquake servers images` makes them once"
        ) from error
    if made.returncode:
        raise Skipped(f"images of {', '.join(missing)} cannot be made: {made.stderr.strip()[-300:]}")


def _has_image(name: str) -> bool:
    kind = IMAGES[name]
    candidates = (os.environ.get(kind.variable), kind.published, kind.made_here)
    return any(docker_daemon.has_image(image) for image in candidates if image)


def run_scenario() -> int:
    """Run one scenario; return 0 unless its verdict is wrong."""
    with tempfile.TemporaryDirectory(prefix="containers-smoke-") as out:
        command = [sys.executable, "-m", "harness.cli.main", "run", SCENARIO, "--backend", "containers"]
        code = subprocess.run(
            [*command, "--out", out, "--max-minutes", str(_RUN_MINUTES)], check=False
        ).returncode
    if code in {_EXIT_INCONCLUSIVE, _EXIT_UNAVAILABLE}:
        print(f"containers-smoke  {SCENARIO}: no verdict on this machine now (exit code {code})", flush=True)
        return 0
    return code


def run_tests() -> int:
    """Run the contract of containers, and that none outlives its harness; return pytest's exit code."""
    tests = ("tests/contract/harness/test_containers.py", f"{_HEAL}::{_NOTHING_OUTLIVES}[containers]")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", *tests],
        env={**os.environ, "LOGQUAKE_HEAL_BACKEND": "containers"},
        check=False,
        timeout=_TESTS_SECONDS,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
