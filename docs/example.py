"""Makes `reports/example` and the picture in the README again: `make example`.

A whole run of the default suite on the embedded backend, as `make run` does it. What is committed is what the
run wrote, but for its history.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
EXAMPLE = REPOSITORY / "reports" / "example"
PICTURE = REPOSITORY / "docs" / "images" / "scorecard.png"
REPORTS = ("scorecard.html", "scorecard.md", "result.json")
BYTES_MAX = 300_000
RUN_SECONDS = 1_200
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Run the suite, keep its reports, photograph the scorecard."""
    with tempfile.TemporaryDirectory(prefix="logquake-example-") as name:
        folder = Path(name)
        command = [str(Path(sys.executable).parent / "logquake"), "run", "--out", str(folder)]
        subprocess.run(command, cwd=REPOSITORY, check=True, timeout=RUN_SECONDS)
        (result,) = folder.glob("*/*/result.json")
        keep(result.parent)
    photograph(EXAMPLE / "scorecard.html", PICTURE)


def keep(run: Path) -> None:
    """Copy a run's reports; refuse what tells of the machine or is too large to commit."""
    EXAMPLE.mkdir(parents=True, exist_ok=True)
    for name in REPORTS:
        text = (run / name).read_text(encoding="utf-8")
        refuse_what_tells_of_the_machine(name, text)
        (EXAMPLE / name).write_text(text, encoding="utf-8")
        if (EXAMPLE / name).stat().st_size > BYTES_MAX:
            raise SystemExit(f"{name} is larger than {BYTES_MAX:,} bytes")


def refuse_what_tells_of_the_machine(name: str, text: str) -> None:
    """End with an error where a report names a folder of this machine."""
    for private in (str(REPOSITORY), str(Path.home()), tempfile.gettempdir()):
        if len(private) > 1 and f"{private}/" in text:
            raise SystemExit(f"{name} names {private}: a report must not tell of the machine")


def photograph(page: Path, picture: Path) -> None:
    """Take a picture of a scorecard's beginning, in the light theme.

    Args:
        page: The scorecard.
        picture: Where the picture goes, as PNG.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("no chromium here to take the picture with; the reports are made")
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="logquake-browser-") as profile:
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--window-size=1160,1240",
        ]
        options += ["--window-size=1160,1240", f"--user-data-dir={profile}", f"--screenshot={picture}"]
        subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True, timeout=60)
    if picture.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{picture} is larger than {BYTES_MAX:,} bytes")


if __name__ == "__main__":
    main()
