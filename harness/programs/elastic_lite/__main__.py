"""Starts the server: `python -m harness.programs.elastic_lite --port N --data FOLDER`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from harness.programs.elastic_lite.api.app import Application
from harness.programs.elastic_lite.api.http import Server
from harness.programs.elastic_lite.language.errors import DataFolderError
from harness.programs.elastic_lite.storage.database import Storage

BODY_BYTES_MAX = 100 * 1024 * 1024
STOP_SECONDS = 1.0
UNAVAILABLE = 7
LISTENING_MAX = 1024


class ReadyServer(uvicorn.Server):
    """Prints where it serves, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, then say so in one line."""
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        ready = {"ready": True, "url": f"http://{host}:{port}", "pid": os.getpid()}
        print(json.dumps(ready), flush=True)


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m harness.programs.elastic_lite", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="made when missing")
    parser.add_argument(
        "--body-bytes-max", type=int, default=BODY_BYTES_MAX, help="larger bodies are answered 413"
    )
    parser.add_argument("--lifeline", action="store_true", help="exit when standard input ends")
    return parser.parse_args(arguments)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known before anything is served.

    It is made as TCP by name: asyncio gives TCP_NODELAY to what is accepted only where the listener says so.

    Raises:
        OSError: The address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


def watch_lifeline(server: uvicorn.Server) -> None:
    """Ask the server to stop when standard input ends: whoever started it is gone."""

    def watch() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        server.should_exit = True

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def main(arguments: list[str]) -> int:
    """Serve until told to stop.

    Returns:
        The exit code: 0 after a stop, 7 when the address or the data folder cannot be used.
    """
    options = parse_arguments(arguments)
    try:
        storage = Storage(options.data)
    except DataFolderError as error:
        return complain(str(error))
    try:
        bound = listen(options.host, options.port)
    except OSError as error:
        storage.close()
        return complain(
            f"{options.host}:{options.port}: cannot listen ({error}). Choose another --port, or 0."
        )
    server = Server(storage)
    config = uvicorn.Config(
        Application(server, options.body_bytes_max),
        loop="uvloop",
        lifespan="off",
        log_level="error",
        access_log=False,
        backlog=LISTENING_MAX,
        server_header=False,
        date_header=False,
        timeout_keep_alive=3600,  # Elasticsearch keeps idle connections; closing them would look like a fault
        timeout_graceful_shutdown=int(STOP_SECONDS),
    )
    serving = ReadyServer(config)
    if options.lifeline:
        watch_lifeline(serving)
    # uvicorn stops on these signals and raises them again at its end, which must not look like a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    serving.run(sockets=[bound])
    server.close(STOP_SECONDS / 2)
    return 0


def complain(what: str) -> int:
    """Say on standard error why the server does not start."""
    print(f"elastic_lite: {what}", file=sys.stderr)
    return UNAVAILABLE


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    # A normal exit would first wait for searches that still run on threads, as long as they take.
    os._exit(code)
