"""Writes the pages of the API: one for each room of both packages, with every public name in it.

A hook of MkDocs; what a page says of a name is its docstring, which mkdocstrings renders.
"""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs.site.public_names import PACKAGES, REPOSITORY, public_modules


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each room, and the API to the navigation, before its last section."""
    rooms: dict[PurePosixPath, list[PurePosixPath]] = {PurePosixPath(package): [] for package in PACKAGES}
    for module in public_modules():
        rooms.setdefault(module.parent, []).append(module)
    for room, modules in rooms.items():
        files.append(File.generated(config, page_of(room), content=_page(room, modules)))
    api = ["api/index.md", *({package: _below(PurePosixPath(package), rooms)} for package in PACKAGES)]
    config.nav = [*(config.nav or [])[:-1], {"API": api}, *(config.nav or [])[-1:]]
    return files


def page_of(room: PurePosixPath) -> str:
    """Return the page of a room, from the site's root."""
    return f"api/{room}/index.md"


def _below(room: PurePosixPath, rooms: dict[PurePosixPath, list[PurePosixPath]]) -> list[Any]:
    inner = sorted(each for each in rooms if each.parent == room)
    return [page_of(room), *({each.name: _below(each, rooms)} for each in inner)]


def _page(room: PurePosixPath, modules: list[PurePosixPath]) -> str:
    name = ".".join(room.parts)
    tree = ast.parse((REPOSITORY / room / "__init__.py").read_text(encoding="utf-8"))
    lines = [f"# {name}", "", ast.get_docstring(tree) or "", ""]
    if exported := _exported(tree):
        links = ", ".join(f"[`{each}`][{place}.{each}]" for each, place in exported.items())
        lines += [f"Import from `{name}`: {links}.", ""]
    for module in modules:
        lines += [f"::: {'.'.join(module.with_suffix('').parts)}", ""]
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
