"""The command line of the webhook receiver."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvloop

from harness.programs.durable_lines import DurableLines
from harness.programs.serving import UNAVAILABLE, cannot_listen, listen, serve_until_told
from harness.programs.webhook_receiver.api import Api


def main() -> int:
    """Serve until told to stop; 7 when it cannot listen or use its file."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.programs.webhook_receiver",
        description="Takes webhooks: every POST is written down durably. GET /received shows them.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="file that takes what comes")
    parser.add_argument("--lifeline", action="store_true", help="exit when standard input ends")
    arguments = parser.parse_args()
    try:
        received = DurableLines(arguments.data)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{arguments.data}: no messages of this receiver ({error}); name another file\n")
        return UNAVAILABLE
    try:
        listener = listen(arguments.host, arguments.port)
    except OSError as error:
        return cannot_listen(arguments.host, arguments.port, error)
    uvloop.run(serve_until_told(Api(received).application(), listener, arguments.lifeline))
    return 0


if __name__ == "__main__":
    sys.exit(main())
