"""Answers a question again and again, from a cache in memory; the store is the embedded one."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
url = f"http://127.0.0.1:{port}"
store = subprocess.Popen(
    [sys.executable, "-m", "harness.programs.elastic_lite", "--port", str(port), "--data", "store"],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
asking = None
try:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/_cluster/health", timeout=5).read()  # noqa: S310 - loopback
            break
        except OSError:
            assert time.monotonic() < until, "the embedded store did not start"
            time.sleep(0.2)
    question = ["analyze", "--store", url, "--namespace", "default", "--every", "0.2"]
    asking = subprocess.Popen(
        [sys.executable, "-m", "logging_system", *question],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout is not None
    assert asking.stderr is not None
    line = asking.stdout.readline()
    if not line:
        sys.exit(asking.stderr.read())
    assert isinstance(json.loads(line), dict), line
finally:
    for process in (asking, store):
        if process is not None:
            process.terminate()
            process.wait(20)
