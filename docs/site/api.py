"""Writes the pages of the API: one for each room of both packages, with every public name in it.

A hook of MkDocs. A module is public when no part of its path begins with an underscore; mkdocstrings does the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("logging_system", "harness")


def _below(room: Path) -> list[Any]:
    inner = [each for each in rooms() if each.parent == room]
    return [page_of(room), *({each.name: _below(each)} for each in inner)]


def rooms() -> Iterator[Path]:
    """Yield the folders of both packages that hold public modules, from the repository's root, in order."""
    for package in PACKAGES:
        for folder in sorted({path.parent for path in (REPOSITORY / package).rglob("*.py")}):
            yield folder.relative_to(REPOSITORY)


def page_of(room: Path) -> str:
    """Return the page of a room, from the site's root."""
    return f"api/{room.as_posix()}/index.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each room, and the API to the navigation, before its last section."""
    for room in rooms():
        files.append(File.generated(config, page_of(room), content=_page(room)))
    api = ["api/index.md", *({package: _below(Path(package))} for package in PACKAGES)]
    config.nav = [*(config.nav or [])[:-1], {"API": api}, *(config.nav or [])[-1:]]
    return files


def _page(room: Path) -> str:
    name = ".".join(room.parts)
    tree = ast.parse((REPOSITORY / room / "__init__.py").read_text(encoding="utf-8"))
    lines = [f"# {name}", "", ast.get_docstring(tree) or "", ""]
    if names := _exported(tree):
        lines += [f"Import from `{name}`:", ""]
        lines += [f"* [`{each}`][{place}.{each}]" for each, place in names.items()]
        lines += [""]
    for path in sorted((REPOSITORY / room).glob("*.py")):
        if not path.name.startswith("_"):
            lines += [f"::: {name}.{path.stem}", ""]
    return "\n".join(lines)


def _exported(tree: ast.Module) -> dict[str, str]:
    """Return the names of `__all__` with the module that defines each."""
    places = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return {name: places[name] for name in ast.literal_eval(node.value) if name in places}
    return {}
