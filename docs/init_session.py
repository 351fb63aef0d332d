"""Runs `logquake init` in the project of the tutorial, and writes what it says there: `make init-session`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

PAGE = Path(__file__).parent / "tutorial" / "your-own-project.md"
BEGIN, END = "<!-- generated: init session -->", "<!-- end of init session -->"
_PROGRESS = re.compile(r"^(no_fault|first_check) · .*\n", re.MULTILINE)


def project(page: str, folder: Path) -> None:
    """Write the project that the page begins with.

    Args:
        page: the page's text.
        folder: of the project.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "logs.py").write_text(handlers(page)[0])


def handlers(page: str) -> list[str]:
    """Return the page's versions of `logs.py`, in order."""
    return re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def without_progress(said: str) -> str:
    """Return what the command says, with dots in the place of its progress."""
    return re.sub(r"(^…\n)+", "…\n", _PROGRESS.sub("…\n", said), flags=re.MULTILINE)


def main() -> None:
    """Run it, and write what it says; with `--look`, only what it says before it runs anything."""
    looks_only = "--look" in sys.argv[1:]
    page = PAGE.read_text(encoding="utf-8")
    with TemporaryDirectory(prefix="session-") as temporary:
        folder = Path(temporary) / "shop"
        project(page, folder)
        done = subprocess.run(
            [Path(sys.executable).with_name("logquake"), "init", *(["--no-run"] if looks_only else [])],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode != (0 if looks_only else 1):
        sys.exit(f"not red, so not recorded:\n{done.stdout}")
    before, _, rest = page.partition(BEGIN)
    said = without_progress(done.stdout).partition("\nNext: ")[0].strip()
    session = f"\n\n```text\n$ logquake init\n{said}\n```\n\n"
    PAGE.write_text(f"{before}{BEGIN}{session}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
