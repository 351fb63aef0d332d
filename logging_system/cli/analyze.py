"""`analyze`: what is stored in some namespaces: rates by level, errors, what is new, what it costs."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logging_system.cli.analyze_every import SECONDS_MAX, SECONDS_MIN, ask_again_and_again
from logging_system.cli.parser import EXIT_DONE, EXIT_FAILED, Parser, fail
from logging_system.cli.read_store import StoreUnnamedError, add_reading_flags, reading, times_from
from logging_system.cli.visible_text import visible_json

if TYPE_CHECKING:
    from logging_system.analytics import Analytics, Reach, Window
    from logging_system.cli.parser import Subcommands

PARTS = ("rates", "latency", "errors", "noisiest", "storage")
_COMPARED_SECONDS = 3600.0


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        "analyze",
        help="tell what is stored: rates by level, errors, what is new, what it costs",
        description="Asks the store what the records of some namespaces say, and prints it for people, or "
        "with --json for programs. What is not whole, not settled or not known is told as that.",
        epilog="Exit codes: 0 told, 1 the store has no answer or only a part of one, 4 usage.",
    )
    add_reading_flags(parser)
    parser.add_argument("--interval", metavar="LENGTH", help="of a bucket: 10s, 5m, 1h, day, week, month")
    parser.add_argument(
        "--deploy",
        metavar="TIME",
        help="also compare before and after this moment, at most an hour of each: rates, errors, what is new",
    )
    parser.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        help="tell only this; repeat the flag for more. Default: everything",
    )
    parser.add_argument(
        "--status",
        metavar="FILE",
        type=Path,
        help="status-shipper.json, for delays and what is not delivered",
    )
    parser.add_argument(
        "--outage",
        metavar="FROM/TO",
        action="append",
        default=[],
        help="when the pipeline was down: what is empty then is told as a gap. Repeat the flag for more",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--every",
        metavar="SECONDS",
        type=float,
        help="go on until a signal: one JSON line with the records by level of each namespace, from a cache "
        "while nothing changed, and the last one with its age while the store is down",
    )
    parser.set_defaults(run=lambda options: _run(options, parser))


def _run(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.analytics.as_json import as_json
    from logging_system.analytics.reach import ForeignAnswerError
    from logging_system.analytics.store_queries import StoreQueryError
    from logging_system.analytics.windows import read_interval, read_moment

    now = datetime.now(UTC)
    try:
        window, reach = times_from(options, now)
        if options.every is not None:
            return ask_again_and_again(_checked(options, reach), reach, window.since)
        options.read_interval = read_interval(options.interval) if options.interval else None
        deploy = read_moment(options.deploy, now, options.time_zone) if options.deploy else None
        outages = [*_outages(options, now), *_undelivered(options.status, now)]
    except ValueError as error:
        parser.error(str(error))
    if deploy is not None and deploy >= now:
        parser.error(f"--deploy {options.deploy} is not past; nothing can be compared yet")
    try:
        with reading(options, reach, now, outages=outages) as analytics:
            answers = dict(_answers(analytics, window, options, deploy))
    except StoreUnnamedError as error:
        parser.error(str(error))
    except (StoreQueryError, ForeignAnswerError, OSError, ValueError) as error:
        return fail("analyze", str(error))
    if options.json:
        sys.stdout.write(visible_json(as_json(answers), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(_in_words(answers)) + "\n")
    is_partial = any(getattr(each, "partial", None) is not None for each in answers.values())
    return EXIT_FAILED if is_partial else EXIT_DONE


def _checked(options: argparse.Namespace, reach: Reach) -> argparse.Namespace:
    """Return the flags of `--every`; raises ValueError where they do not go together."""
    if not SECONDS_MIN <= options.every <= SECONDS_MAX:
        raise ValueError(f"--every {options.every:g}: from {SECONDS_MIN:g} to {SECONDS_MAX:g} seconds")
    if not reach.namespaces:
        raise ValueError("--every counts each namespace by itself; name them with --namespace")
    if options.until != "now" or options.only or options.deploy:
        raise ValueError("--every goes with --since alone: it counts up to now, and tells nothing else")
    return options


def _answers(
    analytics: Analytics, window: Window, options: argparse.Namespace, deploy: datetime | None
) -> Iterator[tuple[str, Any]]:
    wanted = options.only or PARTS
    if "rates" in wanted:
        yield "rates", analytics.rates(window, options.read_interval)
    if "latency" in wanted:
        yield "latency", _latency(analytics, window, options.status)
    if "errors" in wanted:
        yield "errors", analytics.error_templates(window)
    if "noisiest" in wanted:
        yield "noisiest", analytics.noisiest(window)
    if deploy is not None:
        before, after = analytics.sides(deploy, _COMPARED_SECONDS)
        yield "comparison", analytics.compare(deploy, _COMPARED_SECONDS)
        yield "new_errors", analytics.new_error_templates(before, after)
        yield "new_loggers", analytics.new_loggers(before, after)
    if "storage" in wanted:
        yield "storage", analytics.storage()


def _latency(analytics: Analytics, window: Window, status: Path | None) -> Any:
    from logging_system.analytics.latency import latency_of_shipper
    from logging_system.monitoring.readings import read_delays

    delays = read_delays(status) if status is not None else None
    told = latency_of_shipper(delays) if delays is not None else None
    return told or analytics.latency(window)


def _in_words(answers: dict[str, Any]) -> Iterator[str]:
    from logging_system.analytics import in_words

    for name, answer in answers.items():
        lines: Iterable[str]
        if name == "errors":
            lines = in_words.templates_in_words(answer, "error templates")
        elif name == "new_errors":
            lines = in_words.new_templates_in_words(answer)
        else:
            lines = getattr(in_words, f"{name}_in_words")(answer)
        yield from lines


def _outages(options: argparse.Namespace, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    from logging_system.analytics.windows import read_moment

    for text in options.outage:
        first, slash, last = text.partition("/")
        if not slash:
            raise ValueError(f"--outage {text}: write FROM/TO, such as 2026-11-30T14:00/2026-11-30T14:10")
        yield read_moment(first, now, options.time_zone), read_moment(last, now, options.time_zone)


def _undelivered(status: Path | None, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield since when records wait for delivery by a shipper's file: what is empty since is no zero."""
    if status is None:
        return
    from logging_system.monitoring.readings import read_spool

    found = read_spool(status.parent, status, now.timestamp())
    ages = [each.value for each in found if each.metric.name == "oldest_undelivered_age_seconds"]
    with contextlib.suppress(OverflowError, OSError):
        for age_seconds in ages:
            if isinstance(age_seconds, int | float) and age_seconds > 0:
                yield datetime.fromtimestamp(now.timestamp() - age_seconds, UTC), now
