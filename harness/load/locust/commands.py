"""The lines that a Locust process obeys on standard input, as the application does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from gevent.fileobject import FileObject


def obey(commands: Mapping[str, Callable[[int], None]]) -> None:
    """Do what each line says, until `finish` or the end of input, which means that the harness died.

    Args:
        commands: what to do, by the first word of a line; takes the moment that follows it, in ns. A word
            that is not among them is for others.
    """
    # Of gevent, so that waiting for a line keeps no user from sending.
    with FileObject(sys.stdin.fileno(), "r", closefd=False) as lines:
        for line in lines:
            word, _, at_ns = line.strip().partition(" ")
            if word == "finish":
                return
            if word in commands:
                commands[word](int(at_ns))
