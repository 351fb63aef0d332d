"""The gateway as a real process, and its clients real ones: an OpenTelemetry exporter, sockets, bombs."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.rpc.status_pb2 import Status
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from logging_system.spool.reader import SpoolReader
from tests.stack.processes import eventually, gateway_command

SECONDS = 20
TOKEN = "a-token-of-sixteen-or-more"  # noqa: S105 - known to the test alone
NDJSON = {"Content-Type": "application/x-ndjson"}

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@contextmanager
def gateway(spool: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = gateway_command(spool, *arguments)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line, process.stderr and process.stderr.read()
        yield process, json.loads(line)["url"]
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def spooled(spool: Path) -> list[dict[str, Any]]:
    reader = SpoolReader(spool)
    try:
        return [orjson.loads(one) for block in reader.read(1_000_000_000) for one in block.documents]
    finally:
        reader.close()


def lines(count: int, prefix: str = "line") -> bytes:
    return b"".join(orjson.dumps({"message": f"{prefix} {number}"}) + b"\n" for number in range(count))


def test_an_opentelemetry_exporter_delivers_to_it(tmp_path: Path) -> None:
    with gateway(tmp_path) as (process, url):
        provider = LoggerProvider(resource=Resource({"service.name": "checkout"}))
        provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs")))
        logger = provider.get_logger("shop")
        for number in range(20):
            logger.emit(
                body=f"order {number}",
                severity_number=SeverityNumber.WARN,
                severity_text="WARN",
                attributes={"order": number},
                timestamp=time.time_ns(),
            )
        provider.shutdown()
        process.kill()  # what it answered 200 for must be there nevertheless

    found = spooled(tmp_path)
    assert [document["message"] for document in found] == [f"order {number}" for number in range(20)]
    assert {document["service"]["name"] for document in found} == {"checkout"}
    assert {document["log"]["level"] for document in found} == {"warn"}
    assert [document["labels"]["order"] for document in found] == list(range(20))


def send_until_it_dies(url: str, client: int, acknowledged: list[str]) -> None:
    with requests.Session() as session:
        for number in range(10_000):
            message = f"{client}.{number}"
            body = orjson.dumps({"message": message})
            try:
                answer = session.post(f"{url}/v1/ndjson", body, headers=NDJSON, timeout=SECONDS)
            except requests.RequestException:
                return
            if answer.status_code == 200:
                acknowledged.append(message)


def test_what_was_answered_with_200_survives_a_kill_under_load(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with gateway(tmp_path) as (process, url):
        clients = [
            threading.Thread(target=send_until_it_dies, args=(url, client, acknowledged))
            for client in range(4)
        ]
        for client in clients:
            client.start()
        eventually(lambda: len(acknowledged) >= 200, "200 acknowledgements")
        process.send_signal(signal.SIGKILL)
        for client in clients:
            client.join(SECONDS)

    assert len(acknowledged) >= 200
    assert set(acknowledged) <= {document["message"] for document in spooled(tmp_path)}


def test_an_answer_on_a_kept_connection_takes_no_longer_than_on_a_fresh_one(tmp_path: Path) -> None:
    """The client puts off its acknowledgement of a header for 40 ms, and the body must not wait for that.

    On a fresh connection everything is acknowledged at once, so that this machine's own pace cancels out.
    """
    with gateway(tmp_path) as (_process, url), requests.Session() as kept:
        took_seconds: dict[str, list[float]] = {"fresh": [], "kept": []}
        for _ in range(30):
            for name, post in (("fresh", requests.post), ("kept", kept.post)):
                began = time.perf_counter()
                post(f"{url}/v1/ndjson", lines(1), headers=NDJSON, timeout=SECONDS)
                took_seconds[name].append(time.perf_counter() - began)

    assert statistics.median(took_seconds["kept"]) < 2 * statistics.median(took_seconds["fresh"])


def test_a_body_that_drips_is_given_up(tmp_path: Path) -> None:
    with gateway(tmp_path, "--body-seconds-max", "0.5") as (_process, url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
            connection.sendall(
                f"POST /v1/ndjson HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n\r\n{{".encode()
            )
            answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 408")
    assert spooled(tmp_path) == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_packed_body_is_taken_and_a_bomb_is_refused(tmp_path: Path, encoding: str) -> None:
    pack = PACKERS[encoding]
    headers = {**NDJSON, "Content-Encoding": encoding}
    with gateway(tmp_path, "--body-bytes-max", "1000000") as (process, url):
        good = requests.post(f"{url}/v1/ndjson", pack(lines(500)), headers=headers, timeout=SECONDS)
        bomb = requests.post(f"{url}/v1/ndjson", pack(bytes(500_000_000)), headers=headers, timeout=SECONDS)
        peak_kib = next(
            int(line.split()[1])
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
        after = requests.get(f"{url}/readyz", timeout=SECONDS)

    assert good.json() == {"accepted": 500, "rejected": 0, "why_rejected": ""}
    assert bomb.status_code == 413
    assert peak_kib < 200_000
    assert after.status_code == 200


def test_a_full_spool_asks_to_come_back_later_and_loses_nothing(tmp_path: Path) -> None:
    accepted = 0
    with gateway(tmp_path, "--spool-bytes-max", "200000") as (_process, url):
        for _ in range(100):
            answer = requests.post(f"{url}/v1/ndjson", lines(50, "x" * 100), headers=NDJSON, timeout=SECONDS)
            if answer.status_code != 200:
                break
            accepted += answer.json()["accepted"]
        ready = requests.get(f"{url}/readyz", timeout=SECONDS)
        healthy = requests.get(f"{url}/healthz", timeout=SECONDS)
        protobuf = requests.post(
            f"{url}/v1/logs", b"", headers={"Content-Type": "application/x-protobuf"}, timeout=SECONDS
        )

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"
    assert "the spool is full" in answer.json()["message"]
    assert ready.status_code == 503
    assert healthy.status_code == 200
    assert protobuf.status_code == 200  # it brings nothing, so it needs no room
    assert len(spooled(tmp_path)) == accepted > 0


def test_with_retention_a_spool_nobody_ships_takes_on_new_logs(tmp_path: Path) -> None:
    bounds = ("--spool-bytes-max", "200000", "--retention-bytes", "100000")
    with gateway(tmp_path, *bounds) as (_process, url):
        answers = [
            requests.post(f"{url}/v1/ndjson", lines(50, "x" * 100), headers=NDJSON, timeout=SECONDS)
            for _ in range(100)
        ]
    kept = spooled(tmp_path)

    assert {answer.status_code for answer in answers} == {200}
    assert 0 < len(kept) < 5_000
    assert kept[-1]["message"].endswith(" 49")


def test_its_counters_are_metrics_and_files_of_the_folder(tmp_path: Path) -> None:
    with gateway(tmp_path) as (process, url):
        requests.post(f"{url}/v1/ndjson", lines(3), headers=NDJSON, timeout=SECONDS)
        page = requests.get(f"{url}/metrics", timeout=SECONDS)
        process.terminate()
        process.wait(SECONDS)
    (path,) = tmp_path.glob("status-gateway-*.json")
    content = orjson.loads(path.read_bytes())

    assert page.headers["Content-Type"].startswith("text/plain; version=")
    assert "logging_system_gateway_offered_total 3.0" in page.text
    assert "logging_system_gateway_admitted_total 3.0" in page.text
    assert "logging_system_gateway_balanced 1.0" in page.text
    assert (content["closed"], content["admitted"], content["balanced"]) == (True, 3, True)


def test_a_bad_request_is_refused_in_the_form_it_came_in(tmp_path: Path) -> None:
    with gateway(tmp_path) as (_process, url):
        protobuf = requests.post(
            f"{url}/v1/logs", b"\xff\xff", headers={"Content-Type": "application/x-protobuf"}, timeout=SECONDS
        )
        text = requests.post(
            f"{url}/v1/logs", b"{", headers={"Content-Type": "application/json"}, timeout=SECONDS
        )
        form = requests.post(f"{url}/v1/logs", b"a=b", headers={"Content-Type": "text/html"}, timeout=SECONDS)

    assert protobuf.status_code == 400
    assert "ExportLogsServiceRequest" in Status.FromString(protobuf.content).message
    assert text.status_code == 400
    assert "not JSON" in text.json()["message"]
    assert form.status_code == 415
    assert spooled(tmp_path) == []


def test_a_record_too_large_is_told_as_a_partial_success(tmp_path: Path) -> None:
    records = [{"body": {"stringValue": text}} for text in ("small", "x" * 5_000)]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    with gateway(tmp_path, "--record-bytes-max", "2000") as (_process, url):
        answer = requests.post(f"{url}/v1/logs", json=body, timeout=SECONDS)

    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    assert [document["message"] for document in spooled(tmp_path)] == ["small"]


class Held(SimpleLogRecordProcessor):
    """Keeps what is logged, so that it can be sent in one request."""

    def __init__(self, exporter: OTLPLogExporter) -> None:
        super().__init__(exporter)
        self.held: list[Any] = []

    def on_emit(self, log_record: Any) -> None:
        self.held.append(log_record)


ODD_BODIES: dict[str, Any] = {
    "a NaN": float("nan"),
    "bytes": b"caf\xe9",
    "nested": {"a": [{"b": [[[["deep"]]]]}]},
    "nothing": None,
    "a number beyond 32 bits": 2**62,
}


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("odd", ODD_BODIES.values(), ids=ODD_BODIES.keys())
def test_an_opentelemetry_exporter_loses_no_neighbour_of_an_odd_record(
    tmp_path: Path, odd: Any, compression: Compression
) -> None:
    with gateway(tmp_path) as (_process, url):
        exporter = OTLPLogExporter(f"{url}/v1/logs", compression=compression)
        provider = LoggerProvider()
        held = Held(exporter)
        provider.add_log_record_processor(held)
        logger = provider.get_logger("shop", "1.2.3", attributes={"tenant": "acme"})
        for body in ("first", odd, "last"):
            logger.emit(body=body, timestamp=1, observed_timestamp=2, event_name="order.failed")
        result = exporter.export(held.held)
        provider.shutdown()
    found = spooled(tmp_path)

    assert result.name == "SUCCESS"
    assert [found[0]["message"], found[-1]["message"]] == ["first", "last"]
    assert len(found) == 3
    assert {document["event"]["action"] for document in found} == {"order.failed"}
    assert {document["labels"]["otel.scope.tenant"] for document in found} == {"acme"}


PROCESSORS = """
from logging_system.records.document import Put
from logging_system.records.processors import Drop

class Tidy:
    def __init__(self, settings): pass
    def process(self, record):
        if record.document["message"] == "ping":
            return Drop("health_check")
        if "secret" in record.document["message"]:
            raise ValueError("secret")
        return record.edited([Put(("message",), "tidied")])
"""


def test_processors_run_before_anything_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tidying.py").write_text(PROCESSORS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LOGGING_SYSTEM_LABELS", "env=prod")
    body = b'{"message":"a","n": 18446744073709551617}\n{"message":"a secret"}\n{"message":"ping"}\n'
    with gateway(tmp_path / "spool", "--processors", "tidying:Tidy") as (_, url):
        said = requests.post(f"{url}/v1/ndjson", body, headers=NDJSON, timeout=SECONDS).json()
        stats = requests.get(f"{url}/stats", timeout=SECONDS).json()
    reader = SpoolReader(tmp_path / "spool")
    (document,) = (one for block in reader.read(1_000_000) for one in block.documents)
    reader.close()

    assert said == {
        "accepted": 1,
        "rejected": 2,
        "why_rejected": "line 2: processor Tidy failed (ValueError)",
    }
    assert stats["dropped"] == {"processor_error": 1, "processor:health_check": 1}
    assert stats["balanced"]
    assert document.endswith(b'"message":"tidied","n": 18446744073709551617,"labels":{"env":"prod"}}')


def test_a_token_is_needed_where_a_file_names_some(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN)
    tokens.chmod(0o600)
    with gateway(tmp_path / "spool", "--token-file", str(tokens)) as (_process, url):
        answers = {
            given: requests.post(
                f"{url}/v1/ndjson", lines(1), headers={**NDJSON, "Authorization": given}, timeout=SECONDS
            ).status_code
            for given in ("", "Bearer wrong-wrong-wrong-wrong", f"Bearer {TOKEN}")
        }
        stats = requests.get(f"{url}/stats", timeout=SECONDS)
        health = requests.get(f"{url}/healthz", timeout=SECONDS)

    assert list(answers.values()) == [401, 401, 200]
    assert stats.status_code == 401
    assert health.status_code == 200


def test_it_serves_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with gateway(tmp_path / "spool", "--server-certificate", str(certificate), "--server-key", str(key)) as (
        _process,
        url,
    ):
        answer = requests.post(
            f"{url}/v1/ndjson", lines(1), headers=NDJSON, timeout=SECONDS, verify=str(certificate)
        )

    assert url.startswith("https://")
    assert answer.status_code == 200


def test_sigterm_answers_what_is_under_way_and_seals_the_spool(tmp_path: Path) -> None:
    with gateway(tmp_path) as (process, url):
        host, port = url.removeprefix("http://").split(":")
        body = lines(10)
        with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
            head = f"POST /v1/ndjson HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:20])
            time.sleep(0.3)  # until the request is under way
            began = time.monotonic()
            process.terminate()
            time.sleep(0.3)
            connection.sendall(body[20:])
            answer = connection.recv(65_536)
        returncode = process.wait(SECONDS)

    assert answer.startswith(b"HTTP/1.1 200")
    assert returncode == 0
    assert time.monotonic() - began < 5.0
    assert len(spooled(tmp_path)) == 10
    assert not list(tmp_path.glob("*.open"))


@pytest.mark.parametrize(
    ("arguments", "why", "returncode"),
    [
        (["--listen-host", "0.0.0.0"], "--token-file FILE, or --open-to-all", 1),  # noqa: S104 - it is refused
        (["--token-file", "/nowhere/tokens"], "/nowhere/tokens: No such file", 1),
        (["--server-certificate", "/nowhere/cert.pem"], "/nowhere/cert.pem: cannot be read", 1),
        (["--listen-port", "99999"], "--listen-port: must be at most 65535", 4),
        (["--body-bytes-max", "0"], "--body-bytes-max: must be at least 1", 4),
        (["--processors", "no_such_module:x"], "--processors: no_such_module:x: cannot be imported", 4),
        (["--processors", "ad_labels"], 'no processor "ad_labels"; did you mean "add_labels"?', 4),
        (["--labels", "env"], "--labels: labels are written as name=value,name=value", 4),
    ],
)
def test_a_mistake_ends_it_with_where_what_and_remedy(
    tmp_path: Path, arguments: list[str], why: str, returncode: int
) -> None:
    command = [
        sys.executable,
        "-m",
        "logging_system",
        "serve",
        "--spool",
        str(tmp_path / "spool"),
        *arguments,
    ]
    process = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert why in process.stderr
    assert process.returncode == returncode
    assert "Traceback" not in process.stderr


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths
