"""Brings what lies outside `docs/` into the site: README and its like as pages, scorecards as files.

A hook of MkDocs. Links are written for readers of the repository; those that leave `docs/` are turned into
links to the page of the site that shows the same.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "reports/example/rotations-200.md": "gallery/rotations-200.md",
}
"""Files of the repository, and the pages that show them."""
FILES = {"reports/example/scorecard.html": "gallery/reference.html"}
"""Files that are copied as they are."""
TITLES = {"gallery/rotations-200.md": "200 key rotations in ten minutes"}
"""What the navigation calls a page whose own heading is a report's."""
SHOWN_BY = {
    "reports/example/scorecard.md": "gallery/reference.html",
    "reports/example": "gallery/index.md",
    "docs/reference/schemas": "reference/schemas/index.md",
}
"""Paths of the repository that another page or file of the site stands for."""
_BLOCK = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()([^)#\s]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files from outside `docs/`, and the list of schemas."""
    for source, page in PAGES.items():
        text = (REPOSITORY / source).read_text(encoding="utf-8")
        head = f"---\ntitle: {TITLES[page]}\n---\n" if page in TITLES else ""
        files.append(File.generated(config, page, content=head + text))
    for source, name in FILES.items():
        files.append(File.generated(config, name, abs_src_path=str(REPOSITORY / source)))
    files.append(File.generated(config, "reference/schemas/index.md", content=_schemas()))
    return files


def _schemas() -> str:
    names = sorted(path.name for path in (REPOSITORY / "docs/reference/schemas").glob("*.json"))
    lines = [
        "# JSON Schemas",
        "",
        "For editors and validators: a schema for each kind of file that [Files](../files.md) explains.",
        "",
        *(f"* [{name}]({name})" for name in names),
    ]
    return "\n".join(lines) + "\n"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page's text with each link that leaves `docs/` leading to the site's own page."""
    of_pages = {name: source for source, name in PAGES.items()}
    source = of_pages.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    parts = _BLOCK.split(markdown)
    parts[::2] = [_LINK.sub(lambda link: _led(link, source, page.file.src_uri), part) for part in parts[::2]]
    return "".join(parts)


def _led(link: re.Match[str], source: str, page: str) -> str:
    target, anchor = link[1], link[2] or ""
    if "://" in target or target.startswith("mailto:"):
        return link[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    place, of_place = place_of(path)
    return posixpath.relpath(place, posixpath.dirname(page) or ".") + (anchor or of_place)


def place_of(path: str) -> tuple[str, str]:
    """Say where the site shows a file.

    Args:
        path: Of the file or folder, from the repository's root.

    Returns:
        The page or file of the site, from its root, and the anchor in it: empty, or with its `#`. A path that
        the site does not show is returned as it is, so that the strict build complains of it.
    """
    for known in (PAGES, FILES, SHOWN_BY):
        if path in known:
            return known[path], ""
    module = PurePosixPath(path)
    if module.suffix == ".py" and module.parts[0] in {"harness", "logging_system"}:
        return f"api/{module.parent}/index.md", "#" + ".".join(module.with_suffix("").parts)
    return path.removeprefix("docs/"), ""
