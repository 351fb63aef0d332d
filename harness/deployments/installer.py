"""The real servers: fetched by their registries' ordinary clients, checked, kept in the cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.deployments import alert_server_specs, server_specs
from harness.deployments.installed import (
    MAIL_SERVERS,
    SERVERS,
    InstalledServer,
    ServerKind,
    at,
    cache_folder,
    find,
    java_home,
    require,
)
from harness.model.errors import StackError, UnavailableError
from harness.model.protocols import Clock
from harness.processes import procfs
from harness.processes.clock import SystemClock
from harness.processes.managed import ManagedProcess, ProcessSpec
from harness.processes.ports import free_port
from harness.processes.scratch import make_scratch, remove_scratch, require_reachable, server_user

_FETCH_SECONDS_MAX = 900.0
_START_SECONDS_MAX = 120.0
_STOP_SECONDS = 10.0
_RUN_ID = "install"
_STAGING_PREFIX = ".installing-"

_ELASTICSEARCH_ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
_ELASTICSEARCH_SHA256 = "14833b2d86c30656901f92049f81fb5777a8e4545413c8656cd1a21b55173033"
_TOXIPROXY_PACKAGE = "github.com/Shopify/toxiproxy/v2/cmd/server@v{version}"
_MAILPIT_PACKAGE = "github.com/axllent/mailpit@v{version}"

Report = Callable[[str], None]


def install(
    report: Report, only: Collection[str] | None = None, clock: Clock | None = None
) -> tuple[InstalledServer, ...]:
    """Install the real servers that are missing, and start each new one once to check it.

    A server appears in the cache folder whole and checked, or not at all.

    Args:
        report: takes one line of progress at a time.
        only: names of `SERVERS` or `MAIL_SERVERS`; None = all of the former.
        clock: the patience of the run; None = no limit beyond the timeouts of each step.

    Returns:
        The servers asked for, all of them ready to start.

    Raises:
        UnavailableError: one line a server that could not be installed, after the others were.
    """
    names = SERVERS if only is None else only
    installed, problems = [], []
    for name in names:
        try:
            installed.append(_install_one((SERVERS | MAIL_SERVERS)[name], report, clock or SystemClock()))
        except UnavailableError as error:
            problems.append(str(error))
    if problems:
        raise UnavailableError("\n".join(problems))
    return tuple(installed)


def _install_one(kind: ServerKind, report: Report, clock: Clock) -> InstalledServer:
    if (there := find(kind.name)) is not None:
        report(f"{kind.name} {kind.version}: already in {there.folder}")
        return there
    cache = cache_folder()
    with staging_folder(kind.name, cache) as staging, _working_folder() as scratch:
        report(f"{kind.name} {kind.version}: fetching")
        home = staging / "server"
        _FETCHERS[kind.name](kind, home, scratch, clock)
        report(f"{kind.name} {kind.version}: starting it once")
        _start_once(at(kind, home), scratch, clock)
        publish(home, cache / kind.folder_name)
    report(f"{kind.name} {kind.version}: installed in {cache / kind.folder_name}")
    return require(kind.name)


# --- fetching --------------------------------------------------------------------------------------------


def _fetch_elasticsearch(kind: ServerKind, home: Path, scratch: Path, clock: Clock) -> None:
    mvn = _need(kind, "mvn", "install Maven (Debian: apt-get install maven) and a JDK 17+")
    java_home()
    artifact = _ELASTICSEARCH_ARTIFACT.format(version=kind.version)
    _run(
        ProcessSpec(
            name="mvn",
            command=(
                *(mvn, "--batch-mode", "--strict-checksums", "dependency:copy"),
                *(f"-Dartifact={artifact}", f"-DoutputDirectory={scratch}"),
            ),
            folder=scratch,
            log=scratch / "mvn.log",
        ),
        kind,
        clock,
    )
    archive = scratch / f"elasticsearch-{kind.version}.zip"
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != _ELASTICSEARCH_SHA256:
        raise UnavailableError(
            f"{kind.name}: the fetched {archive.name} is not the pinned one (SHA-256 {digest}); "
            "remove it from the local Maven repository and check where Maven fetches from"
        )
    _unzip(archive, home.parent)
    (home.parent / f"elasticsearch-{kind.version}").rename(home)


def _fetch_toxiproxy(kind: ServerKind, home: Path, scratch: Path, clock: Clock) -> None:
    go = _need(kind, "go", "install Go 1.23 or newer (Debian: apt-get install golang-go)")
    _go_install(go, _TOXIPROXY_PACKAGE, kind, home, scratch, clock)
    # Go names a program after the last part of its package, which says too little in a cache folder.
    (home / "server").rename(home / kind.program)


def _fetch_mailpit(kind: ServerKind, home: Path, scratch: Path, clock: Clock) -> None:
    go = _need(kind, "go", "install Go 1.26 or newer")
    _go_install(go, _MAILPIT_PACKAGE, kind, home, scratch, clock)


def _go_install(go: str, package: str, kind: ServerKind, home: Path, scratch: Path, clock: Clock) -> None:
    _run(
        ProcessSpec(
            name="go install",
            command=(go, "install", package.format(version=kind.version)),
            folder=scratch,
            log=scratch / "go.log",
            environment={"GOBIN": str(home)},
        ),
        kind,
        clock,
    )


_FETCHERS = {
    "elasticsearch": _fetch_elasticsearch,
    "toxiproxy": _fetch_toxiproxy,
    "mailpit": _fetch_mailpit,
}


def _need(kind: ServerKind, program: str, remedy: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise UnavailableError(f'{kind.name}: no "{program}" on PATH; {remedy}')
    return found


def _run(spec: ProcessSpec, kind: ServerKind, clock: Clock) -> None:
    process = ManagedProcess(spec, _RUN_ID, clock)
    try:
        process.start()
        code = process.wait_exit(_FETCH_SECONDS_MAX)
    except StackError as error:
        raise UnavailableError(f"{kind.name}: {error}") from error
    finally:
        process.terminate(_STOP_SECONDS)
    if code != 0:
        raise UnavailableError(
            f"{kind.name}: {spec.name} failed with exit code {code}: {_reason(process.log_text())}; "
            "check that its registry can be reached as configured"
        )


def _reason(output: str) -> str:
    """Return the line of a client's output that most likely says why it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it wrote nothing"])[0][:300]


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            path = Path(packed.extract(entry, folder))
            # zipfile drops the mode; everybody must read the copy, because servers run as another user.
            path.chmod((entry.external_attr >> 16) & 0o111 | 0o644 | (0o111 if path.is_dir() else 0))


# --- checking and publishing -----------------------------------------------------------------------------


def _start_once(server: InstalledServer, scratch: Path, clock: Clock) -> None:
    port = free_port()
    if server.name == "elasticsearch":
        spec = server_specs.elasticsearch("check", scratch, port, {"check": free_port()}, server)
    elif server.name == "mailpit":
        spec = alert_server_specs.mailpit("check", scratch, port, server)
    else:
        spec = server_specs.toxiproxy("check", scratch, port, server)
    process = ManagedProcess(spec, _RUN_ID, clock)
    try:
        process.start()
        process.wait_ready(_START_SECONDS_MAX)
    except StackError as error:
        raise UnavailableError(f"{server.name}: fetched, but it does not start: {error}") from error
    finally:
        process.terminate(_STOP_SECONDS)


def publish(staged: Path, final: Path) -> None:
    """Put a whole and checked copy in its final place; raises UnavailableError where that cannot be.

    Args:
        staged: the folder from `staging_folder`, on the same file system; it is gone from there afterwards.
        final: its place; what lies there already is removed first.
    """
    shutil.rmtree(final, ignore_errors=True)
    try:
        staged.rename(final)
    except OSError as error:
        # Another installer may have been faster; its copy is as good as ours.
        if not final.is_dir():
            raise UnavailableError(f"{final}: cannot be put in place: {error}") from error


@contextmanager
def staging_folder(name: str, cache: Path) -> Iterator[Path]:
    """Yield a folder beside the final place (a rename does not cross file systems), and always remove it.

    Those that installers left which are no longer alive are removed, too.

    Args:
        name: the server's; part of the folder's name, which also says whose process it is.
        cache: the folder of installed servers; made where it is missing.

    Raises:
        UnavailableError: no folder can be made there, or the user that servers run as cannot reach it.
    """
    try:
        cache.mkdir(mode=0o755, parents=True, exist_ok=True)
        for left in cache.glob(f"{_STAGING_PREFIX}*"):
            if not procfs.mark_runs(left.name.rpartition("-")[2].replace(".", ":")):
                shutil.rmtree(left, ignore_errors=True)
        # No colon: Java takes it for the end of a path in its class path.
        folder = cache / f"{_STAGING_PREFIX}{name}-{procfs.mark(os.getpid()).replace(':', '.')}"
        folder.mkdir(mode=0o755)
    except OSError as error:
        raise UnavailableError(f"{cache}: cannot install here: {error}; set LOGQUAKE_CACHE") from error
    try:
        if server_user() is not None:
            require_reachable(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _working_folder() -> Iterator[Path]:
    folder = make_scratch(_RUN_ID)
    try:
        yield folder
    finally:
        remove_scratch(folder)
