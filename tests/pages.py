"""What stands between fences on a page of the documentation, for tests that do what the page says."""

from __future__ import annotations

import re


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block that names its language, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def blocks_of(page: str, language: str) -> list[str]:
    """Return the text of each block in one language, in order."""
    return [text for named, text in blocks(page) if named == language]
