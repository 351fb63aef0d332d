"""OpenTelemetry's exporters for JavaScript: each record that they send is kept once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stack.test_gateway import gateway, spooled

FOLDER = Path(__file__).parent / "javascript"
RECORDS = 1_000
SECONDS = 60


def node() -> str:
    """Return the interpreter, or skip with what is missing."""
    found = shutil.which("node")
    if found and (FOLDER / "node_modules").is_dir():
        return found
    missing = "its packages are not installed" if found else "node is not installed"
    reason = f"{missing}; `make prove-exporters` installs the packages and needs node and npm"
    if os.environ.get("LOGQUAKE_REQUIRE_EXPORTERS"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.timeout(SECONDS + 10)
@pytest.mark.parametrize("kind", ["http", "proto"])
def test_each_record_of_a_javascript_exporter_is_kept_once(tmp_path: Path, kind: str) -> None:
    interpreter = node()
    with gateway(tmp_path) as (_, url):
        command = [interpreter, "send.js", kind, f"{url}/v1/logs", str(RECORDS)]
        sent = subprocess.run(
            command, cwd=FOLDER, capture_output=True, text=True, timeout=SECONDS, check=False
        )

        assert (sent.returncode, sent.stderr) == (0, "")

    documents = spooled(tmp_path)
    assert sorted(document["labels"]["n"] for document in documents) == list(range(RECORDS))
    assert {document["log"]["level"] for document in documents} == {"warn"}
    assert {document["log"]["logger"] for document in documents} == {"shop.till"}
    for document in documents:
        assert f"record {document['labels']['n']} ☂" in document["message"]
