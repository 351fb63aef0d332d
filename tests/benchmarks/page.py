"""Puts what a benchmark measured into a page between markers; what people wrote around them stays."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from tests.repository import REPOSITORY


def put(text: str, name: str, body: str) -> str:
    """Return a page with one generated part replaced.

    A page that has no such part yet gets it at its end, under a heading of its own.

    Args:
        text: The page.
        name: Of the part, as its markers have it.
        body: Its new content.

    Raises:
        ValueError: The part is there twice, its end is missing, or the body itself holds a marker.
    """
    begin, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
    if "<!-- generated:" in body or "<!-- end of" in body:
        raise ValueError(f"the new content of {name!r} holds a marker; the next run could not find its end")
    part = f"{begin}\n\n{body.strip()}\n\n{end}"
    if begin not in text and end not in text:
        return f"{text.rstrip()}\n\n## {name}\n\n{part}\n"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"the page needs {begin!r} and after it {end!r}, each once; mend it by hand")
    pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _found: part, text)


def write(path: Path, parts: Mapping[str, str]) -> None:
    """Replace generated parts of a page, all of them or, after an error, none.

    Args:
        path: The page.
        parts: New content by name.

    Raises:
        OSError: The page cannot be read or written.
        ValueError: See `put`.
    """
    text = path.read_text()
    for name, body in parts.items():
        text = put(text, name, body)
    path.write_text(text)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def provenance(command: str, packages: Sequence[str] = ()) -> str:
    """Return what a reader needs to judge figures and make them again: command, commit, machine, versions.

    Args:
        command: As it is typed.
        packages: Distributions whose versions matter.
    """
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"`{command}` on commit `{_commit()}`: {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load average when it began {os.getloadavg()[0]:.1f}."
        + (f" {versions}." if versions else "")
    )


def _commit() -> str:
    """Return the commit, and whether the source differed from it; pages are what is being written."""
    try:
        commit = _git("rev-parse", "--short=7", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":!*.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} and changes" if changed else commit


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],  # noqa: S607 - whichever git the person uses
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.strip()
