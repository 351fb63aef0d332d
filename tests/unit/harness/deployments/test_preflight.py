from pathlib import Path

import pytest

from harness.deployments.preflight import Check, Requirements, check_machine, check_user, require
from harness.model.errors import UnavailableError
from harness.processes.scratch import exists_here


def test_this_machine_can_run_the_embedded_backend(tmp_path: Path) -> None:
    checks = check_machine(Requirements(), tmp_path / "not" / "there" / "yet")

    assert [check for check in checks if check.remedy] == []
    assert {"memory", "open files", "loopback ports", "clock"} <= {check.name for check in checks}


def test_looking_makes_nothing(tmp_path: Path) -> None:
    check_machine(Requirements(), tmp_path / "reports")

    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_said_with_a_remedy(tmp_path: Path) -> None:
    checks = check_machine(Requirements(memory_mib=1 << 40), tmp_path)

    (memory,) = [check for check in checks if check.name == "memory"]
    assert "--backend embedded" in memory.remedy
    with pytest.raises(UnavailableError, match="MiB required; end other programs"):
        require(checks)


def test_a_folder_that_is_a_file_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    checks = check_machine(Requirements(), tmp_path / "file")

    assert [check.remedy for check in checks if check.name == f"writing to {tmp_path / 'file'}"] == [
        "name another folder with --out"
    ]


def test_everything_that_lacks_is_named_at_once() -> None:
    checks = [Check("a", "1", "do x"), Check("b", "2"), Check("c", "3", "do y")]

    with pytest.raises(UnavailableError) as raised:
        require(checks)

    assert str(raised.value).splitlines() == ["a: 1; do x", "c: 3; do y"]


def test_a_user_namespace_without_the_user_that_servers_run_as_is_refused_with_the_way_out() -> None:
    everybody, root_alone = "0 0 4294967295\n", "         0       1000          1\n"

    assert check_user(65_534, everybody).remedy == ""
    refused = check_user(65_534, root_alone)
    assert refused.seen == "does not exist in this user namespace"
    assert "unshare --map-current-user --keep-caps --mount logquake run" in refused.remedy


def test_a_uid_exists_where_one_of_the_ranges_holds_it() -> None:
    two_ranges = "0 1000 1\n100000 200000 65536\n"

    assert [exists_here(uid, two_ranges) for uid in (0, 1, 99_999, 100_000, 165_535, 165_536)] == [
        True, False, False, True, True, False,
    ]  # fmt: skip
