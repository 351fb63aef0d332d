"""Each program whose port is taken says so in the same words, with the remedy, and ends with 7."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["transit_lite", "tcp_proxy", "http_interceptor", "webhook_receiver"])
def test_a_taken_port_is_told_with_the_remedy(name: str, tmp_path: Path) -> None:
    more = ["--data", str(tmp_path / "received.ndjson")] if name == "webhook_receiver" else []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = subprocess.run(
            [sys.executable, "-m", f"harness.programs.{name}", "--port", str(port), *more],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "TRANSIT_TOKEN": "root"},
        )

    assert finished.returncode == 7
    assert finished.stderr == f"127.0.0.1:{port}: Address already in use; choose another --port, or 0\n"
