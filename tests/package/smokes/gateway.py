"""Takes OTLP as protobuf and a body packed by zstd over HTTP."""

import http.client
import json
import socket
import subprocess
import sys
import time

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
command = [
    sys.executable,
    "-m",
    "logging_system",
    "serve",
    "--listen-port",
    str(port),
    "--spool",
    "spool",
]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def post(path, body, headers):
    until = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except ConnectionRefusedError:
            if time.monotonic() > until or server.poll() is not None:
                raise
            time.sleep(0.2)


try:
    status, said = post("/v1/logs", b"", {"Content-Type": "application/x-protobuf"})
    if status != 200:
        sys.exit(said)
    # A frame of RFC 8878 with one raw block: magic, no checksum, one segment, its size, then the block.
    line = json.dumps({"message": "packed"}).encode()
    header = (len(line) << 3 | 1).to_bytes(3, "little")
    packed = b"\x28\xb5\x2f\xfd\x20" + bytes([len(line)]) + header + line
    ndjson = {"Content-Type": "application/x-ndjson", "Content-Encoding": "zstd"}
    status, said = post("/v1/ndjson", packed, ndjson)
    if status != 200:
        sys.exit(said)
finally:
    server.terminate()
    server.wait(20)
