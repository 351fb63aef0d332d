"""Whoever uses what an extra is for, and does not have it, is told what is missing and what to install."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distribution

import pytest

from tests.repository import REPOSITORY
from tests.without_extras import FEATURES, Feature

# pytest's plugin is loaded by pytest alone; coordination and all only name other extras.
NOT_MISSED = {"all", "coordination", "dev", "docs", "pytest", "uwsgi"}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each feature says where no extra is installed, by its name."""
    command = [sys.executable, "-m", "tests.without_extras", str(tmp_path_factory.mktemp("bare"))]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    told: dict[str, str] = json.loads(done.stdout)
    return told


@pytest.mark.slow
@pytest.mark.parametrize(("name", "feature"), FEATURES.items(), ids=FEATURES)
def test_one_line_says_what_is_missing_and_what_to_install(
    name: str, feature: Feature, said: dict[str, str]
) -> None:
    (line,) = said[name].splitlines()

    assert feature.lacks in line
    assert f"pip install 'logquake[{feature.extra}]'" in line


def test_every_extra_has_a_feature_that_is_tried_without_it() -> None:
    extras = set(distribution("logquake").metadata.get_all("Provides-Extra") or ())

    assert {feature.extra for feature in FEATURES.values()} == extras - NOT_MISSED
