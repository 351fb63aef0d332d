"""The command line of the interceptor."""

from __future__ import annotations

import argparse
import sys

import uvloop

from harness.programs.http_interceptor.server import HOST, serve
from harness.programs.serving import cannot_listen


def main() -> int:
    """Serve until told to stop; 7 when the API's address cannot be listened on."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.programs.http_interceptor",
        description="An HTTP proxy in front of an Elasticsearch that bends its answers.",
    )
    parser.add_argument(
        "--port", type=int, default=8475, help="port of the API; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--lifeline", action="store_true", help="exit when standard input ends")
    arguments = parser.parse_args()
    try:
        uvloop.run(serve(arguments.port, arguments.lifeline))
    except OSError as error:
        return cannot_listen(HOST, arguments.port, error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
