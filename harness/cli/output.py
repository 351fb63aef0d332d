"""Standard output and standard error as they may be: closed, full, without a reader, in any encoding.

A run's verdict is in its files, so what goes wrong with a stream is said and never changes what was found.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
import sys
from contextlib import suppress
from io import TextIOWrapper

import click

from harness.reporting.escaping import ASCII_FOR

_STANDARD = 3
_SIZE = re.compile("0*[1-9][0-9]{0,5}")
_PLAIN = "logquake.plain"
CLOSED = OSError(errno.EBADF, "standard output is closed")


class UnheardError(Exception):
    """What was said could not be written; `exit_code` is for a command whose only product it was.

    Args:
        error: what the system said.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        # Nobody wants to hear a pipe's writer any more; elsewhere the machine lacks room.
        self.exit_code = 3 if error.errno == errno.EPIPE else 7
        why = "its reader has closed it" if error.errno == errno.EPIPE else (error.strerror or str(error))
        self.sentence = f"the output could not be written: {why}"


def prepare_streams() -> None:
    """Let no stream break the command: those that are closed lead nowhere, odd characters are spelled.

    A size of the terminal that is no number, or zero, is as if it had not been claimed. What is started in
    turn writes into logs, which are read as UTF-8. Where a runner of GitHub Actions reads what is printed,
    it finds no command of its own in it.

    A number that is closed at the start would be given to the next file opened, a result or a history, and
    whatever a child prints would land in it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < _STANDARD:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    codecs.register_error(_PLAIN, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_PLAIN)
    for name in ("COLUMNS", "LINES"):
        if not _SIZE.fullmatch(os.environ.get(name, "")):
            # Rich takes any digit of Unicode for a number, and fails on it.
            os.environ.pop(name, None)
    os.environ.pop("PYTHONIOENCODING", None)
    if "GITHUB_ACTIONS" in os.environ:
        from harness.cli.runner_streams import disarm_streams

        disarm_streams()


def say(text: str, *, newline: bool = True) -> None:
    """Print what the command was asked for on standard output.

    Raises:
        UnheardError: it cannot be written.
    """
    if sys.stdout is None:
        raise UnheardError(CLOSED)
    try:
        click.echo(text, nl=newline)
    except OSError as error:
        raise UnheardError(error) from error


def note(text: str) -> None:
    """Print a remark on standard error, or nothing where that cannot be written."""
    try:
        click.echo(text, err=True)
    except OSError:
        silence()


def silence() -> None:
    """Lead what cannot be written nowhere: else the interpreter tries again at its end, with its own code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        with suppress(OSError):
            stream.flush()
            continue
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return how a character is written that the stream's encoding lacks; a path's bytes as they are."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    # A byte alone is no character of UTF-16 or UTF-32, which would refuse it.
    if "a".encode(error.encoding) == b"a" and all("\udc80" <= one <= "\udcff" for one in text):
        return text.encode("ascii", "surrogateescape"), error.end
    return text.translate(ASCII_FOR).encode("ascii", "backslashreplace").decode("ascii"), error.end
