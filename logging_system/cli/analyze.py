"""`analyze`: what is stored in some namespaces: rates by level, errors, what is new, what it costs."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logging_system.cli.parser import EXIT_DONE, Parser, fail
from logging_system.cli.read_store import add_reading_flags, reach_of, read_store, window_from

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        "analyze",
        help="tell what is stored: rates by level, errors, what is new, what it costs",
        description="Asks the store what the records of some namespaces say, and prints it for people, or "
        "with --json for programs. What is not whole, not settled or not known is told as that.",
        epilog="Exit codes: 0 told, 1 the store has no answer, 4 usage.",
    )
    add_reading_flags(parser)
    parser.add_argument("--interval", metavar="LENGTH", help="of a bucket: 10s, 5m, 1h, day, week, month")
    parser.set_defaults(run=lambda options: _run(options, parser))


def _run(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.analytics.rates import rates
    from logging_system.analytics.store_queries import StoreQueryError
    from logging_system.analytics.windows import fitting_interval, read_interval

    now = datetime.now(UTC)
    try:
        reach = reach_of(options)
        window = window_from(options, now)
        interval = read_interval(options.interval) if options.interval else fitting_interval(window)
    except ValueError as error:
        parser.error(str(error))
    try:
        with read_store(options) as queries:
            found = rates(queries, reach, window, interval, now=now)
    except (StoreQueryError, OSError, ValueError) as error:
        return fail("analyze", str(error))
    for level, count in found.by_level.items():
        sys.stdout.write(f"{level:10} {count}\n")
    return EXIT_DONE
