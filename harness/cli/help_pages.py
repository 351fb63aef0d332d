"""`logquake help`: the pages of the documentation that come with it, to be read in a terminal."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import click

from harness.cli.output import say
from harness.model.errors import NothingSelectedError, UnavailableError
from harness.model.registry import unknown

# In the order in which a page is looked for that is named without its section.
_SECTIONS = ("tutorial", "how-to", "reference", "explanation")
_FOLDER = "pages"


@click.command(name="help")
@click.argument("page", default="", metavar="[PAGE]")
def show_help(page: str) -> None:
    """Print a page of the documentation, or list all of them.

    \b
      logquake help                the pages, each with its title
      logquake help own-stack      how to describe a stack of your own
      logquake help files          every key of every file
    """  # noqa: D301 - the character itself tells click to keep these lines
    pages = _pages()
    if not page:
        width = max(map(len, pages), default=0)
        say("\n".join(f"{name:<{width}}  {_title(path)}" for name, path in pages.items()))
        return
    say(_read(_found(page.removesuffix(".md").removeprefix("docs/"), pages)).rstrip("\n"))


def _pages() -> dict[str, Path]:
    """Return the pages that come with logquake: inside the wheel, or at the top of a source checkout."""
    package = Path(str(importlib.resources.files("harness")))
    inside = package / _FOLDER
    root = inside if inside.is_dir() else package.parent / "docs"
    return {
        f"{section}/{path.stem}": path
        for section in _SECTIONS
        for path in sorted((root / section).glob("*.md"))
        if path.stem != "index"
    }


def _found(page: str, pages: dict[str, Path]) -> Path:
    by_stem = {path.stem: path for path in reversed(pages.values())}
    if (path := pages.get(page, by_stem.get(page))) is None:
        raise NothingSelectedError(f"{unknown('page', page, by_stem)} All of them: logquake help")
    return path


def _title(path: Path) -> str:
    return _read(path).partition("\n")[0].removeprefix("#").strip()


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error
