"""The console that scorecards and progress are drawn on, whatever the terminal claims to be."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from rich.console import Console

_COLUMNS_MIN = 40


class FrankConsole(Console):
    """A console that passes on that its reader has gone; rich would exit with the code of a failed gate.

    It is a terminal, `is_terminal`, where standard output is one or FORCE_COLOR asks for what one gets.
    """

    def on_broken_pipe(self) -> None:
        """Raise what was met, for the one place that makes exit codes."""
        raise BrokenPipeError


def living_console() -> Console | None:
    """Return a console on standard error whose lines can be drawn anew in their place, None where none can.

    Drawing anew goes up as many lines as were drawn, so no line may be wider than the terminal is.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    console = FrankConsole(stderr=True)
    with suppress(OSError):
        real = os.get_terminal_size(sys.stderr.fileno()).columns
        # COLUMNS may claim more than there is.
        if 0 < real < console.width:
            console.width = real
    # Elsewhere what cuts a line, an ellipsis, is spelled in three characters.
    capable = console.is_interactive and console.encoding.startswith("utf-8")
    return console if capable and console.width >= _COLUMNS_MIN else None
