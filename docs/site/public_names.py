"""Which modules of both packages are public: those that somebody else's code may import."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("logging_system", "harness")
RUN = ("harness/cli", "harness/programs", "harness/selftest", "logging_system/cli")
"""Folders of what is run and never imported: commands and servers, whose interfaces other pages describe."""


def public_modules() -> list[PurePosixPath]:
    """Return the modules that no underscore hides, from the repository's root, by package and path."""
    found = []
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            module = PurePosixPath(path.relative_to(REPOSITORY).as_posix())
            hidden = any(part.startswith("_") for part in module.parts)
            if not hidden and not any(module.is_relative_to(folder) for folder in RUN):
                found.append(module)
    return found
