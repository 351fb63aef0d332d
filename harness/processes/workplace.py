"""The folder that the command was called in."""

from __future__ import annotations

from pathlib import Path

from harness.model.errors import UnavailableError


def current_folder() -> Path:
    """Return the current folder.

    Raises:
        UnavailableError: it was deleted, or it cannot be entered.
    """
    try:
        return Path.cwd()
    except OSError as error:
        raise UnavailableError(
            f"the current folder cannot be used: {error.strerror}; it was deleted or closed to you. "
            "Change to a folder that exists, and call logquake again"
        ) from error
