"""A YAML file in which users declare something: its content, and the line on which each value stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

FILE_BYTES_MAX = 1024 * 1024
Place = tuple[str | int, ...]
"""Names and numbers that lead to a value, from the root."""


def read_declared(path: Path, what: str, error: type[ValueError]) -> bytes:
    """Return a file's bytes.

    Args:
        path: The file.
        what: What it is the file of, such as `alerts`.
        error: What is raised where it cannot be read; its message has the remedy.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as refused:
        raise error(f"{path}: {refused.strerror}; name a file this user may read") from refused
    if len(data) > FILE_BYTES_MAX:
        raise error(f"{path}: larger than {FILE_BYTES_MAX} bytes; is this the file of {what}?")
    return data


def parse_declared(
    path: Path, data: bytes, first_name: str, error: type[ValueError]
) -> tuple[dict[str, Any], Mapping[Place, int]]:
    """Return what a file holds, and the line of each place.

    Args:
        path: The file, for messages.
        data: Its bytes.
        first_name: A name that it may hold at its root, for messages.
        error: What is raised where it is no mapping in YAML, or has a name twice; its message has the line.
    """
    loader = yaml.SafeLoader(data)
    try:
        root = loader.get_single_node()
        if root is None:
            return {}, {}
        lines = dict(_lines(root, (), path, error))
        content = loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as refused:
        if isinstance(refused, error):
            raise
        mark = getattr(refused, "problem_mark", None)
        place = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(refused, "problem", None) or type(refused).__name__
        raise error(f"{path}{place}: no YAML: {problem}") from refused
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise error(f"{path}:1: expected lines of the form `name: value`, such as `{first_name}:`")
    return content, lines


def where(path: Path, place: Place, lines: Mapping[Place, int]) -> str:
    """Return a place as messages have it: file, line of the nearest value that is there, and the names.

    Args:
        path: The file.
        place: The names and list positions that lead to a value.
        lines: By place, the lines of all values in the file, from 1.
    """
    line = next((lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in lines), 1)
    shown = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".")
    return f"{path}:{line} {shown or 'file'}"


def _lines(node: yaml.Node, place: Place, path: Path, error: type[ValueError]) -> Iterator[tuple[Place, int]]:
    """Yield where each value of the file stands; two of one name would hide each other."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            yield from _lines(inner, (*place, number), path, error)
    elif isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, inner in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in names:
                raise error(f"{path}:{line} {name}: is there twice; keep one")
            names.add(name)
            yield (*place, name), line
            below = _lines(inner, (*place, name), path, error)
            yield from ((at, found) for at, found in below if at != (*place, name))
