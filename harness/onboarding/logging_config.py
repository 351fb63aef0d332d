"""Configurations of `logging.config`: mappings in YAML and JSON, `fileConfig`'s ini files."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import yaml

from harness.onboarding.handler_call import Given, OwnClass, outlet
from harness.onboarding.known_handlers import PASS_ON, POSITIONAL
from harness.onboarding.project_files import SourceFile
from harness.onboarding.seen import Outlet, Place

_NODES_MAX = 20_000
_DEPTH_MAX = 40
# What every handler may have beside the arguments of its constructor.
_NOT_ARGUMENTS = {"class", "()", "level", "formatter", "filters", "."}


@dataclass(frozen=True, slots=True)
class Configured:
    """A mapping that `dictConfig` takes, the line of each handler in it, and its file."""

    mapping: Mapping[str, Any]
    lines: Mapping[str, int]
    path: str


def is_configuration(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is a mapping with `version` and handlers that each name a class."""
    if not isinstance(value, dict) or "version" not in value or not isinstance(value.get("handlers"), dict):
        return False
    return any(
        isinstance(each, dict) and ("class" in each or "()" in each) for each in value["handlers"].values()
    )


def handlers_of(configured: Configured, own: Mapping[str, OwnClass]) -> Iterator[Outlet]:
    """Yield each handler that a configuration makes.

    Args:
        configured: the configuration.
        own: the project's own handler classes.
    """
    for name, spec in configured.mapping["handlers"].items():
        if not isinstance(spec, dict):
            continue
        dotted = spec.get("()", spec.get("class"))
        if not isinstance(dotted, str) or dotted in PASS_ON:
            continue
        line = configured.lines.get(str(name), next(iter(configured.lines.values()), 1))
        keywords = {str(key): value for key, value in spec.items() if key not in _NOT_ARGUMENTS}
        dotted = dotted.removeprefix("ext://").replace(":", ".")
        yield outlet(dotted, Given(keywords), f"{name} ({dotted})", Place(configured.path, line), own)


def configurations_in_data(file: SourceFile) -> Iterator[Configured]:
    """Yield the configuration that a YAML or JSON file is, or that stands under a key of it.

    Args:
        file: a `.yaml`, `.yml` or `.json` file.
    """
    if "handlers" not in file.text or "version" not in file.text:
        return
    try:
        roots = [root for root in yaml.compose_all(file.text, yaml.SafeLoader) if root is not None]
    except (yaml.YAMLError, RecursionError, ValueError):
        return
    for root in roots:
        for node in (root, *_children(root)):
            if is_configuration(value := _Values().plain(node)):
                yield Configured(value, _handler_lines(node), file.path)
                return


def handlers_in_ini(file: SourceFile, own: Mapping[str, OwnClass]) -> Iterator[Outlet]:
    """Yield each handler of a file that `fileConfig` takes.

    Args:
        file: an `.ini`, `.cfg` or `.conf` file.
        own: the project's own handler classes.
    """
    if "[handlers]" not in file.text:
        return
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(file.text)
    except configparser.Error:
        return
    for section in parser.sections():
        name = section.removeprefix("handler_")
        if name == section or not (written := parser.get(section, "class", fallback="")):
            continue
        # `fileConfig` looks a bare name up in `logging`.
        dotted = written if "." in written and not written.startswith("handlers.") else f"logging.{written}"
        if dotted in PASS_ON:
            continue
        found = re.search(rf"^\[{re.escape(section)}\]", file.text, re.MULTILINE)
        place = Place(file.path, file.line_of(found.start()) if found else 1)
        yield outlet(dotted, _ini_arguments(parser, section, dotted), f"{name} ({dotted})", place, own)


def _ini_arguments(parser: configparser.RawConfigParser, section: str, dotted: str) -> Given:
    placed = _literal(parser.get(section, "args", fallback="()"))
    keywords = _literal(parser.get(section, "kwargs", fallback="{}"))
    by_place = tuple(placed) if isinstance(placed, tuple) else ()
    named = {str(key): value for key, value in keywords.items()} if isinstance(keywords, dict) else {}
    names = POSITIONAL.get(dotted, ())
    return Given({**dict(zip(names, by_place, strict=False)), **named}, () if names else by_place)


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _children(node: yaml.Node) -> list[yaml.Node]:
    return [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _handler_lines(node: yaml.Node) -> dict[str, int]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "handlers" and isinstance(value, yaml.MappingNode):
            return {str(name.value): name.start_mark.line + 1 for name, _ in value.value}
    return {}


class _Values:
    """Turns nodes into plain values; what goes beyond a bound is None, as is what a tag would construct."""

    def __init__(self) -> None:
        self._left = _NODES_MAX

    def plain(self, node: yaml.Node, depth: int = 0) -> object:
        """Return the value of a node."""
        self._left -= 1
        if self._left < 0 or depth > _DEPTH_MAX:
            return None
        if isinstance(node, yaml.MappingNode):
            return {str(key.value): self.plain(value, depth + 1) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(each, depth + 1) for each in node.value]
        return _scalar(node)


def _scalar(node: yaml.Node) -> object:
    convert: dict[str, Callable[[str], object]] = {
        "int": int,
        "float": float,
        "bool": lambda text: text.lower() in {"true", "yes", "on"},
    }
    word = node.tag.rpartition(":")[2]
    if word == "null":
        return None
    try:
        return convert.get(word, str)(node.value)
    except ValueError:
        return str(node.value)
