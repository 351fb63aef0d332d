"""Recorded baselines: one JSON file a key, in a folder that outlives the build that wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import ScenarioError, UnavailableError
from harness.model.result import Sampled
from harness.reporting.atomic_file import write_atomically
from harness.reporting.result_json import as_document, from_document
from harness.runs.baseline_key import BaselineKey

VERSION = 1
BYTES_MAX = 64 << 20
FILES_MAX = 1_000
_REMEDY = "The file is no baseline, or was changed; record it again with `logquake baseline record`."


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a version measured, to compare others with. The candidate's side of each sample is empty.

    `about` tells what of the surroundings is no part of the key, to be read by people: kernel, commit.
    """

    version: int
    key: BaselineKey
    suite: str
    stack: str
    recorded_at: str
    run_ids: tuple[str, ...]
    about: dict[str, str]
    samples: tuple[Sampled, ...]

    @property
    def words(self) -> str:
        """Return what to call it in a sentence."""
        commit = self.about.get("project commit", "")
        return (
            f"the baseline of {self.recorded_at}, {len(self.run_ids)} runs of {self.stack}"
            f"{f' at commit {commit[:12]}' if commit else ''}"
        )


class Baselines:
    """The baselines in a folder.

    Args:
        folder: need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, suite: str, stack: str, key: BaselineKey) -> Path:
        """Return where the baseline with this key is, or would be.

        Args:
            suite: its name.
            stack: its name.
            key: what the baseline belongs to.
        """
        return self._folder / f"{suite}.{stack}.{key.digest}.json"

    def find(self, suite: str, stack: str, key: BaselineKey) -> Baseline | None:
        """Return the baseline with this key, None where none was recorded.

        Args:
            suite: its name.
            stack: its name.
            key: of the run that is to be compared.

        Raises:
            ScenarioError: its file is damaged.
        """
        path = self.path(suite, stack, key)
        found = read_baseline(path) if path.exists() else None
        if found is not None and found.key != key:
            raise ScenarioError(f"{path}: its key is not the one its name stands for. {_REMEDY}")
        return found

    def mismatches(self, suite: str, stack: str, key: BaselineKey) -> list[str]:
        """Say why the nearest other baseline of this suite and stack is not compared; empty where none is."""
        others = sorted(self._folder.glob(f"{suite}.{stack}.*.json"))[:FILES_MAX]
        found = [key.differences(other.key) for other in map(_read_or_none, others) if other is not None]
        return min((differences for differences in found if differences), key=len, default=[])

    def keep(self, baseline: Baseline) -> Path:
        """Write a baseline, in place of the one with its key.

        Returns:
            Its file.

        Raises:
            UnavailableError: the folder cannot be written to.
        """
        path = self.path(baseline.suite, baseline.stack, baseline.key)
        try:
            return write_atomically(path, json.dumps(as_document(baseline), indent=1) + "\n")
        except OSError as error:
            raise UnavailableError(
                f"{path}: the baseline cannot be written: {error.strerror}; "
                "name another folder with --baselines"
            ) from error


def read_baseline(path: Path) -> Baseline:
    """Read a recorded baseline.

    Returns:
        The baseline; whether its key is the one that its name stands for is for the caller to see.

    Raises:
        ScenarioError: the file cannot be read, is no baseline, or was written by another logquake.
    """
    try:
        if path.stat().st_size > BYTES_MAX:
            raise ScenarioError(f"{path}: more than {BYTES_MAX:,} bytes. {_REMEDY}")
        document = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}. {_REMEDY}") from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"{path}: not whole JSON: {error}. {_REMEDY}") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ScenarioError(f"{path}: no baseline of version {VERSION}. {_REMEDY}")
    return from_document(Baseline, document, path, _REMEDY)


def _read_or_none(path: Path) -> Baseline | None:
    """Return a baseline that only serves to say why it is not the one; a damaged one says nothing."""
    try:
        return read_baseline(path)
    except ScenarioError:
        return None
