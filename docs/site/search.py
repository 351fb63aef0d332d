"""Says which pages the search shows first: those that help a reader to do something.

A hook of MkDocs. A word such as "webhook" stands in the titles of many names of the API, and a title counts a
thousand times as much as text; without weights the page that explains webhooks would come seventh.
"""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

WEIGHTS = {
    "tutorial": 4.0,
    "how-to": 4.0,
    "reference": 3.0,
    "explanation": 3.0,
    "gallery": 0.5,
    "project": 0.1,
    "decisions": 0.1,
    "api": 0.02,
}
"""What the score of a page is multiplied by, for each section. The front page counts 1."""


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Give a page its section's weight, and return its text as it is."""
    section = page.file.src_uri.partition("/")[0]
    page.meta["search"] = {"boost": WEIGHTS.get(section, 1.0)}
    return markdown
