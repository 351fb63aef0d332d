"""The command line of the mail server."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from pathlib import Path

import uvloop

from harness.programs.durable_lines import DurableLines
from harness.programs.serving import listen, serve_until_told
from harness.programs.smtp_lite.api import Api
from harness.programs.smtp_lite.mailbox import Chaos, Mailbox, session


def main() -> int:
    """Serve until told to stop; 7 when it cannot listen or use its file."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.programs.smtp_lite",
        description="Keeps every mail that it is sent, durably, and shows them by a part of Mailpit's API.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address of both ports (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=1025, help="port of SMTP (default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="file that takes what comes")
    parser.add_argument("--lifeline", action="store_true", help="exit when standard input ends")
    arguments = parser.parse_args()
    try:
        mailbox = Mailbox(DurableLines(arguments.data))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{arguments.data}: no messages of this server ({error}); name another file\n")
        return 7
    try:
        smtp = listen(arguments.host, arguments.smtp_port)
        listener = listen(arguments.host, arguments.port)
    except OSError as error:
        sys.stderr.write(f"{arguments.host}: {error.strerror or error}; choose other ports\n")
        return 7
    uvloop.run(_serve(mailbox, smtp, listener, arguments.lifeline))
    return 0


async def _serve(mailbox: Mailbox, smtp: socket.socket, listener: socket.socket, lifeline: bool) -> None:
    chaos = Chaos()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: session(mailbox, chaos, loop), sock=smtp)
    try:
        await serve_until_told(Api(mailbox, chaos).application(), listener, lifeline)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
