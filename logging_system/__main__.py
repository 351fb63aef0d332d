"""The command line: `python -m logging_system ship` takes a spool folder to Elasticsearch."""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from logging_system.gateway import command

EXIT_FAILED = 1
EXIT_USAGE = 4

# https://www.elastic.co/guide/en/elasticsearch/reference/8.19/indices-create-data-stream.html
_STREAM = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,200}")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; the process's own by default.

    Returns:
        0 when it was stopped in good order, 1 when the spool folder cannot be used.

    Raises:
        SystemExit: With 4 for a mistake in the arguments.
    """
    parser = _Parser(prog="python -m logging_system", description="Loses nothing it acknowledged.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    ship = commands.add_parser(
        "ship",
        help="take a spool folder to Elasticsearch",
        description="Tails a spool folder, delivers every record to a data stream. Prints one JSON line when "
        "it tails the folder; the store need not be up. SIGTERM ends it within 5 seconds. "
        "Exit codes: 0 stopped, 1 the folder cannot be used, 4 usage.",
    )
    add = ship.add_argument
    add("--spool", required=True, type=Path, metavar="DIR", help="the spool folder of the handlers")
    add("--elasticsearch", required=True, action="append", metavar="URL", help="a node; repeat for more")
    add("--stream", required=True, type=_stream, metavar="NAME", help="the data stream")
    add(
        "--request-timeout-seconds",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="how long one request may wait for the store (default 10)",
    )
    add("--status", type=Path, metavar="FILE", help="counters as JSON (default: in the spool folder)")
    add("--lifeline", action="store_true", help="end when standard input reaches its end")
    serve = commands.add_parser(
        "serve",
        help="take logs from other processes over HTTP",
        description="Takes NDJSON (POST /v1/ndjson) and OTLP/HTTP logs (POST /v1/logs); 200 means that they "
        "are durable in the spool. Prints one JSON line with its URL when it takes requests. GET /healthz, "
        "/readyz, /stats. SIGTERM ends it within 5 seconds. Exit codes: 0 stopped, 1 cannot serve, 4 usage.",
    )
    command.add_arguments(serve)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    return command.run(options) if options.command == "serve" else _ship(options, ship)


def _ship(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from logging_system.shipper import Shipper
    from logging_system.sinks.elasticsearch import ElasticsearchSink
    from logging_system.spool.reader import SpoolBusyError

    try:
        sink = ElasticsearchSink(
            options.elasticsearch, options.stream, request_timeout_seconds=options.request_timeout_seconds
        )
    except ValueError as error:
        parser.error(f"--elasticsearch: {error}")
    try:
        shipper = Shipper(options.spool, sink, status_path=options.status)
    except SpoolBusyError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"--spool {options.spool}: {error.strerror}; name a folder this user may write to")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: shipper.stop())
    if options.lifeline:
        threading.Thread(target=_follow_lifeline, args=(shipper.stop,), daemon=True).start()
    _say_ready()
    shipper.run()
    sink.close()
    return 0


def _follow_lifeline(stop: Callable[[], None]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop()


def _say_ready() -> None:
    import os

    sys.stdout.write(json.dumps({"ready": True, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _fail(message: str) -> int:
    sys.stderr.write(f"python -m logging_system ship: {message}\n")
    return EXIT_FAILED


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return seconds


def _stream(text: str) -> str:
    if not _STREAM.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no data stream name: lower case, digits, '-', '_' and '.'"
        )
    return text


if __name__ == "__main__":
    sys.exit(main())
