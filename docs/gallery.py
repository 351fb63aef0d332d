"""Makes the scorecards of `docs/gallery` again: `make gallery`.

Each is a real run on the embedded backend; its scorecard is committed, with a picture of the beginning.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs.example import BYTES_MAX, REPOSITORY, photograph, refuse_what_tells_of_the_machine

GALLERY = REPOSITORY / "docs" / "gallery"
PICTURES = REPOSITORY / "docs" / "images"
RUN_SECONDS = 1_800
JUDGED = (0, 1, 6)
"""Exit codes of runs that were judged: passed, failed, inconclusive."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A scorecard of the gallery.

    Attributes:
        name: Of its file.
        arguments: What `logquake run` is asked for.
        failing: The objectives that fail on this stack, on whatever machine.
    """

    name: str
    arguments: tuple[str, ...]
    failing: frozenset[str]


SHOWN = (
    Shown(
        "full-disk",
        ("--stack", "docs/gallery/full_disk_stack.yaml", "docs/gallery/full_disk.yaml"),
        failing=frozenset({"acknowledged_lost", "corrupted"}),
    ),
    Shown(
        "rsyslog",
        ("--stack", "rsyslog", "application_killed", "answer_cut", "items_refused", "poison_document"),
        failing=frozenset({"acknowledged_lost", "duplicated"}),
    ),
)


def main(names: list[str]) -> None:
    """Make all scorecards, or those named."""
    for shown in SHOWN:
        if not names or shown.name in names:
            make(shown)


def make(shown: Shown) -> None:
    """Run what a scorecard shows, keep the scorecard, photograph it."""
    with tempfile.TemporaryDirectory(prefix="logquake-gallery-") as name:
        folder = Path(name)
        command = [str(Path(sys.executable).parent / "logquake"), "run", "--out", str(folder)]
        ran = subprocess.run([*command, *shown.arguments], cwd=REPOSITORY, check=False, timeout=RUN_SECONDS)
        if ran.returncode not in JUDGED:
            raise SystemExit(f"{shown.name}: logquake run ended with {ran.returncode}; nothing is changed")
        (scorecard,) = folder.glob("*/*/scorecard.html")
        text = scorecard.read_text(encoding="utf-8")
        if troubles := list(troubles_of(json.loads(scorecard.with_name("result.json").read_text()), shown)):
            raise SystemExit(
                f"{shown.name}: nothing is changed, try on a quiet machine: {'; '.join(troubles)}"
            )
    refuse_what_tells_of_the_machine(shown.name, text)
    page = GALLERY / f"{shown.name}.html"
    page.write_text(text, encoding="utf-8")
    if page.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{page} is larger than {BYTES_MAX:,} bytes")
    photograph(page, PICTURES / f"gallery-{shown.name}.png")


def troubles_of(result: Mapping[str, Any], shown: Shown) -> Iterator[str]:
    """Yield what a busy machine, and not the stack, has made of a run: what is open, and other failures."""
    for scenario in result["scenarios"]:
        for verdict in scenario["verdicts"]:
            word, status = verdict["objective"], verdict["status"]
            if status == "INCONCLUSIVE" or (status == "FAIL" and word not in shown.failing):
                yield f"{scenario['scenario']['name']}: {word} is {status}"


if __name__ == "__main__":
    main(sys.argv[1:])
