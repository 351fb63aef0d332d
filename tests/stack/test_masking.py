"""No secret that is logged or sent is found on disk, in standard error or in the store; in real processes."""

from __future__ import annotations

import json
from pathlib import Path

import requests

from tests.stack.processes import STREAM, Store, eventually
from tests.stack.test_gateway import NDJSON, gateway
from tests.stack.test_installing import run
from tests.stack.test_shipping import shipped, shipper

CANARIES = (
    "hunter2-in-args",
    "4111111111111111",
    "tiger-in-extra",
    "tiger-in-nested",
    "tiger-in-bytes",
    "tiger-in-set",
    "alice@example.com",
    "sk-proj-a1B2c3D4e5F6g7H8i9J0k1L2",
    "s3cr3t-in-exception",
    "s3cr3t-in-cause",
    "s3cr3t-in-stack",
    "s3cr3t-unformatted",
)

APPLICATION = """
handle = logging_system.install(
    url, spool=spool, service="shop", processors=["mask"], fallback_file=spool + "/fallback.ndjson"
)
log.info("login password=%s", "hunter2-in-args")
log.info("paid by %s", {"card": 4111111111111111})
deep = {"b": {"c": {"d": {"password": "tiger-in-nested"}}}}
log.info("extra", extra={"api_key": "tiger-in-extra", "a": deep})
log.info("bytes", extra={"body": b"password=tiger-in-bytes", "s": {"password=tiger-in-set"}})
log.info("keys", extra={"seen": {"alice@example.com": 1}})
log.info("key sk-%s", "proj-a1B2c3D4e5F6g7H8i9J0k1L2")
try:
    try:
        raise ValueError("password=s3cr3t-in-cause")
    except ValueError as cause:
        raise RuntimeError({"password": "s3cr3t-in-exception"}) from cause
except RuntimeError:
    log.exception("failed")
log.info("stack", exc_info=None, stack_info=False, extra={"stack_trace": "password=s3cr3t-in-stack"})
log.info("%d", "password=s3cr3t-unformatted")
assert handle.flush(10)
assert handle.stats().handler.dropped == {}, handle.stats()
handle.close()
print("done")
"""


def on_disk(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def leaked(content: bytes) -> list[str]:
    return [canary for canary in CANARIES if canary.encode() in content]


def test_no_secret_of_an_application_is_in_any_file_or_stream_or_in_the_store(
    tmp_path: Path, store: Store
) -> None:
    done = run(APPLICATION, store.url, tmp_path / "spool")

    assert done.stdout == "done\n", done.stderr
    assert leaked(done.stderr.encode()) == []
    eventually(lambda: store.ask("POST", "/logs-shop-default/_count")["count"] == 9, "nine documents")
    found = store.ask("POST", "/logs-shop-default/_search", {"size": 20})
    assert leaked(json.dumps(found).encode()) == []
    assert {path: leaks for path, content in on_disk(tmp_path).items() if (leaks := leaked(content))} == {}
    messages = {hit["_source"]["message"] for hit in found["hits"]["hits"]}
    assert {"login password=[masked:password]", "key [masked:openai_key]"} <= messages


def test_no_secret_sent_to_a_gateway_is_in_its_spool_dead_letters_answers_or_errors(
    tmp_path: Path, store: Store
) -> None:
    lines = [
        b'{"message": "card 4111111111111111", "p\\u0061ssword": "tiger-in-extra"}',
        b'{"@timestamp": "alice@example.com is no time", "message": "password=hunter2-in-args"}',
        b"no JSON, password=tiger-in-bytes",
    ]
    spool = tmp_path / "spool"
    with gateway(spool, "--processors", "mask") as (process, url):
        answer = requests.post(f"{url}/v1/ndjson", b"\n".join(lines), headers=NDJSON, timeout=10)
        assert (answer.status_code, leaked(answer.content)) == (200, [])
        assert leaked(requests.get(f"{url}/stats", timeout=10).content) == []
        with shipper(spool, store.url):
            eventually(lambda: shipped(tmp_path).get("dead_lettered") == 1, "the dead letter")
            eventually(lambda: shipped(tmp_path).get("delivered") == 2, "the other two")
    assert process.stderr is not None
    assert b"[masked:email]" in (spool / "dead-letters.ndjson").read_bytes()
    assert {path: leaks for path, content in on_disk(tmp_path).items() if (leaks := leaked(content))} == {}
    assert leaked(json.dumps(store.ask("POST", f"/{STREAM}/_search", {"size": 20})).encode()) == []
