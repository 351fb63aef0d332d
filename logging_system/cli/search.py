"""`search` and `tail`: stored lines that fit a query, and those that come."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logging_system.cli.parser import EXIT_DONE, EXIT_FAILED, Parser, fail
from logging_system.cli.read_store import StoreUnnamedError, add_reading_flags, reading, times_from
from logging_system.cli.visible_text import visible_json

if TYPE_CHECKING:
    from logging_system.analytics import Analytics, Follower, Line, Reach, Window
    from logging_system.cli.parser import Subcommands

_LINES_MAX = 100_000
_COUNT_MISSED_LOOKS = 10
_QUERY = 'such as: level:error and logger:shop.* and not message:"timed out"; see docs/reference/analytics.md'


def add(subcommands: Subcommands) -> None:
    """Add the subcommands and their flags."""
    _add_search(subcommands)
    _add_tail(subcommands)


def _add_search(subcommands: Subcommands) -> None:
    parser = subcommands.add_parser(
        "search",
        help="print stored lines that fit a query",
        description="Prints the newest lines of some namespaces that fit a query, the oldest of these first.",
        epilog="Exit codes: 0 printed, 1 the store has no answer or only a part of one, 4 usage.",
    )
    parser.add_argument("query", nargs="?", default="", metavar="QUERY", help=_QUERY)
    add_reading_flags(parser)
    parser.add_argument(
        "--lines", type=int, default=100, metavar="COUNT", help="at most. Default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print documents, one a line")
    parser.set_defaults(run=lambda options: _search(options, parser))


def _add_tail(subcommands: Subcommands) -> None:
    parser = subcommands.add_parser(
        "tail",
        help="print the latest lines, and with -f those that come",
        description="Prints the latest lines of some namespaces. With -f it goes on: each line once, and "
        "none missed that the store finds within --lateness of its time. Later ones are counted on standard "
        "error.",
        epilog="Exit codes: 0 printed, or ended by Ctrl-C, 1 the store has no answer or only a part of one, "
        "4 usage.",
    )
    parser.add_argument("query", nargs="?", default="", metavar="QUERY", help=_QUERY)
    add_reading_flags(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on with lines that come")
    parser.add_argument(
        "--lines", type=int, default=10, metavar="COUNT", help="at first. Default: %(default)s"
    )
    parser.add_argument(
        "--lateness",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="how late a line is found at most. Default: %(default)s",
    )
    parser.add_argument(
        "--every", type=float, default=1.0, metavar="SECONDS", help="between looks. Default: 1"
    )
    parser.add_argument("--json", action="store_true", help="print documents, one a line")
    parser.set_defaults(run=lambda options: _tail(options, parser))


def _asked(options: argparse.Namespace, parser: Parser) -> tuple[datetime, Window, Reach]:
    from logging_system.analytics.query_language import read_query

    now = datetime.now(UTC)
    try:
        window, reach = times_from(options, now)
        read_query(options.query)
    except ValueError as error:
        parser.error(str(error))
    if not 0 < options.lines <= _LINES_MAX:
        parser.error(f"--lines must be from 1 to {_LINES_MAX}")
    return now, window, reach


def _search(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.analytics.reach import ForeignAnswerError
    from logging_system.analytics.store_queries import StoreQueryError

    now, window, reach = _asked(options, parser)
    try:
        with reading(options, reach, now) as analytics:
            found = analytics.search(window, options.query, options.lines)
    except StoreUnnamedError as error:
        parser.error(str(error))
    except (StoreQueryError, ForeignAnswerError, OSError, ValueError) as error:
        return fail("search", str(error))
    for line in found.lines:
        _print(line, options)
    if found.count > len(found.lines):
        sys.stderr.write(f"{len(found.lines)} of {found.count} lines; --lines COUNT shows more\n")
    if found.partial is not None:
        sys.stderr.write(f"PARTIAL, there may be more than is shown: {found.partial}\n")
        return EXIT_FAILED
    return EXIT_DONE


def _tail(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.analytics.reach import ForeignAnswerError
    from logging_system.analytics.store_queries import StoreQueryError

    now, window, reach = _asked(options, parser)
    if not 0 <= options.lateness <= 3600 or not 0.05 <= options.every <= 3600:
        parser.error("--lateness must be from 0 to 3600, --every from 0.05 to 3600")
    try:
        with reading(options, reach, now, lateness_seconds=options.lateness) as analytics:
            found = analytics.search(window, options.query, options.lines)
            for line in found.lines:
                _print(line, options)
            if not options.follow:
                return EXIT_DONE if found.partial is None else EXIT_FAILED
            _follow(analytics, found.lines, now, options)
    except StoreUnnamedError as error:
        parser.error(str(error))
    except (StoreQueryError, ForeignAnswerError, OSError, ValueError) as error:
        return fail("tail", str(error))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return EXIT_DONE


def _follow(
    analytics: Analytics, shown: tuple[Line, ...], now: datetime, options: argparse.Namespace
) -> None:
    follower = analytics.follow(shown[0].moment if shown else now, options.query)
    follower.mark_shown(shown)
    missed = looks = 0
    while True:  # until Ctrl-C: that is what -f is
        for line in _looked(follower):
            _print(line, options)
        sys.stdout.flush()
        looks += 1
        if looks % _COUNT_MISSED_LOOKS == 0 and (found := _missed(follower)) > missed:
            missed = found
            sys.stderr.write(f"{missed} lines came later than --lateness and are not shown; see `search`\n")
        time.sleep(options.every)


def _looked(follower: Follower) -> Iterator[Line]:
    from logging_system.analytics.store_queries import StoreUnavailableError

    try:
        yield from follower.look(datetime.now(UTC))
    except StoreUnavailableError as error:
        # The next look shows what this one could not.
        sys.stderr.write(f"no answer, asking again: {error}\n")
        return
    if follower.partial is not None:
        sys.stderr.write(f"PARTIAL, asking again: {follower.partial}\n")


def _missed(follower: Follower) -> int:
    from logging_system.analytics.store_queries import StoreUnavailableError

    try:
        return follower.count_missed()
    except StoreUnavailableError:
        return 0


def _print(line: Line, options: argparse.Namespace) -> None:
    if options.json:
        sys.stdout.write(visible_json(line.source) + "\n")
        return
    from logging_system.analytics.in_words import line_in_words

    sys.stdout.write(line_in_words(line, options.time_zone) + "\n")
