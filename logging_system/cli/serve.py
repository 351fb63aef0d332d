"""`serve`: takes logs from other processes over HTTP, until a signal ends it."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.cli.parser import fail
from logging_system.gateway.limits import DEFAULT_PORT, DEFAULT_SPOOL_BYTES_MAX, Limits

if TYPE_CHECKING:
    from logging_system.cli.parser import Parser, Subcommands
    from logging_system.config.settings import Settings
    from logging_system.records.processors import Chain

_NAME = "serve"

_RETENTION = "give up records in the spool {}, though they were answered with 200 (default: none)"
_DEFAULT = "(default %(default)s)"


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        _NAME,
        help="take logs from other processes over HTTP",
        description="Takes NDJSON (POST /v1/ndjson) and OTLP/HTTP logs (POST /v1/logs); 200 means that they "
        "are durable in the spool. Prints one JSON line with its URL when it takes requests. GET /healthz, "
        "/readyz, /stats, /metrics. SIGTERM ends it within 5 seconds. Exit codes: 0 stopped, 1 cannot "
        "serve, 4 usage.",
    )
    parser.set_defaults(run=_serve, parser=parser)
    flag = parser.add_argument
    flag(
        "--spool",
        required=True,
        type=Path,
        metavar="DIR",
        help="the spool folder; `ship` takes it to the store",
    )
    flag("--host", default="127.0.0.1", help=f"the address to listen on {_DEFAULT}")
    flag(
        "--port", type=_port, default=DEFAULT_PORT, help=f"the port, OTLP/HTTP's; 0 for a free one {_DEFAULT}"
    )
    flag("--token-file", type=Path, metavar="FILE", help="bearer tokens that may send, one a line; mode 0600")
    flag("--open-to-all", action="store_true", help="allow an address beyond this machine without tokens")
    flag("--certificate", type=Path, metavar="FILE", help="the server's certificate chain, PEM: serve TLS")
    flag("--key", type=Path, metavar="FILE", help="its key, PEM, where the chain's file does not hold it")
    defaults = Limits()
    _add_limit(parser, "--body-bytes-max", defaults.body_bytes_max, "bytes of a body, also once unpacked")
    _add_limit(parser, "--record-bytes-max", defaults.record_bytes_max, "bytes of one line or record")
    flag(
        "--body-seconds-max",
        type=_seconds,
        default=defaults.body_seconds_max,
        metavar="S",
        help=f"how long a body may take to arrive {_DEFAULT}",
    )
    _add_limit(parser, "--pending-bytes-max", defaults.pending_bytes_max, "bytes waiting for the disk")
    _add_limit(parser, "--connections-max", defaults.connections_max, "connections served at once")
    _add_limit(parser, "--spool-bytes-max", DEFAULT_SPOOL_BYTES_MAX, "bytes of the spool; when full, 429")
    flag("--retention-seconds", type=_seconds, metavar="S", help=_RETENTION.format("that are older"))
    flag(
        "--processors",
        metavar="P,P",
        help="what is done to every record before it is kept, in order (LOGGING_SYSTEM_PROCESSORS)",
    )
    flag("--labels", metavar="K=V,K=V", help="labels that every record gets (LOGGING_SYSTEM_LABELS)")
    flag("--retention-bytes", type=_count, metavar="N", help=_RETENTION.format("beyond so many bytes"))


def _serve(options: argparse.Namespace) -> int:
    from logging_system.config.settings import codecs_of, retention_of
    from logging_system.gateway.server import ExposureError, Service, serve
    from logging_system.gateway.tokens import TokenFileError

    settings, chain = _settings(options)
    service = Service(
        spool=options.spool,
        chain=chain,
        codecs=codecs_of(settings),
        host=options.host,
        port=options.port,
        token_file=options.token_file,
        open_to_all=options.open_to_all,
        certificate=options.certificate,
        key=options.key,
        spool_bytes_max=options.spool_bytes_max,
        retention=retention_of(options.retention_seconds, options.retention_bytes, options.spool_bytes_max),
        limits=Limits(
            body_bytes_max=options.body_bytes_max,
            record_bytes_max=options.record_bytes_max,
            body_seconds_max=options.body_seconds_max,
            pending_bytes_max=options.pending_bytes_max,
            connections_max=options.connections_max,
        ),
    )
    try:
        return serve(service, _say_ready)
    except ExposureError as error:
        return fail(_NAME, f"--host {error}: --token-file FILE, or --open-to-all")
    except TokenFileError as error:
        return fail(_NAME, f"--token-file {error}")
    except OSError as error:
        return fail(_NAME, f"{error.filename or options.host}: {error.strerror or error}")


def _settings(options: argparse.Namespace) -> tuple[Settings, Chain]:
    """Return the settings and what is done to every record; a mistake in that ends the process."""
    from logging_system.config.settings import chain_of, load_settings
    from logging_system.records.processors import ProcessorError

    parser: Parser = options.parser
    given = {name: getattr(options, name) for name in ("processors", "labels")}
    loaded = load_settings(given, written="--{}".format)
    if problems := [problem for problem in loaded.problems if problem.hides_processors]:
        parser.error("; ".join(map(str, problems)))
    try:
        return loaded.settings, chain_of(loaded.settings)
    except ProcessorError as error:
        parser.error(f"{loaded.where('processors')}: {error}")


def _say_ready(url: str) -> None:
    sys.stdout.write(json.dumps({"ready": True, "url": url}) + "\n")
    sys.stdout.flush()


def _add_limit(parser: argparse.ArgumentParser, name: str, default: int, what: str) -> None:
    parser.add_argument(name, type=_count, default=default, metavar="N", help=f"{what} {_DEFAULT}")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port; 0 to 65535")
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return count


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return seconds
