"""Daemons of Debian's packages: unpacked into the cache folder rather than installed.

As installed packages log daemons exclude each other and take over this machine's own log, and a balancer
starts with the machine. Here each is a folder of its own, with the libraries that this machine lacks, and a
starter `bin/<program>` that knows where they are. It needs no right beyond writing to the cache folder.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.deployments.installed import cache_folder
from harness.deployments.installer import Report, publish, staging_folder
from harness.model.errors import UnavailableError

_COMMAND_SECONDS_MAX = 180.0
_PACKAGES_MAX = 100
_REASON_CHARACTERS = 300
_REACH = "; check that Debian's packages can be reached as configured"
# A registry that does not answer is asked again once, and not for minutes.
_PATIENCE = (
    "-o",
    "Acquire::Retries=1",
    "-o",
    "Acquire::http::Timeout=20",
    "-o",
    "Acquire::https::Timeout=20",
)
_WANTED = re.compile(r"'[^']+' ([a-z0-9][a-z0-9+.-]*)_\S+\.deb ")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon: its packages, its program within them, and how that is told where its modules lie.

    Attributes:
        name: the name of its folder in the cache, too.
        packages: those named to apt; what they depend on comes along where this machine lacks it.
        program: the program's path within the packages.
        check: a configuration that loads the modules which stacks need.
        check_command: what judges that configuration, `{}` being its path.
        module: a module's file name, by which the folder of all is found; empty where it has none.
        module_option: how the program is told that folder, e.g. `-M{}`.
    """

    name: str
    packages: tuple[str, ...]
    program: str
    check: str
    check_command: tuple[str, ...]
    module: str = ""
    module_option: str = ""

    @property
    def program_name(self) -> str:
        """Return the name by which it is called."""
        return Path(self.program).name


DAEMONS: Mapping[str, Daemon] = {
    daemon.name: daemon
    for daemon in (
        Daemon(
            name="rsyslog",
            packages=("rsyslog", "rsyslog-elasticsearch", "rsyslog-gnutls"),
            program="usr/sbin/rsyslogd",
            module="omelasticsearch.so",
            module_option="-M{}",
            check='module(load="omelasticsearch")\nmodule(load="imtcp")\ninput(type="imtcp" port="1")\n'
            '*.* action(type="omfile" file="/dev/null")\n',
            check_command=("-N1", "-iNONE", "-f", "{}"),
        ),
        Daemon(
            name="syslog-ng",
            packages=("syslog-ng-core", "syslog-ng-mod-http"),
            program="usr/sbin/syslog-ng",
            module="libhttp.so",
            module_option="--module-path={}",
            check="@version: 3.38\n"
            'destination d { http(url("http://127.0.0.1:1/") '
            "disk-buffer(reliable(yes) disk-buf-size(2000000))); };\n"
            'source s { network(transport("tcp") port(1)); };\nlog { source(s); destination(d); };\n',
            check_command=("--syntax-only", "--no-caps", "-f", "{}"),
        ),
        Daemon(
            name="haproxy",
            packages=("haproxy",),
            program="usr/sbin/haproxy",
            check="defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n"
            "listen balancer\n  bind 127.0.0.1:1\n  option httpchk GET /\n  server one 127.0.0.1:2 check\n",
            check_command=("-c", "-f", "{}"),
        ),
    )
}


def find_daemon(name: str) -> Path | None:
    """Return the starter of a daemon in the cache folder, or None where it is not there.

    Args:
        name: a key of `DAEMONS`.
    """
    daemon = DAEMONS[name]
    starter = cache_folder() / name / "bin" / daemon.program_name
    return starter if os.access(starter, os.X_OK) else None


def how_to_install(program: str) -> str:
    """Return the command that installs a program as one of these daemons; empty where none is meant."""
    names = [daemon.name for daemon in DAEMONS.values() if daemon.program_name == program]
    return f"logquake servers install {names[0]}" if names else ""


def install_daemons(report: Report, names: Collection[str]) -> None:
    """Unpack the daemons that are missing, and try the configuration check of each.

    Args:
        report: takes one line of progress at a time.
        names: of `DAEMONS`.

    Raises:
        UnavailableError: one line for each that could not be had, after the others were.
    """
    problems = []
    for name in names:
        try:
            _install(DAEMONS[name], report)
        except UnavailableError as error:
            problems.append(str(error))
    if problems:
        raise UnavailableError("\n".join(problems))


def _install(daemon: Daemon, report: Report) -> None:
    if (there := find_daemon(daemon.name)) is not None:
        report(f"{daemon.name}: already in {there.parent.parent}")
        return
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise UnavailableError(
                f'{daemon.name}: no "{program}" on PATH, so Debian\'s packages cannot be had; install '
                f'{daemon.name} by this machine\'s own means, and "{daemon.program_name}" is found in PATH'
            )
    final = cache_folder() / daemon.name
    with staging_folder(daemon.name, cache_folder()) as staging:
        report(f"{daemon.name}: fetching Debian's packages")
        root, packages = staging / "root", staging / "packages"
        packages.mkdir()
        _fetch(daemon, staging, packages)
        for package in sorted(packages.glob("*.deb")):
            _run(daemon, ("dpkg", "-x", str(package), str(root)))
        _write_starter(daemon, root, root)
        _check(daemon, root, staging)
        _write_starter(daemon, root, final)
        publish(root, final)
    report(f"{daemon.name}: unpacked in {final}")


# --- fetching --------------------------------------------------------------------------------------------


def _fetch(daemon: Daemon, staging: Path, packages: Path) -> None:
    """Download the packages by this machine's package lists; by fresh ones where those are missing or old."""
    try:
        _download(daemon, (), packages)
    except UnavailableError:
        own = _own_lists(staging)
        _run(daemon, ("apt-get", *_PATIENCE, *own, "update"))
        _download(daemon, own, packages)


def _own_lists(staging: Path) -> tuple[str, ...]:
    """Return the options by which apt keeps its lists there: this machine's own stay as they are."""
    lists, cache = staging / "lists", staging / "cache"
    for folder in (lists, cache):
        (folder / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    # The user that apt fetches as cannot look into a folder of ours.
    own = {"Dir::State::lists": lists, "Dir::Cache": cache, "APT::Sandbox::User": "root"}
    return tuple(each for name, value in own.items() for each in ("-o", f"{name}={value}"))


def _download(daemon: Daemon, options: Sequence[str], packages: Path) -> None:
    apt = ("apt-get", *_PATIENCE, *options)
    # It only prints what would be installed: these packages and what they need and this machine lacks.
    told = _run(
        daemon, (*apt, "--print-uris", "--yes", "--no-install-recommends", "install", *daemon.packages)
    )
    names = dict.fromkeys((*daemon.packages, *_WANTED.findall(told)))
    if len(names) > _PACKAGES_MAX:
        raise UnavailableError(
            f"{daemon.name}: it would need {len(names)} packages, more than {_PACKAGES_MAX}; this machine's "
            "packages are in disorder: see apt-get check"
        )
    _run(daemon, (*apt, "download", *names), packages)


def _run(daemon: Daemon, command: Sequence[str], folder: Path | None = None, remedy: str = _REACH) -> str:
    """Return what a command writes; raises UnavailableError where it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMMAND_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{daemon.name}: {command[0]}: {error}") from error
    if done.returncode != 0:
        raise UnavailableError(
            f"{daemon.name}: {Path(command[0]).name} failed with exit code {done.returncode}: "
            f"{_reason(done.stderr or done.stdout)}{remedy}"
        )
    return done.stdout


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:") or "rror" in line]
    return (errors or lines[-1:] or ["it wrote nothing"])[0][:_REASON_CHARACTERS]


# --- starting --------------------------------------------------------------------------------------------


def _write_starter(daemon: Daemon, unpacked: Path, root: Path) -> None:
    """Write `bin/<program>` into what was unpacked, to be run where that lies as `root`."""
    modules = [path.parent for path in unpacked.rglob(daemon.module)] if daemon.module else []
    if bool(modules) != bool(daemon.module) or not (unpacked / daemon.program).is_file():
        lacking = f"{daemon.program} with {daemon.module}" if daemon.module else daemon.program
        raise UnavailableError(
            f"{daemon.name}: its packages hold no {lacking}; this machine's distribution divides it otherwise"
        )
    libraries = sorted({path.parent for path in unpacked.rglob("lib*.so*")} | set(modules[:1]))
    searched = ":".join(str(root / folder.relative_to(unpacked)) for folder in libraries)
    options = [daemon.module_option.format(root / folder.relative_to(unpacked)) for folder in modules[:1]]
    command = shlex.join([str(root / daemon.program), *options])
    starter = unpacked / "bin" / daemon.program_name
    starter.parent.mkdir(exist_ok=True)
    starter.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={shlex.quote(searched)} exec {command} "$@"\n')
    starter.chmod(0o755)


def _check(daemon: Daemon, root: Path, staging: Path) -> None:
    configuration = staging / "check.conf"
    configuration.write_text(daemon.check)
    arguments = [argument.format(configuration) for argument in daemon.check_command]
    _run(daemon, (str(root / "bin" / daemon.program_name), *arguments), remedy="; its modules do not load")
