"""The built pages hold what their sources do, load nothing from elsewhere, and can all be reached."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.docstrings import names
from tests.repository import DOCS, REPOSITORY

LOADING = {"src", "srcset", "poster", "data", "action", "formaction"}
_ADDRESS = re.compile(r"^(?:https?:)?//", re.IGNORECASE)
_IN_STYLES = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""", re.IGNORECASE)
COUNTED = ("h2", "h3", "pre", "li", "tr", "td", "img")
ELSEWHERE = {
    "README.md": "index.html",
    "ARCHITECTURE.md": "project/architecture.html",
    "CONTRIBUTING.md": "project/contributing.html",
    "CHANGELOG.md": "project/changelog.html",
}


class Loads(HTMLParser):
    """Collects the addresses of other hosts that a page loads without a click."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loading = LOADING | ({"href"} if tag in {"link", "use", "image", "base"} else set())
        for name, value in attrs:
            if name in loading and _ADDRESS.match(value or ""):
                self.found.append(f"<{tag} {name}={value}>")
            if name == "style":
                self.found += _IN_STYLES.findall(value or "")

    def handle_data(self, data: str) -> None:
        self.found += _IN_STYLES.findall(data)


def loaded(text: str) -> list[str]:
    """Return what a page loads from other hosts."""
    parser = Loads()
    parser.feed(text)
    return parser.found


def test_no_page_loads_a_script_style_font_or_image_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))

    assert len(pages) > 100
    assert [(page.name, found) for page in pages if (found := loaded(page.read_text(encoding="utf-8")))] == []


def test_no_stylesheet_loads_anything_from_elsewhere(site: Path) -> None:
    sheets = list(site.rglob("*.css"))

    assert sheets
    assert [
        found for sheet in sheets for found in _IN_STYLES.findall(sheet.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize(
    "planted",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<img src="HTTP://example/x.png">',
        "<style>@import 'https://fonts.example/css';</style>",
        '<p style="background: url(https://example/x.png)">',
    ],
)
def test_a_load_from_elsewhere_is_found(planted: str) -> None:
    assert len(loaded(f"<html>{planted}</html>")) == 1


def test_a_link_that_a_reader_may_follow_is_no_load() -> None:
    assert loaded('<a href="https://example/">elsewhere</a>') == []


def _pages() -> Iterator[tuple[Path, str]]:
    for name, page in ELSEWHERE.items():
        yield REPOSITORY / name, page
    for path in sorted(DOCS.rglob("*.md")):
        if path.name != "index.md":
            yield path, path.relative_to(DOCS).with_suffix(".html").as_posix()


class Counts(HTMLParser):
    """Counts elements, in the article of a built page or in bare HTML."""

    def __init__(self, *, within: str) -> None:
        super().__init__()
        self._within = within
        self._inside = not within
        self.counted: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == self._within:
            self._inside = True
        elif self._inside and tag in COUNTED:
            self.counted[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            self._inside = False


def _counted(html: str, within: str = "") -> dict[str, int]:
    parser = Counts(within=within)
    parser.feed(html)
    return dict(parser.counted)


@pytest.mark.parametrize(("source", "page"), list(_pages()), ids=lambda each: getattr(each, "name", each))
def test_a_page_has_the_lists_tables_and_blocks_that_its_source_has_on_github(
    site: Path, source: Path, page: str
) -> None:
    of_github = (
        MarkdownIt("commonmark", {"html": True}).enable("table").render(source.read_text(encoding="utf-8"))
    )
    built = (site / page).read_text(encoding="utf-8")

    assert _counted(built, within="article") == _counted(of_github)


def _linked(page: Path) -> Iterator[Path]:
    for target in re.findall(r'<a [^>]*href="([^"#]+)', page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            yield (page.parent / target).resolve()


def test_every_page_is_reached_from_the_front_page(site: Path) -> None:
    reached, ahead = set(), [(site / "index.html").resolve()]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".html" and page.exists():
            reached.add(page)
            ahead += _linked(page)
    there = {path.resolve() for path in site.rglob("*.html") if path.name != "404.html"}

    assert sorted(str(page.relative_to(site)) for page in there - reached) == []


def test_the_api_has_every_public_name(site: Path) -> None:
    there = {
        name
        for page in site.glob("api/**/*.html")
        for name in re.findall(r' id="([\w.]+)"', page.read_text())
    }
    public = {
        ".".join([*each.module.with_suffix("").parts, each.where.rpartition(" ")[2]]) for each in names()
    }

    assert len(public) > 3_000
    assert sorted(public - there) == []
