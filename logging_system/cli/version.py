"""What `python -m logging_system --version` tells: the version, and what it runs on."""

from __future__ import annotations

import argparse
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import Any

PACKAGE = "logquake"
LIBRARIES = ("elastic-transport", "google-crc32c", "orjson", "pydantic", "urllib3", "uvicorn")
# The extras of the package that the logging system itself uses, and what of each it imports.
EXTRAS = {
    "alerts": ("apprise",),
    "analytics": ("cachetools",),
    "coordination": ("cachetools",),
    "gateway": ("opentelemetry-proto", "googleapis-common-protos", "zstandard"),
    "keys": ("cryptography",),
    "keys-pkcs11": ("cryptography", "python-pkcs11"),
    "keys-vault": ("cryptography", "hvac"),
    "masking": ("google-re2",),
    "opentelemetry": ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"),
}
_COMMIT = re.compile(r'"commit_id":\s*"([0-9a-f]+)"')


class ShowVersion(argparse.Action):
    """Prints the version and what it runs on, and ends."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print it; the arguments are what argparse hands to an action."""
        sys.stdout.write(version_sheet() + "\n")
        parser.exit()


def version_sheet() -> str:
    """Return the version and what it runs on, a line each."""
    return "\n".join(_lines())


def missing_of(extra: str) -> tuple[str, ...]:
    """Return the packages of an extra that are not installed.

    Args:
        extra: one of `EXTRAS`.
    """
    return tuple(name for name in EXTRAS[extra] if not _version(name))


def _lines() -> Iterator[str]:
    yield f"logging_system, of {PACKAGE} {_version(PACKAGE) or 'that is not installed as a package'}"
    if commit := _commit():
        yield f"commit     {commit}"
    yield f"python     {platform.python_version()} ({platform.python_implementation()})"
    yield f"system     {platform.system()} {platform.release()}, {platform.machine()}"
    told = (f"{name} {_version(name) or 'not installed'}" for name in LIBRARIES)
    yield f"libraries  {', '.join(told)}"
    there = [name for name in EXTRAS if not missing_of(name)]
    lacking = [f"{name} (needs {', '.join(missing_of(name))})" for name in EXTRAS if missing_of(name)]
    yield f"extras     {', '.join(there) or 'none'}"
    if lacking:
        yield f"not there  {', '.join(lacking)}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    """Return the commit that pip noted when it installed from a repository; "" where there is none."""
    try:
        found = _COMMIT.search(distribution(PACKAGE).read_text("direct_url.json") or "")
    except PackageNotFoundError:
        return ""
    return found[1] if found else ""
