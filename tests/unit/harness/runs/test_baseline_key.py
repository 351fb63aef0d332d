from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.errors import ScenarioError
from harness.runs.baseline_key import (
    BaselineKey,
    MachineClass,
    allowed_cores,
    cpu_model,
    filesystem_of,
    machine_class,
    major_version,
    memory_gib,
)
from harness.runs.baselines import read_baseline

MACHINE = MachineClass("x86_64", "AMD EPYC 7763", 4.0, 16.0, "ext4", "CPython 3.12")
KEY = BaselineKey("9b1d6c0e4f7a2b35", "", "0.1", MACHINE)
GIB = 1 << 30


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"suite_hash": "other"}, "the suite hash is 9b1d6c0e4f7a2b35, the baseline's other"),
        ({"input_digest": "ab"}, "another input was sent"),
        ({"logquake": "2"}, "this is logquake 0.1, the baseline was recorded by 2"),
        ({"machine": replace(MACHINE, cores=2.0)}, "the machine's cores is 4.0, the baseline's 2.0"),
        ({"machine": replace(MACHINE, filesystem="tmpfs")}, "the machine's filesystem is ext4"),
        ({"machine": replace(MACHINE, python="CPython 3.13")}, "the machine's python is CPython 3.12"),
    ],
)
def test_each_part_of_a_key_that_differs_is_said(change, said):
    other = replace(KEY, **change)
    (difference,) = KEY.differences(other)

    assert said in difference
    assert other.digest != KEY.digest


def test_the_same_key_differs_in_nothing():
    assert KEY.differences(replace(KEY)) == []


@pytest.mark.parametrize(
    ("version", "major"), [("2.4.1", "2"), ("0.3.9", "0.3"), ("10.0", "10"), ("0.1.0", "0.1")]
)
def test_before_1_0_the_minor_version_is_the_major(version, major):
    assert major_version(version) == major


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("", 4.0), ("200000 100000", 2.0), ("150000 100000", 1.5), ("900000 100000", 4.0), ("x", 4.0)],
)
def test_a_quota_takes_cores_away_and_adds_none(quota, cores):
    assert allowed_cores(4, quota) == cores


@pytest.mark.parametrize(
    ("bytes_", "limit", "gib"),
    [
        (int(15.6 * GIB), "", 16.0),
        (int(31.3 * GIB), "", 32.0),
        (16 * GIB, str(4 * GIB), 4.0),
        (GIB // 2, "", 0.5),
    ],
)
def test_twins_have_the_same_class_of_memory(bytes_, limit, gib):
    assert memory_gib(bytes_, limit) == gib


@given(st.integers(1, 1 << 50))
def test_memory_is_a_power_of_two_near_what_is_there(bytes_):
    """Within a factor of the square root of two, rounded."""
    assert 0.7 <= memory_gib(bytes_, "") * GIB / bytes_ <= 1.42


def test_a_folder_lies_on_the_deepest_mount_above_it():
    mounts = [
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw",
        "30 22 0:25 / /tmp rw,nosuid - tmpfs tmpfs rw",
        "31 22 0:26 / /tmp/deeper rw - xfs /dev/x rw",
        "broken",
    ]

    assert filesystem_of(Path("/tmp/logquake-x"), mounts) == "tmpfs"  # noqa: S108 - a path is compared, not used
    assert filesystem_of(Path("/var"), mounts) == "ext4"
    assert filesystem_of(Path("/var"), []) == "unknown"


def test_a_cpu_without_a_name_is_no_mistake():
    assert cpu_model("processor\t: 0\nmodel name\t: AMD  EPYC 7763\n") == "AMD EPYC 7763"
    assert cpu_model("") == ""


def test_this_machine_is_the_same_class_twice():
    assert machine_class() == machine_class()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "key": {}}', "\x00"])
def test_a_file_that_is_no_baseline_is_refused_with_its_name_and_a_remedy(tmp_path, text):
    path = tmp_path / "b.json"
    path.write_text(text)

    with pytest.raises(ScenarioError, match=r"b\.json: .*logquake baseline record"):
        read_baseline(path)
