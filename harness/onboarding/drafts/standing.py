"""A stack file that is there already: its owner may have filled it in, so it is kept as it is."""

from __future__ import annotations

import re
from pathlib import Path

from harness.model.declarations import FILL_IN
from harness.model.errors import UnavailableError
from harness.onboarding.drafts.draft import Draft, FirstFault

_LINKS = re.compile(r"^links:(?!\s*\{\s*\}\s*$)", re.MULTILINE)


def standing_draft(path: Path) -> Draft | None:
    """Return what stands in a stack file as a draft, with what is still to be filled in; None without a file.

    Args:
        path: of the stack file.

    Raises:
        UnavailableError: it cannot be read.
    """
    if not path.is_file():
        return None
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(f"{path}: cannot be read: {error}") from error
    return Draft(
        text,
        FirstFault.STORE if _LINKS.search(text) else FirstFault.APPLICATION,
        to_fill_in=tuple(
            line.removeprefix(FILL_IN) for line in text.splitlines() if line.startswith(FILL_IN)
        ),
    )
