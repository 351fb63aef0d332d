"""Load for gateways behind a balancer, by Locust's own master and workers: as many machines as are needed.

    locust -f locustfile.py --host http://127.0.0.1:4318 --headless --users 20 --run-time 1m

Each request brings RECORDS lines of NDJSON. GATEWAY_TOKEN_FILE names a file with a gateway's token, where the
gateways ask for one. A request that is answered 429 or 503, or by nobody, counts as failed and is not sent
again: this is load, and no exporter.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from locust import FastHttpUser, constant_throughput, task

RECORDS = int(os.environ.get("RECORDS", "20"))
REQUESTS_PER_SECOND = float(os.environ.get("REQUESTS_PER_SECOND", "5"))
_TOKEN_FILE = os.environ.get("GATEWAY_TOKEN_FILE", "")


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/x-ndjson"}
    if _TOKEN_FILE:
        headers["Authorization"] = f"Bearer {Path(_TOKEN_FILE).read_text().splitlines()[0]}"
    return headers


class Application(FastHttpUser):
    """An application that posts its lines together."""

    wait_time = constant_throughput(REQUESTS_PER_SECOND)

    def on_start(self) -> None:
        """Read the token once."""
        self._headers = _headers()
        self._number = 0

    @task
    def log(self) -> None:
        """Post the next lines."""
        first, self._number = self._number, self._number + RECORDS
        lines = [
            json.dumps({"message": f"order {number} of user {id(self):x}", "log": {"level": "INFO"}})
            for number in range(first, self._number)
        ]
        self.client.post("/v1/ndjson", "\n".join(lines) + "\n", headers=self._headers)
