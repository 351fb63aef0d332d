"""What `logquake --version` says of extras: those that are there, and what the others lack."""

from __future__ import annotations

from importlib.metadata import PathDistribution
from pathlib import Path

from harness.cli.version_sheet import extras_there, needed_by

METADATA = """Metadata-Version: 2.4
Name: logquake
Version: 1
Requires-Dist: click>=8.1
Requires-Dist: first>=1 ; extra == 'one'
Requires-Dist: logquake[one,two]; extra == "both"
Requires-Dist: second[more]<3; (python_version > "3") and extra == 'two'
Requires-Dist: logquake[both]; extra == 'two'
"""


def distribution(folder: Path) -> PathDistribution:
    folder.joinpath("METADATA").write_text(METADATA)
    return PathDistribution(folder)


def test_an_extra_needs_what_it_names_and_what_extras_it_names_need(tmp_path):
    own = distribution(tmp_path)

    assert list(needed_by(own, "one")) == ["first"]
    assert sorted(set(needed_by(own, "both"))) == ["first", "second"]


def test_extras_that_name_each_other_end(tmp_path):
    assert sorted(set(needed_by(distribution(tmp_path), "two"))) == ["first", "second"]


def test_those_for_changing_logquake_itself_are_not_told():
    assert {"dev", "uwsgi"} & extras_there().keys() == set()
    assert extras_there()["keys"] == ()
