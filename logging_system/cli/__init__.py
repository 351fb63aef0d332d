"""The command line: a table of subcommands, each a module with `add`."""

from __future__ import annotations

import logging

from logging_system.cli import (
    alerts,
    analyze,
    console,
    coordination,
    decrypt,
    findings,
    keys,
    mask,
    metrics,
    search,
    serve,
    ship,
    spool,
    templates,
    trace,
    watch,
)
from logging_system.cli.parser import Parser
from logging_system.cli.version import ShowVersion

COMMANDS = (
    *(ship, serve, watch, console, alerts, findings, coordination, analyze, search, templates),
    *(metrics, spool, trace, mask, keys, decrypt),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; the process's own by default.

    Returns:
        The exit code: 0 done, 1 it could not be done or something is wrong.

    Raises:
        SystemExit: With 4 for a mistake in the arguments or settings.
    """
    parser = Parser(
        prog="python -m logging_system",
        description="Ship, serve, watch, show and inspect logs, try masking, learn templates, keep keys.",
        epilog="Exit codes: 0 done, 1 failed or problems found, 4 invalid arguments or settings.",
    )
    parser.add_argument(
        "--version", action=ShowVersion, help="show the version and what it runs on, and exit"
    )
    subcommands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    for command in COMMANDS:
        command.add(subcommands)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    exit_code: int = options.run(options)
    return exit_code
