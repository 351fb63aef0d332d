"""No secret that is logged or sent is found on disk, in standard error or in the store; in real processes."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import requests

from logging_system.config.loading import load_settings
from logging_system.config.settings import chain_of
from tests.repository import DOCS
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
    "tiger-in-dotted",
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
log.info("dotted", extra={"password": {"old": "tiger-in-dotted"}})
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


PAGE = (DOCS / "how-to" / "mask-fields.md").read_text()


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(each) for each in found]


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
    eventually(lambda: store.ask("POST", "/logs-shop-default/_count")["count"] == 10, "ten documents")
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
        process.terminate()
        assert process.stderr is not None
        assert leaked(process.stderr.read().encode()) == []
    assert b"[masked:email]" in (spool / "dead-letters.ndjson").read_bytes()
    assert {path: leaks for path, content in on_disk(tmp_path).items() if (leaks := leaked(content))} == {}
    assert leaked(json.dumps(store.ask("POST", f"/{STREAM}/_search", {"size": 20})).encode()) == []


def test_what_the_how_to_shows_is_what_the_store_gets(tmp_path: Path, store: Store) -> None:
    lines = [line for block in blocks("text") for line in block.splitlines()]
    for program in blocks("python"):
        here = program.replace('service="checkout"', 'service="checkout", spool=spool')
        done = run(here.replace('"http://localhost:9200"', "url"), store.url, tmp_path / "spool")
        assert done.returncode == 0, done.stderr
    stream = "logs-checkout-default"
    with shipper(tmp_path / "spool", store.url, "--stream", stream):  # what the programs had no time for
        eventually(lambda: store.ask("POST", f"/{stream}/_count")["count"] == len(lines), "all is shipped")
    hits = store.ask("POST", f"/{stream}/_search", {"size": 50})["hits"]["hits"]
    found = [hit["_source"] for hit in hits]

    assert len(lines) >= 4
    assert sorted(each["message"] for each in found) == sorted(lines)
    labels = [each["labels"] for each in found if "labels" in each]
    assert labels.count({"api_key": "[masked:named_field]"}) == 1
    assert labels.count({"badge_number": "[masked:named_field]"}) == 1


def test_the_settings_files_of_the_how_to_are_in_order(tmp_path: Path) -> None:
    for block in blocks("yaml"):
        (tmp_path / "settings.yaml").write_text(block)
        loaded = load_settings({"settings": str(tmp_path / "settings.yaml")})
        assert loaded.problems == ()
        assert not chain_of(loaded.settings).is_empty
