"""The command line of the TCP proxy."""

from __future__ import annotations

import argparse
import resource
import sys

import uvloop

from harness.programs.serving import cannot_listen
from harness.programs.tcp_proxy.server import CONNECTIONS_MAX, Settings, serve


def main() -> int:
    """Serve until told to stop; 7 when the API's address cannot be listened on."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.programs.tcp_proxy",
        description="A TCP fault proxy that speaks Toxiproxy's HTTP API.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address of the API (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8474, help="port of the API; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--lifeline", action="store_true", help="exit when standard input ends")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="decides toxicity and jitter in strict mode; else ignored, as in Toxiproxy",
    )
    parser.add_argument(
        "--strict", action="store_true", help="repair Toxiproxy's quirks instead of repeating them"
    )
    arguments = parser.parse_args()
    settings = Settings(arguments.host, arguments.port, arguments.lifeline, arguments.seed, arguments.strict)
    _allow_open_files(2 * CONNECTIONS_MAX + 256)
    try:
        uvloop.run(serve(settings))
    except OSError as error:
        return cannot_listen(settings.host, settings.port, error)
    return 0


def _allow_open_files(wanted: int) -> None:
    """Raise the soft limit towards what all connections need: usual limits end at a few hundred of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


if __name__ == "__main__":
    sys.exit(main())
