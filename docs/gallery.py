"""Makes the scorecards of `docs/gallery` again: `make gallery`.

Each is a real run on the embedded backend; its scorecard is committed, with a picture of the beginning.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from docs.example import BYTES_MAX, REPOSITORY, photograph, refuse_what_tells_of_the_machine

GALLERY = REPOSITORY / "docs" / "gallery"
PICTURES = REPOSITORY / "docs" / "images"
RUN_SECONDS = 1_800
JUDGED = (0, 1, 6)
"""Exit codes of runs that were judged: passed, failed, inconclusive."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A scorecard of the gallery: its file's name, and what `logquake run` is asked for."""

    name: str
    arguments: tuple[str, ...]


SHOWN = (
    Shown("full-disk", ("--stack", "docs/gallery/full_disk_stack.yaml", "docs/gallery/full_disk.yaml")),
    Shown("rsyslog", ("--stack", "rsyslog", "no_fault", "poison_document", "requests_refused")),
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
    refuse_what_tells_of_the_machine(shown.name, text)
    page = GALLERY / f"{shown.name}.html"
    page.write_text(text, encoding="utf-8")
    if page.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{page} is larger than {BYTES_MAX:,} bytes")
    photograph(page, PICTURES / f"gallery-{shown.name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
