"""`filter_path` and `_source` filters: which members of an answer or a document stay.

A pattern is names joined by dots; `*` stands for part of one name, `**` for any number of names. Arrays are
transparent: a pattern walks into each element. A member chosen is kept whole; what is left empty goes away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from harness.programs.elastic_lite.language.names import matches

Path = tuple[str, ...]
GONE: Any = object()
NAMES_MAX = 4_096


def split_patterns(texts: Iterable[str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The patterns to include and, from those that start with `-`, the patterns to exclude."""
    include: list[Path] = []
    exclude: list[Path] = []
    for text in texts:
        stripped = text.strip()
        if stripped.startswith("-"):
            exclude.append(split_path(stripped[1:]))
        elif stripped:
            include.append(split_path(stripped))
    return tuple(include), tuple(exclude)


@lru_cache(maxsize=NAMES_MAX)
def split_path(text: str) -> Path:
    """One pattern as its names; a dot after a backslash belongs to the name."""
    return tuple(part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", text) if part)


@lru_cache(maxsize=NAMES_MAX)
def split_paths(texts: tuple[str, ...]) -> tuple[Path, ...]:
    """Several patterns, those of no name left out."""
    return tuple(path for it in texts if (path := split_path(it)))


def apply_filter_path(body: Any, filter_path: str) -> Any:
    """The answer with only the members that a `filter_path` parameter asks for.

    Args:
        body: A JSON value.
        filter_path: Comma-separated patterns, each a choice or, with `-`, an exclusion.

    Returns:
        The filtered value; an object in which nothing is left is `{}`.
    """
    include, exclude = split_patterns(filter_path.split(","))
    kept = exclude_paths(body, exclude) if exclude else body
    if kept is not GONE and include:
        kept = include_paths(kept, include)
    return {} if kept is GONE else kept


def filter_source(source: Any, include: list[str], exclude: list[str]) -> Any:
    """A document's source with only the fields chosen and not excluded; no choice means all of them."""
    excluded, chosen = split_paths(tuple(exclude)), split_paths(tuple(include))
    kept = exclude_paths(source, excluded) if excluded else source
    if kept is not GONE and include:
        kept = include_paths(kept, chosen)
    return {} if kept is GONE else kept


@lru_cache(maxsize=NAMES_MAX)  # a page of documents has the same few names over and over
def step(paths: tuple[Path, ...], name: str) -> tuple[tuple[Path, ...], bool]:
    """What is left of each pattern after one name, and whether some pattern ends here."""
    left: list[Path] = []
    ends = False
    for path in paths:
        for rest in advance(path, name):
            if rest:
                left.append(rest)
            else:
                ends = True
    return tuple(left), ends


def advance(path: Path, name: str) -> list[Path]:
    """The remainders of one pattern after one name; `**` may take it and stay, or take none at all."""
    if path[0] == "**":
        if len(path) == 1:
            return [()]
        return [path, *advance(path[1:], name)]
    if matches(path[0], name):
        return [path[1:]]
    # A name that holds dots, `{"log.original": …}`, is reached as if it were nested.
    parts = split_path(name)
    if len(parts) > 1 and len(path) >= len(parts) and all(map(matches, path, parts)):
        return [path[len(parts) :]]
    return []


def include_paths(value: Any, paths: tuple[Path, ...]) -> Any:
    """The parts of a value that some pattern reaches, or GONE."""
    if isinstance(value, list):
        elements = [kept for element in value if (kept := include_paths(element, paths)) is not GONE]
        return elements or GONE
    if not isinstance(value, dict):
        return GONE
    out = {}
    for name, member in value.items():
        left, ends = step(paths, name)
        kept = member if ends else include_paths(member, left) if left else GONE
        if kept is not GONE:
            out[name] = kept
    return out or GONE


def exclude_paths(value: Any, paths: tuple[Path, ...]) -> Any:
    """A value without the parts that some pattern reaches, or GONE if that empties it."""
    if isinstance(value, list):
        elements = [kept for element in value if (kept := exclude_paths(element, paths)) is not GONE]
        return elements if elements or not value else GONE
    if not isinstance(value, dict):
        return value
    out = {}
    for name, member in value.items():
        left, ends = step(paths, name)
        kept = GONE if ends else exclude_paths(member, left) if left else member
        if kept is not GONE:
            out[name] = kept
    return out if out or not value else GONE
