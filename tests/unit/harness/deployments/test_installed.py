import os
from pathlib import Path

import pytest

from harness.deployments.installed import SERVERS, cache_folder, find, java_home, require
from harness.deployments.installer import install
from harness.model.errors import UnavailableError
from harness.processes.clock import SystemClock


@pytest.fixture
def cache(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, where the user that servers run as can reach it."""
    monkeypatch.setenv("LOGQUAKE_CACHE", str(scratch / "cache"))
    return scratch / "cache"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with only what the test puts there, and no Java elsewhere."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for variable in ("ES_JAVA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write_program(path: Path, lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def write_java(home: Path, version: str) -> None:
    write_program(home / "bin" / "java", f"echo 'openjdk version \"{version}\"' >&2")


def test_cache_folder_is_the_one_of_the_environment(cache: Path) -> None:
    assert cache_folder() == cache


def test_server_that_is_not_installed_is_not_found(cache: Path) -> None:
    assert find("toxiproxy") is None


def test_missing_server_is_reported_with_the_command_that_installs_it(cache: Path) -> None:
    with pytest.raises(UnavailableError, match="logquake servers install"):
        require("toxiproxy")


def test_installed_server_is_found_with_its_version(cache: Path) -> None:
    write_program(cache / "toxiproxy-2.12.0" / "toxiproxy-server", "exit 0")

    found = find("toxiproxy")

    assert found is not None
    assert found.version == SERVERS["toxiproxy"].version
    assert found.path == cache / "toxiproxy-2.12.0" / "toxiproxy-server"


def test_elasticsearch_without_java_is_not_found(cache: Path, programs: Path) -> None:
    write_program(cache / "elasticsearch-8.19.0" / "bin" / "elasticsearch", "exit 0")

    assert find("elasticsearch") is None


def test_java_too_old_is_reported_with_its_version_and_the_remedy(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_java(tmp_path / "jdk", "11.0.2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))

    with pytest.raises(UnavailableError, match=r"JAVA_HOME has 11.*openjdk-17-jdk-headless"):
        java_home()


def test_java_on_the_path_serves_where_java_home_is_too_old(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_java(tmp_path / "old", "11.0.2")
    write_java(tmp_path / "jdk", "21")
    (programs / "java").symlink_to(tmp_path / "jdk" / "bin" / "java")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))

    assert java_home() == tmp_path / "jdk"


def test_install_names_all_that_is_missing_in_one_line_a_server(cache: Path, programs: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        install(lambda line: None)

    elasticsearch, toxiproxy = str(caught.value).splitlines()
    assert elasticsearch.startswith('elasticsearch: no "mvn" on PATH; install Maven')
    assert toxiproxy.startswith('toxiproxy: no "go" on PATH; install Go')


def test_failing_client_is_reported_by_its_reason_and_leaves_nothing(cache: Path, programs: Path) -> None:
    write_program(programs / "go", "echo downloading; echo 'ERROR: host not found'; exit 3")

    with pytest.raises(UnavailableError, match="exit code 3: ERROR: host not found") as caught:
        install(lambda line: None, only=("toxiproxy",), clock=SystemClock())

    assert len(str(caught.value).splitlines()) == 1
    assert list(cache.iterdir()) == []


def test_what_a_killed_install_left_is_removed_by_the_next(cache: Path, programs: Path) -> None:
    (cache / ".installing-toxiproxy-1.1" / "server").mkdir(parents=True)

    with pytest.raises(UnavailableError):
        install(lambda line: None, only=("toxiproxy",))

    assert list(cache.iterdir()) == []


def test_server_that_does_not_start_is_not_installed(cache: Path, programs: Path) -> None:
    broken = "#!/bin/sh\\necho broken pipe dream; exit 4\\n"
    write_program(
        programs / "go", f'/bin/mkdir -p "$GOBIN"; printf \'{broken}\' > "$GOBIN/server"; '
        '/bin/chmod 755 "$GOBIN/server"'
    )  # fmt: skip

    with pytest.raises(UnavailableError, match="broken pipe dream"):
        install(lambda line: None, only=("toxiproxy",))

    assert find("toxiproxy") is None
    assert list(cache.iterdir()) == []


def test_archive_that_is_not_the_pinned_one_is_refused(cache: Path, programs: Path, tmp_path: Path) -> None:
    write_java(tmp_path / "jdk", "17.0.1")
    (programs / "java").symlink_to(tmp_path / "jdk" / "bin" / "java")
    write_program(programs / "mvn", "echo forged > elasticsearch-8.19.0.zip")

    with pytest.raises(UnavailableError, match="not the pinned one"):
        install(lambda line: None, only=("elasticsearch",))

    assert find("elasticsearch") is None


def test_install_of_what_is_there_changes_nothing(cache: Path, programs: Path) -> None:
    write_program(cache / "toxiproxy-2.12.0" / "toxiproxy-server", "exit 0")
    said: list[str] = []

    (there,) = install(said.append, only=("toxiproxy",))

    assert there.path == cache / "toxiproxy-2.12.0" / "toxiproxy-server"
    assert said == [f"toxiproxy 2.12.0: already in {cache / 'toxiproxy-2.12.0'}"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another user")
def test_cache_that_servers_cannot_reach_is_refused_with_the_folder_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOGQUAKE_CACHE", str(tmp_path / "cache"))

    with pytest.raises(UnavailableError, match=r"cannot pass through .*LOGQUAKE_CACHE"):
        install(lambda line: None, only=("toxiproxy",))
