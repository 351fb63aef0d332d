"""A YAML file read whole: plain data, the line of every key, and every mistake found on the way.

The reading is stricter than PyYAML's: `yes`, `12:30`, `010` and `2026-01-01` stay text (as in YAML 1.2's core
schema), aliases and tags are refused, and size, depth and number of values are bounded, because a file may
come from anyone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import yaml

from harness.model.errors import ScenarioError

KeyPath: TypeAlias = tuple[str | int, ...]

FILE_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 20
VALUES_MAX = 20_000
MISTAKES_SHOWN_MAX = 50

# Plain scalars of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema). Left out on purpose:
# octal and hexadecimal numbers, and leading zeros, which YAML 1.1 and 1.2 read differently.
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]{0,17})(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?\Z")
_WORDS: Mapping[str, bool | float | None] = MappingProxyType(
    {"": None, "~": None, "null": None, "true": True, "false": False}
    | {".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in a file: at which key, and a sentence that ends in its remedy."""

    where: KeyPath
    what: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file's data with the line of each key; `mistakes` are those that leave the data readable.

    Attributes:
        text: the whole file, with its comments.
    """

    path: str
    data: Mapping[str, object]
    lines: Mapping[KeyPath, int]
    mistakes: tuple[Mistake, ...] = ()
    text: str = ""

    def line(self, where: KeyPath) -> int:
        """Return the line of a key, or of the nearest key around it where it is not in the file."""
        for length in range(len(where), 0, -1):
            if where[:length] in self.lines:
                return self.lines[where[:length]]
        return self.lines.get((), 1)

    def describe(self, mistake: Mistake) -> str:
        """Return `file:line key.path: what is wrong and what to do`."""
        key = written(mistake.where)
        return f"{self.path}:{self.line(mistake.where)}{' ' if key else ''}{key}: {mistake.what}"

    def error(self, mistakes: Iterable[Mistake]) -> ScenarioError:
        """Return one error that lists all mistakes in the order of the file, one a line."""
        ordered = sorted(mistakes, key=lambda mistake: self.line(mistake.where))
        lines = list(dict.fromkeys(self.describe(mistake) for mistake in ordered))
        if len(lines) > MISTAKES_SHOWN_MAX:
            lines[MISTAKES_SHOWN_MAX:] = [f"… and {len(lines) - MISTAKES_SHOWN_MAX} more"]
        return ScenarioError("\n".join(lines))


def written(where: KeyPath) -> str:
    """Return a key path as a person writes it: `steps[0].target`.

    Args:
        where: keys (str) and positions in lists (int, from 0), outermost first; a key that is no plain word
            is quoted and cut at 60 characters.
    """
    parts: list[str] = []
    for part in where:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        else:
            key = part if _PLAIN_KEY.match(part) else f'"{part[:60]}"'
            parts.append(f".{key}" if parts else key)
    return "".join(parts)


def mapping_or_empty(value: object) -> Mapping[str, object]:
    """Return a value that is a mapping; {} in place of another, which the model of its file complains of.

    Args:
        value: what was read.
    """
    return value if isinstance(value, dict) else {}


def texts_in(value: object, where: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield each text in a value, with its key path; the reader has bounded the depth.

    Args:
        value: what was read.
        where: its own key path.
    """
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_in(inner, (*where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_in(inner, (*where, index))


def read_yaml(path: Path) -> Source:
    """Read one YAML file whose top level is a mapping.

    Args:
        path: the file; the error messages name it as it is given here.

    Returns:
        The data, in which every mapping key is text, and the line of each key and list entry.

    Raises:
        ScenarioError: the file is missing, no regular file, too large, not UTF-8, or not such a YAML file.
    """
    text = _text(path)
    try:
        root = _Loader(text).get_single_node()
    except _RefusedError as error:
        raise ScenarioError(f"{path}:{error.line}: {error}") from error
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(_syntax_sentence(path, text, error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScenarioError(
            f"{path}:{line}: holds the control character U+{ord(text[error.position]):04X}. "
            "Remove it, or write it as an escape in double quotes."
        ) from error
    if root is None:
        raise ScenarioError(f'{path}:1: is empty. It has to begin with "version: 1".')
    if not isinstance(root, yaml.MappingNode):
        raise ScenarioError(
            f'{path}:{_line(root)}: must hold keys and values at the top ("version: 1", "name: …").'
        )
    reading = _Reading({}, [])
    data = reading.mapping(root, ())
    return Source(str(path), data, reading.lines, tuple(reading.mistakes), text)


def _text(path: Path) -> str:
    """Return the file's text without a byte order mark."""
    try:
        if path.is_dir():
            raise ScenarioError(f"{path}: is a folder. Name one YAML file in it.")
        if not path.exists():
            raise ScenarioError(f"{path}: no such file. Check the spelling and the current folder.")
        if not path.is_file():
            raise ScenarioError(f"{path}: is not a regular file. Save it to a file and name that.")
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL byte
        raise ScenarioError(f"{path}: cannot be read ({error}). Check its permissions.") from error
    if len(content) > FILE_BYTES_MAX:
        raise ScenarioError(f"{path}: is larger than {FILE_BYTES_MAX // 1024} KiB. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ScenarioError(f"{path}:{line}: is not UTF-8 text. Save it with that encoding.") from error


def _syntax_sentence(path: Path, text: str, error: yaml.MarkedYAMLError) -> str:
    """Say in one sentence what PyYAML says in five lines."""
    mark = error.problem_mark or error.context_mark
    number = mark.line + 1 if mark else 1
    line = (text.splitlines() or [""])[min(number, len(text.splitlines()) or 1) - 1]
    problem = (error.problem or "cannot be read").replace("\n", " ")
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return f"{path}:{number}: is indented by a tab. Use spaces; YAML allows no tabs there."
    if "single document" in f"{error.context} {problem}":
        return f'{path}:{number}: holds a second document ("---"). Put it into a file of its own.'
    while_doing = f" {error.context}" if error.context else ""
    return (
        f"{path}:{number}: is not valid YAML: {problem}{while_doing}. "
        "Check quotes, colons and indentation in this line and the one before."
    )


class _RefusedError(Exception):
    """Valid YAML that these files may not use."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class _Loader(yaml.SafeLoader):
    """PyYAML's scanner and parser with bounds; the data are made from its nodes, not by its constructor."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        line = event.start_mark.line + 1
        self._values += 1
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(line, f'uses the alias "*{event.anchor}". Write the value out here.')
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(line, f'uses the tag "{event.tag}". Write the value without it.')
        if self._depth >= DEPTH_MAX:
            raise _RefusedError(line, f"is nested more than {DEPTH_MAX} levels deep. Flatten it.")
        if self._values > VALUES_MAX:
            raise _RefusedError(line, f"holds more than {VALUES_MAX} values. Split the file.")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


@dataclass(frozen=True, slots=True)
class _Reading:
    """Turns nodes into data and remembers where each stood. Recursion is bounded by the loader's depth."""

    lines: dict[KeyPath, int]
    mistakes: list[Mistake]

    def mapping(self, node: yaml.MappingNode, where: KeyPath) -> dict[str, object]:
        self.lines.setdefault(where, _line(node))
        data: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.mistakes.append(Mistake(where, f"line {_line(key_node)}: a key must be one word."))
                continue
            key = str(key_node.value)
            here = (*where, key)
            if key in data:
                first = self.lines[here]
                self.lines[here] = _line(key_node)
                self.mistakes.append(
                    Mistake(here, f'the key "{key}" stands here again, first in line {first}. Remove one.')
                )
                continue
            self.lines[here] = _line(key_node)
            data[key] = self.value(value_node, here)
        return data

    def value(self, node: yaml.Node, where: KeyPath) -> object:
        self.lines.setdefault(where, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(entry, (*where, index)) for index, entry in enumerate(node.value)]
        quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
        return str(node.value) if quoted else _plain(str(node.value))


def _plain(text: str) -> object:
    """Return the value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _line(node: yaml.Node) -> int:
    """Return a node's line as an editor counts it."""
    return int(node.start_mark.line) + 1
