"""The key server as a program: how it begins, ends and says what is wrong.

What it answers is tested with the provider, in tests/contract/logging_system/keys.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import requests

SECONDS_MAX = 60.0
COMMAND = (sys.executable, "-m", "harness.programs.transit_lite", "--port", "0")
ENVIRONMENT = {**os.environ, "TRANSIT_TOKEN": "hvs.root"}


def test_it_says_where_it_serves_keeps_its_keys_private_and_ends_with_its_lifeline(tmp_path: Path) -> None:
    data = tmp_path / "keys"
    with subprocess.Popen(
        [*COMMAND, "--lifeline", "--data", str(data)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            ready = json.loads(process.stdout.readline())
            headers = {"X-Vault-Token": "hvs.root"}
            made = requests.post(f"{ready['url']}/v1/transit/keys/logs", headers=headers, timeout=SECONDS_MAX)
            assert (made.status_code, data.stat().st_mode & 0o777) == (200, 0o600)
            assert not [
                secret
                for secret in json.loads(data.read_bytes())["keys"][0]["versions"].values()
                if secret in made.text
            ]
            process.stdin.close()
            assert process.wait(SECONDS_MAX) == 0
        finally:
            process.kill()


def test_it_does_not_start_without_a_root_token_or_on_a_file_that_is_not_its_own(tmp_path: Path) -> None:
    data = tmp_path / "keys"
    data.write_text("{}")
    without_token = {name: value for name, value in ENVIRONMENT.items() if name != "TRANSIT_TOKEN"}
    for environment, code, told in (
        (without_token, 4, "TRANSIT_TOKEN: not set"),
        (ENVIRONMENT, 7, "no keys of this server"),
    ):
        done = subprocess.run(
            [*COMMAND, "--data", str(data)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert (done.returncode, told in done.stderr) == (code, True)
