"""A small honest gateway, started as a process, and known-bad ones that share all but one habit with it.

    python -m harness.selftest.gateway HABIT PORT FOLDER STORE_URL INDEX

It takes NDJSON over HTTP, answers 200 once the lines are synced to a file, and hands them to the honest
shipper. What the file holds when it starts is handed on again, under the same ids.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.selftest.bugs import LetsTheStoreNameThings
from harness.selftest.shipper import HonestShipper

COMMIT_SECONDS = 0.02
"""How long a request waits for others to share its sync; so long that those due meanwhile come together."""

WRITE_BEHIND_SECONDS = 1.0


class Shipper(HonestShipper):
    """Gives each record the id that its place in the file makes."""

    def identity(self, record: logging.LogRecord) -> str:
        """Return the name that the gateway gave it."""
        return record.name


class ForgetfulShipper(Shipper, LetsTheStoreNameThings):
    """Sends without ids."""


class HonestGateway:
    """Keeps lines in a file before it says so."""

    shipper: type[HonestShipper] = Shipper

    def __init__(self, folder: Path, url: str, index: str) -> None:
        """Open the file, and hand on what it holds already."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "lines.ndjson"
        # In its ids, since others may store into the same index.
        self._name = folder.name
        self._lock = threading.Lock()
        self._shipper = self.shipper(url, index, str(folder / "shipper"))
        whole = self._path.read_bytes().rpartition(b"\n")[0] if self._path.exists() else b""
        kept = [json.loads(line) for line in whole.split(b"\n") if line]
        self._path.write_bytes(whole + b"\n" if whole else b"")
        self._file = self._path.open("ab")
        self._count = len(kept)
        self._hand_on(kept)

    def take(self, lines: Sequence[str]) -> None:
        """Return once the lines are kept."""
        time.sleep(COMMIT_SECONDS)
        self.keep(lines)

    def keep(self, lines: Sequence[str]) -> None:
        """Write the lines, sync them and hand them on."""
        with self._lock:
            named = [
                {"id": f"{self._name}-{self._count + place}", "message": line}
                for place, line in enumerate(lines)
            ]
            self._file.write(b"".join(json.dumps(line).encode() + b"\n" for line in named))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._count += len(named)
            self._hand_on(named)

    def _hand_on(self, named: Sequence[Mapping[str, str]]) -> None:
        for line in named:
            self._shipper.handle(logging.makeLogRecord({"name": line["id"], "msg": line["message"]}))


class AnswersBeforeItWrites(HonestGateway):
    """Answers at once; a thread writes what has come together each second."""

    def __init__(self, folder: Path, url: str, index: str) -> None:
        """Start the thread that writes."""
        super().__init__(folder, url, index)
        self._unwritten: list[str] = []
        threading.Thread(target=self._write_behind, daemon=True).start()

    def take(self, lines: Sequence[str]) -> None:
        """Remember the lines and answer."""
        self._unwritten.extend(lines)

    def _write_behind(self) -> None:
        while True:
            time.sleep(WRITE_BEHIND_SECONDS)
            lines, self._unwritten = self._unwritten, []
            self.keep(lines)


class KeepsAPart(HonestGateway):
    """Of a request with several records, the last one is lost: a loop that ends one too early."""

    def take(self, lines: Sequence[str]) -> None:
        """Keep all but the last of several."""
        super().take(lines[:-1] if len(lines) > 1 else lines)


class StoresABatchAgain(HonestGateway):
    """What it sends on has no ids, so a batch whose answer was cut is stored again."""

    shipper = ForgetfulShipper


HABITS: Mapping[str, type[HonestGateway]] = {
    kind.__name__: kind for kind in (HonestGateway, AnswersBeforeItWrites, KeepsAPart, StoresABatchAgain)
}


def serve(gateway: HonestGateway, port: int) -> None:
    """Answer until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gateway.take([json.loads(line)["message"] for line in body.splitlines()])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            """Tell a balancer that it serves."""
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *values: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print('{"ready": true}', flush=True)
    server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """Start the gateway of a habit."""
    habit, port, folder, url, index = arguments
    serve(HABITS[habit](Path(folder), url, index), int(port))


if __name__ == "__main__":
    main(sys.argv[1:])
