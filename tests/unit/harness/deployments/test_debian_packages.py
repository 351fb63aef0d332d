"""Daemons of Debian's packages, unpacked by stand-ins for apt-get and dpkg."""

import subprocess
from pathlib import Path

import pytest

from harness.deployments.debian_packages import (
    DAEMONS,
    find_daemon,
    how_to_install,
    install_daemons,
)
from harness.model.errors import UnavailableError

# Notes each call; says which packages would be installed, and "downloads" them as empty files.
APT_GET = """echo "$*" >> "{folder}/calls"
case "$*" in
  *print-uris*) echo "'http://example.invalid/l/libestr0.deb' libestr0_0.1_amd64.deb 8 SHA256:0" ;;
  *download*) for each in "$@"; do case $each in [a-z]*) : > "${{each}}_1_amd64.deb" ;; esac; done ;;
esac
"""
# Unpacks the daemon's package into what the starter needs, and the library's into a library.
DPKG = """case "$2" in
  */rsyslog_*)
    mkdir -p "$3/usr/sbin" "$3/usr/lib/x/rsyslog"
    printf '#!/bin/sh\\necho "$LD_LIBRARY_PATH|$*"\\nexit {exit_code}\\n' > "$3/usr/sbin/rsyslogd"
    chmod +x "$3/usr/sbin/rsyslogd"
    : > "$3/usr/lib/x/rsyslog/omelasticsearch.so" ;;
  */haproxy_*)
    mkdir -p "$3/usr/sbin"
    printf '#!/bin/sh\\necho "$LD_LIBRARY_PATH|$*"\\nexit {exit_code}\\n' > "$3/usr/sbin/haproxy"
    chmod +x "$3/usr/sbin/haproxy" ;;
  */libestr0_*) mkdir -p "$3/usr/lib/y"; : > "$3/usr/lib/y/libestr.so.0" ;;
esac
"""


class Machine:
    """A PATH of stand-ins before the real one, and a cache folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.put("apt-get", APT_GET.format(folder=folder))
        self.put("dpkg", DPKG.format(exit_code=0))

    def put(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def machine(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    scratch.mkdir(exist_ok=True)
    machine = Machine(scratch)
    monkeypatch.setenv("LOGQUAKE_CACHE", str(machine.cache))
    monkeypatch.setenv("PATH", f"{machine.programs}:/usr/bin:/bin")
    return machine


def test_packages_and_the_libraries_this_machine_lacks_are_unpacked_with_a_starter(machine):
    said: list[str] = []
    install_daemons(said.append, ["rsyslog"])

    starter = find_daemon("rsyslog")
    assert starter == machine.cache / "rsyslog" / "bin" / "rsyslogd"
    told = subprocess.run([str(starter), "-n"], capture_output=True, text=True, check=True).stdout
    libraries, _, arguments = told.strip().partition("|")
    root = machine.cache / "rsyslog"
    assert libraries.split(":") == [str(root / "usr/lib/x/rsyslog"), str(root / "usr/lib/y")]
    assert arguments == f"-M{root}/usr/lib/x/rsyslog -n"
    assert said[-1] == f"rsyslog: unpacked in {root}"


def test_a_daemon_without_modules_is_started_with_its_own_arguments_alone(machine):
    install_daemons(lambda line: None, ["haproxy"])

    starter = find_daemon("haproxy")
    assert starter == machine.cache / "haproxy" / "bin" / "haproxy"
    told = subprocess.run([str(starter), "-f", "x"], capture_output=True, text=True, check=True).stdout
    assert told == f"{machine.cache / 'haproxy' / 'usr/lib/y'}|-f x\n"


def test_nothing_is_installed_on_the_machine(machine):
    install_daemons(lambda line: None, ["rsyslog"])

    assert all("--print-uris" in call for call in machine.calls() if " install " in call)


def test_what_is_there_is_not_fetched_again(machine):
    said: list[str] = []
    for _ in range(2):
        install_daemons(said.append, ["rsyslog"])

    assert said[-1] == f"rsyslog: already in {machine.cache / 'rsyslog'}"
    assert len(machine.calls()) == 2


def test_missing_package_lists_are_fetched_into_a_folder_of_its_own(machine):
    machine.put(
        "apt-get",
        APT_GET.format(folder=machine.folder)
        + 'case "$*" in *Dir::State::lists*) exit 0 ;; esac; echo "E: Unable to locate" >&2; exit 100',
    )
    install_daemons(lambda line: None, ["rsyslog"])

    assert find_daemon("rsyslog") is not None
    (update,) = [call for call in machine.calls() if call.endswith(" update")]
    assert f"Dir::State::lists={machine.cache}/.installing-rsyslog" in update


def test_without_a_network_one_line_says_why_and_nothing_is_left(machine):
    machine.put("apt-get", 'echo "E: Failed to fetch http://deb: no route" >&2; exit 100')

    with pytest.raises(UnavailableError, match=r"^rsyslog: apt-get failed .*Failed to fetch.*no route"):
        install_daemons(lambda line: None, ["rsyslog"])
    assert list(machine.cache.iterdir()) == []


def test_a_daemon_whose_modules_do_not_load_is_not_put_in_place(machine):
    machine.put("dpkg", DPKG.format(exit_code=1))

    with pytest.raises(UnavailableError, match="its modules do not load"):
        install_daemons(lambda line: None, ["rsyslog"])
    assert find_daemon("rsyslog") is None


def test_where_there_is_no_apt_another_way_is_named(machine, monkeypatch):
    (machine.programs / "apt-get").unlink()
    monkeypatch.setenv("PATH", str(machine.programs))

    with pytest.raises(UnavailableError, match=r'no "apt-get" on PATH.*"rsyslogd" is found in PATH'):
        install_daemons(lambda line: None, ["rsyslog"])


def test_one_that_fails_does_not_keep_the_others_back(machine):
    with pytest.raises(UnavailableError) as told:
        install_daemons(lambda line: None, ["syslog-ng", "rsyslog"])

    assert str(told.value).startswith("syslog-ng: ")
    assert "\n" not in str(told.value)
    assert find_daemon("rsyslog") is not None


def test_a_program_is_named_with_the_command_that_fetches_it():
    assert how_to_install("rsyslogd") == "logquake servers install rsyslog"
    assert how_to_install("haproxy") == "logquake servers install haproxy"
    assert how_to_install("ls") == ""
    assert {daemon.name for daemon in DAEMONS.values()} == set(DAEMONS)
