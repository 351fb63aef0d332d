import subprocess

from harness.runs.environment import cgroup_limits, surroundings


def _groups(tmp_path, membership, **limits):
    for path, text in limits.items():
        file = tmp_path / "cgroup" / path.replace("__", "/").replace("_max", ".max")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "membership").write_text(membership)
    return cgroup_limits(tmp_path / "cgroup", tmp_path / "membership")


def test_the_nearest_limit_counts(tmp_path):
    limits = _groups(
        tmp_path,
        "0::/outer/inner\n",
        outer__inner__memory_max="1073741824\n",
        outer__memory_max="2147483648\n",
        outer__cpu_max="50000 100000\n",
        outer__inner__cpu_max="max 100000\n",
    )

    assert limits == {"cgroup memory.max": "1073741824", "cgroup cpu.max": "50000 100000"}


def test_a_group_without_limits_says_nothing(tmp_path):
    assert _groups(tmp_path, "0::/\n", memory_max="max\n") == {}


def test_a_machine_without_the_second_version_of_groups_says_nothing(tmp_path):
    assert _groups(tmp_path, "1:memory:/outer\n") == {}


def _git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607


def test_the_projects_commit_is_told_and_whether_it_was_changed(tmp_path):
    _git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    _git(tmp_path, "add", "a")
    _git(tmp_path, "commit", "-m", "first")
    commit = surroundings(tmp_path)["project commit"]
    (tmp_path / "a").write_text("2")

    assert len(commit) == 40
    assert surroundings(tmp_path)["project commit"] == f"{commit} with uncommitted changes"


def test_a_folder_without_a_repository_has_no_commit(tmp_path):
    assert "project commit" not in surroundings(tmp_path)
