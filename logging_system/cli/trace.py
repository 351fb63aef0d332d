"""`trace`: shows the way of log lines from the application to the index, from the file `traces_file`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.cli.parser import EXIT_DONE, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands

_TRACES_SHOWN_MAX = 10


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        "trace",
        help="show the way of log lines from the application to the index",
        description=f"Draws the latest {_TRACES_SHOWN_MAX} traces of a file of spans, or one trace: what was "
        "done to the records that were logged in it, when, and how long it took. The setting traces_file "
        "makes such a file.",
        epilog="Exit codes: 0 shown, 1 the file cannot be read or has no such trace, 4 usage.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="spans as OTLP's JSON, one request a line")
    parser.add_argument("trace_id", nargs="?", default="", metavar="TRACE_ID", help="trace.id of a record")
    parser.set_defaults(run=lambda options: _run(options, parser))


def _run(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.monitoring.trace_tree import spans_of, trees

    wanted = options.trace_id.lower()
    if wanted and not re.fullmatch("[0-9a-f]{32}", wanted):
        parser.error(f"{options.trace_id!r} is no trace id; it has 32 hexadecimal digits, as trace.id has")
    try:
        with options.file.open("rb") as lines:
            drawn = trees(spans_of(lines), wanted)
    except (OSError, ValueError) as error:
        return fail("trace", f"{options.file}: {getattr(error, 'strerror', None) or error}")
    if not drawn:
        which = f"trace {wanted}" if wanted else "a span that records were logged in"
        return fail("trace", f"{options.file}: nothing linked to {which}; was it sampled (traces_sampled)?")
    sys.stdout.write("\n\n".join(drawn[-_TRACES_SHOWN_MAX:]) + "\n")
    return EXIT_DONE
