"""Runs a program with a line on its standard input, bounded in time; never a shell."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence


class ProgramError(Exception):
    """There is no exit code.

    Args:
        what: The program and what happened, for people to read.
        has_begun: As the attribute.

    Attributes:
        has_begun: Whether the program was started.
    """

    def __init__(self, what: str, *, has_begun: bool) -> None:
        super().__init__(what)
        self.has_begun = has_begun


def run_program(
    words: Sequence[str], line: bytes, variables: Mapping[str, str], timeout_seconds: float
) -> int:
    """Return the code a program ends with; with all that it started it is ended when its time is over.

    Args:
        words: Program and arguments.
        line: What it can read.
        variables: Environment variables beside those of this process.
        timeout_seconds: How long it may take.

    Raises:
        ProgramError: It could not be started, or its time was over.
    """
    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **variables},
        )
    except OSError as error:
        raise ProgramError(f"{words[0]}: {error.strerror or error}", has_begun=False) from error
    try:
        process.communicate(line, timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise ProgramError(f"{words[0]}: did not end within {timeout_seconds:g} s", has_begun=True) from None
    return process.returncode
