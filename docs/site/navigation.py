"""Puts the pages in order: a section is a folder of `docs/`, its groups are the headings of its `index.md`.

A hook of MkDocs. A page that an `index.md` does not name comes last in its section, there and in the
navigation; so a new page needs nothing but its file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

SECTIONS = {
    "Tutorials": "tutorial",
    "How-to guides": "how-to",
    "Reference": "reference",
    "Explanation": "explanation",
    "Gallery": "gallery",
}
PROJECT = ("project/architecture.md", "project/contributing.md", "project/changelog.md")
DECISIONS = "decisions"
REST = "More"
"""The heading of what an `index.md` does not name."""
_HEADING_OR_LINK = re.compile(r"^## (.+)$|\]\(([a-z0-9/-]+\.md)\)", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Set the navigation, once the pages from outside `docs/` are there."""
    config.nav = [
        {"Home": "index.md"},
        *({title: _section(folder, files)} for title, folder in SECTIONS.items()),
        {"Project": [*PROJECT, {"Decisions": _section(DECISIONS, files)}]},
    ]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text of an `index.md` with the pages that it does not name listed at its end."""
    folder, _, name = page.file.src_uri.rpartition("/")
    if name != "index.md" or folder not in {*SECTIONS.values(), DECISIONS}:
        return markdown
    named = groups(markdown)
    rest = unnamed(named, pages_in(folder, files))
    heading = [f"## {REST}", ""] if rest and len(named) > 1 else []
    items = [f"* [{_title(files, f'{folder}/{each}')}]({each})" for each in rest]
    return "\n".join([markdown.rstrip(), "", *heading, *items, ""])


def groups(index: str) -> dict[str, list[str]]:
    """Return the pages that a section's `index.md` names.

    Args:
        index: Its text.

    Returns:
        Headings, each with the pages below it, from the section's folder; what stands above the first heading
        is under "". A page named twice counts where it is first.
    """
    found: dict[str, list[str]] = {"": []}
    heading = ""
    for match in _HEADING_OR_LINK.finditer(index):
        if match[1]:
            heading = match[1]
            found[heading] = []
        elif all(match[2] not in pages for pages in found.values()):
            found[heading].append(match[2])
    return found


def unnamed(named: dict[str, list[str]], pages: Sequence[str]) -> list[str]:
    """Return the pages of a section that its `index.md` does not name, sorted."""
    return sorted(set(pages) - {page for below in named.values() for page in below} - {"index.md"})


def pages_in(folder: str, files: Files) -> list[str]:
    """Return the pages of a section, from its folder."""
    return [
        page.src_uri.removeprefix(f"{folder}/")
        for page in files.documentation_pages()
        if page.src_uri.startswith(f"{folder}/")
    ]


def _section(folder: str, files: Files) -> list[Any]:
    def of(pages: Sequence[str]) -> list[str]:
        return [f"{folder}/{page}" for page in pages if page in there]

    there = pages_in(folder, files)
    index = files.get_file_from_path(f"{folder}/index.md")
    named = groups(index.content_string if index else "")
    grouped = [{heading: of(pages)} for heading, pages in named.items() if heading and of(pages)]
    rest = of(unnamed(named, there))
    return [f"{folder}/index.md", *of(named[""]), *grouped, *([{REST: rest}] if rest and grouped else rest)]


def _title(files: Files, page: str) -> str:
    file = files.get_file_from_path(page)
    found = re.search(r"^# (.+)$", file.content_string if file else "", re.MULTILINE)
    return found[1] if found else page
