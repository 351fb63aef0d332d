"""Reads a settings file: one YAML mapping of names to values, each with the line it stands on."""

from __future__ import annotations

from pathlib import Path

import yaml

FILE_BYTES_MAX = 256 * 1024
_QUOTED_CHARACTERS_MAX = 200

Content = dict[str, tuple[object, int]]


class SettingsFileError(Exception):
    """The file cannot be read as settings."""


def read_settings_file(path: Path) -> Content:
    """Return the values of a settings file, each with its line, counted from 1.

    Raises:
        SettingsFileError: The file cannot be read, is larger than 256 KiB, or is no YAML mapping.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SettingsFileError(f"{path}: {error.strerror}; name a file this user may read") from error
    if len(data) > FILE_BYTES_MAX:
        raise SettingsFileError(f"{path}: larger than {FILE_BYTES_MAX} bytes; is this the settings file?")
    try:
        return parse_settings(data)
    except SettingsFileError as error:
        raise SettingsFileError(f"{path}: {error}") from error


def parse_settings(data: bytes) -> Content:
    """Return the values in the bytes of a settings file.

    Args:
        data: The whole file; an empty one has no values.

    Raises:
        SettingsFileError: They are no YAML mapping of names.
    """
    loader: yaml.SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(data)
        root = loader.get_single_node()
        return {} if root is None else _values(loader, root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise SettingsFileError(f"{place}no YAML: {problem[:_QUOTED_CHARACTERS_MAX]}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _values(loader: yaml.SafeLoader, root: yaml.Node) -> Content:
    if not isinstance(root, yaml.MappingNode):
        raise SettingsFileError("line 1: expected lines of the form `name: value`")
    content: Content = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or len(key.value) > _QUOTED_CHARACTERS_MAX:
            raise SettingsFileError(f"line {line}: a setting's name is a word")
        if key.value in content:
            raise SettingsFileError(f"line {line}: {key.value} is set twice; keep one")
        content[key.value] = (_value(loader, value, line), line)
    return content


def _value(loader: yaml.SafeLoader, node: yaml.Node, line: int) -> object:
    try:
        return loader.construct_object(node, deep=True)
    except yaml.YAMLError:
        raise
    except Exception as error:
        # Where a tag does not fit its value, PyYAML raises whatever its code runs into.
        kind = node.tag.rpartition(":")[2][:_QUOTED_CHARACTERS_MAX]
        reason = str(error)[:_QUOTED_CHARACTERS_MAX]
        raise SettingsFileError(f"line {line}: the value is no {kind}: {reason}") from error
