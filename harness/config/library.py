"""Where scenarios, suites and stacks are found: a project's own `./scenarios` first, then those shipped."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from harness.config.yaml_source import read_yaml
from harness.model.errors import ScenarioError
from harness.model.registry import unknown

FILES_MAX = 10_000
_FOLDER = "scenarios"
_ENDINGS = (".yaml", ".yml")


class Sort(Enum):
    """What a file of the library describes; the value is its folder below `scenarios/`."""

    SCENARIO = "."
    SUITE = "suites"
    STACK = "stacks"

    @property
    def noun(self) -> str:
        """Return the word a message uses."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Shelf:
    """One folder of files, and whose it is."""

    folder: Path
    origin: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: where it was found, and its title, or what keeps it from being read."""

    sort: Sort
    name: str
    title: str
    path: Path
    origin: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """Shelves in the order they are searched; a file on an earlier one hides its namesakes."""

    shelves: tuple[Shelf, ...]

    def find(self, sort: Sort, word: str) -> Entry:
        """Return the file that a name or a path stands for.

        Args:
            sort: what is looked for.
            word: a name as `entries` lists it, or a path: anything with a `/` or ending in `.yaml`.

        Raises:
            ScenarioError: no file has that name.
        """
        if "/" in word or word.endswith(_ENDINGS):
            return _entry(sort, Path(word), "named on the command line")
        known = dict(self._paths(sort))
        if word not in known:
            where = " and ".join(str(shelf.folder / sort.value) for shelf in self.shelves)
            every = f"All of them: logquake list {sort.noun}s."
            raise ScenarioError(
                f"{unknown(sort.noun, word, known)} Looked in {where or 'no folder'}. {every}"
            )
        path, origin = known[word]
        return _entry(sort, path, origin)

    def entries(self, sort: Sort) -> tuple[Entry, ...]:
        """Return every file of one sort by name, those that cannot be read included."""
        return tuple(_entry(sort, path, origin) for _, (path, origin) in sorted(self._paths(sort)))

    def names(self, sort: Sort) -> tuple[str, ...]:
        """Return the names of all files of one sort."""
        return tuple(sorted(name for name, _ in self._paths(sort)))

    def own_names(self, sort: Sort) -> tuple[str, ...]:
        """Return the names of a project's own files of one sort, but for those that are shipped as well."""
        # The last shelf is the shipped one, also where the project's folder is that.
        shipped = set(Library(self.shelves[-1:]).names(sort))
        return tuple(name for name in Library(self.shelves[:-1]).names(sort) if name not in shipped)

    def _paths(self, sort: Sort) -> Iterator[tuple[str, tuple[Path, str]]]:
        seen: set[str] = set()
        for shelf in self.shelves:
            for path in sorted((shelf.folder / sort.value).glob("*.yaml"))[:FILES_MAX]:
                if path.stem not in seen:
                    seen.add(path.stem)
                    yield path.stem, (path, shelf.origin)


def open_library(project: Path) -> Library:
    """Return the library as seen from a project's folder.

    Args:
        project: the folder whose `scenarios/` comes first, usually the current one.
    """
    shelves = [Shelf(project / _FOLDER, "this project"), Shelf(shipped_folder(), "shipped with logquake")]
    own, shipped = shelves
    if own.folder.is_dir() and own.folder.resolve() == shipped.folder.resolve():
        return Library((own,))
    return Library(tuple(shelf for shelf in shelves if shelf.folder.is_dir()))


def shipped_folder() -> Path:
    """Return the folder of the shipped files: inside the wheel, or at the top of a source checkout."""
    package = Path(str(importlib.resources.files("harness")))
    inside = package / _FOLDER
    return inside if inside.is_dir() else package.parent / _FOLDER


def _entry(sort: Sort, path: Path, origin: str) -> Entry:
    try:
        title = read_yaml(path).data.get("title")
    except ScenarioError as error:
        return Entry(sort, path.stem, "", path, origin, str(error))
    return Entry(sort, path.stem, title.strip() if isinstance(title, str) else "", path, origin)
