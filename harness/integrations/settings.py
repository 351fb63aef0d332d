"""What a pytest session was told about logquake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.deployments import BACKENDS
from harness.integrations.pytest_plugin import told
from harness.model.registry import unknown
from harness.runs.request import REPEATS_MAX

INCONCLUSIVE = ("fail", "xfail", "skip")
_SEED_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Settings:
    """The options, or the ini settings where there are none.

    `inconclusive` is what a scenario that could not be decided counts as: fail, xfail or skip.
    """

    stack: str
    backend: str
    seed: int
    gate: Path | None
    out: Path
    inconclusive: str
    repeats_max: int


def settings_of(config: pytest.Config) -> Settings:
    """Read the session's settings. A path of the ini file is relative to that file's folder.

    Args:
        config: pytest's, after its options and ini file were read.

    Returns:
        The settings, each from the command line, else the ini file, else its default.

    Raises:
        pytest.UsageError: a value cannot be used.
    """
    gate = told(config, "gate")
    return Settings(
        stack=_stack(config),
        backend=_one_of(config, "backend", "backend", BACKENDS.kinds, "embedded"),
        seed=_number(config, "seed", 1, _SEED_MAX),
        gate=_path(config, "gate") if gate else None,
        out=_path(config, "out") if told(config, "out") else Path("reports"),
        inconclusive=_one_of(config, "inconclusive", "outcome", INCONCLUSIVE, INCONCLUSIVE[0]),
        repeats_max=_number(config, "repeats", REPEATS_MAX, REPEATS_MAX),
    )


def _stack(config: pytest.Config) -> str:
    """Return a stack's name as it is, and a path so that it leads there from the current folder."""
    word = told(config, "stack")
    is_path = "/" in word or word.endswith((".yaml", ".yml"))
    return str(_path(config, "stack")) if is_path else word


def _path(config: pytest.Config, name: str) -> Path:
    given = config.getoption(f"logquake_{name}", None)
    if given:
        return Path(str(given))
    base = config.rootpath if config.inipath is None else config.inipath.parent
    return base / str(config.getini(f"logquake_{name}"))


def _one_of(config: pytest.Config, name: str, noun: str, known: Iterable[str], default: str) -> str:
    word = told(config, name) or default
    words = dict.fromkeys(known)
    if word not in words:
        raise pytest.UsageError(f"--logquake-{name}: {unknown(noun, word, words)}")
    return word


def _number(config: pytest.Config, name: str, default: int, largest: int) -> int:
    text = told(config, name) or str(default)
    if not text.isascii() or not text.isdecimal() or int(text) > largest:
        raise pytest.UsageError(f'--logquake-{name}: "{text}" is no number from 0 to {largest}')
    return int(text)
