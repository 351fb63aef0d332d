"""What the subcommands share: the exit codes, and how a mistake and readiness are told."""

from __future__ import annotations

import argparse
import json
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from logging_system.cli.visible_text import visible

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 4

if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction["Parser"]


class Parser(argparse.ArgumentParser):
    """A parser that ends with 4 for a mistake, as 2 is what an interrupted program ends with."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Say which of an argument's choices was meant, where argparse would list all of them."""
        choices = [each for each in action.choices or () if isinstance(each, str)]
        close = get_close_matches(str(value).lower(), choices, n=1)
        if close and value not in choices:
            raise argparse.ArgumentError(action, f'no "{value}"; did you mean "{close[0]}"?')
        super()._check_value(action, value)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read on."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


def note(command: str, message: str) -> None:
    """Say something on standard error.

    Args:
        command: The subcommand that says it.
        message: One line or more.
    """
    # A store's reason quotes what somebody logged: nothing of it may move the cursor.
    shown = "\n".join(map(visible, message.split("\n")))
    sys.stderr.write(f"python -m logging_system {command}: {shown}\n")


def fail(command: str, message: str) -> int:
    """Say on standard error why a command could not do its work.

    Returns:
        The exit code for it.
    """
    note(command, message)
    return EXIT_FAILED


def say_ready(**facts: object) -> None:
    """Say on standard output, as one JSON line, that a command serves now.

    Args:
        facts: What else the line says, by name, each as JSON can hold it.
    """
    sys.stdout.write(json.dumps({"ready": True, **facts}) + "\n")
    sys.stdout.flush()
