"""What a pytest session was told about logquake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.deployments import BACKENDS
from harness.integrations.pytest_plugin import told
from harness.model.registry import unknown

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


def settings_of(config: pytest.Config) -> Settings:
    """Read the session's settings. A path of the ini file is relative to that file's folder.

    Raises:
        pytest.UsageError: a value cannot be used.
    """
    gate = told(config, "gate")
    return Settings(
        stack=_stack(config),
        backend=_one_of(config, "backend", BACKENDS.kinds, "embedded"),
        seed=_seed(told(config, "seed") or "1"),
        gate=_path(config, "gate") if gate else None,
        out=_path(config, "out") if told(config, "out") else Path("reports"),
        inconclusive=_one_of(config, "inconclusive", INCONCLUSIVE, INCONCLUSIVE[0]),
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


def _one_of(config: pytest.Config, name: str, known: Iterable[str], default: str) -> str:
    word = told(config, name) or default
    words = dict.fromkeys(known)
    if word not in words:
        raise pytest.UsageError(f"--logquake-{name}: {unknown('word', word, words)}")
    return word


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > _SEED_MAX:
        raise pytest.UsageError(f'--logquake-seed: "{text}" is no number from 0 to {_SEED_MAX}')
    return int(text)
