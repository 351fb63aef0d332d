"""Reads the file of workflows: each mistake with its line, what is wrong, and the remedy."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from logging_system.config.declared_file import parse_declared, read_declared
from logging_system.config.declared_mistakes import mistakes
from logging_system.coordination.workflows.declaration import Workflows

_KINDS = {"steps": "set_level"}


class WorkflowsFileError(ValueError):
    """The file cannot be used; the message has a line for each mistake."""


def load_workflows(path: Path) -> Workflows:
    """Return what a file declares.

    Args:
        path: The file.

    Raises:
        WorkflowsFileError: What is wrong, where, and what would be right.
    """
    return parsed_workflows(path, read_declared(path, "workflows", WorkflowsFileError))


def parsed_workflows(path: Path, data: bytes) -> Workflows:
    """Return what the bytes of a file declare.

    Args:
        path: The file, for messages; it is not read.
        data: What is in it.

    Raises:
        WorkflowsFileError: What is wrong, where, and what would be right.
    """
    content, lines = parse_declared(path, data, "workflows", WorkflowsFileError)
    try:
        return Workflows.model_validate(content)
    except ValidationError as error:
        raise WorkflowsFileError("\n".join(mistakes(error, path, lines, Workflows, _KINDS))) from error
