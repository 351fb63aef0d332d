"""The command line of the key server."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import orjson
import uvloop

from harness.programs.serving import UNAVAILABLE, cannot_listen, listen, serve_until_told
from harness.programs.transit_lite.api import Api
from harness.programs.transit_lite.vault import Vault

TOKEN_VARIABLE = "TRANSIT_TOKEN"  # noqa: S105  # a name, not a token


def main() -> int:
    """Serve until told to stop; 7 when it cannot listen or use its file, 4 without a root token."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.programs.transit_lite",
        description="A key server that speaks the part of Vault's API that wrapping data keys needs. "
        f"Its root token is what the environment variable {TOKEN_VARIABLE} holds.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8200, help="port; 0 takes a free one")
    parser.add_argument("--data", type=Path, help="file of its keys; without it they are in memory alone")
    parser.add_argument("--lifeline", action="store_true", help="exit when standard input ends")
    arguments = parser.parse_args()
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        sys.stderr.write(f"{TOKEN_VARIABLE}: not set; give the root token there\n")
        return 4
    try:
        vault = Vault(token, arguments.data)
    except (OSError, orjson.JSONDecodeError, LookupError) as error:
        sys.stderr.write(f"{arguments.data}: no keys of this server ({type(error).__name__}); name another\n")
        return UNAVAILABLE
    try:
        listener = listen(arguments.host, arguments.port)
    except OSError as error:
        return cannot_listen(arguments.host, arguments.port, error)
    uvloop.run(serve_until_told(Api(vault).application(), listener, arguments.lifeline))
    return 0


if __name__ == "__main__":
    sys.exit(main())
