"""Who connects and says nothing is let go, by the gateway and by the console."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from logging_system.connections.prompt_heads import HEAD_SECONDS_MAX
from tests.stack.processes import WAIT_SECONDS, gateway_command, kill, ready_line, started


def test_the_servers_let_go_of_who_says_nothing(tmp_path: Path) -> None:
    console = [
        sys.executable,
        "-m",
        "logging_system",
        "console",
        "--spool",
        str(tmp_path),
        "--console-port",
        "0",
    ]
    with ExitStack() as stack:
        silent = []
        for command in (gateway_command(tmp_path), console):
            process = started(command)
            stack.callback(kill, process)
            where = urlsplit(str(ready_line(process)["url"]))
            assert (where.hostname, where.port is None) == ("127.0.0.1", False)
            connection = socket.create_connection(("127.0.0.1", where.port or 0), WAIT_SECONDS)
            silent.append(stack.enter_context(connection))
        began = time.monotonic()

        assert [each.recv(1) for each in silent] == [b"", b""]
        assert time.monotonic() - began > HEAD_SECONDS_MAX / 2
