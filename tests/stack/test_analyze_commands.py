"""`analyze`, `search` and `tail` as real commands against a store, and a gateway whose tokens are bound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import requests

from logging_system.cli import main
from logging_system.spool.reader import SpoolReader
from tests.stack.processes import Store, eventually, gateway_command, kill, ready_line, started

TOKENS = {"team_a": "token-of-team-a-0123456", "team_b": "token-of-team-b-0123456"}
NDJSON = "application/x-ndjson"


def log(store: Store, *messages: str, level: str = "info", ago_seconds: float = 0.0) -> None:
    moment = (datetime.now(UTC) - timedelta(seconds=ago_seconds)).isoformat()
    lines = []
    for message in messages:
        document = {"@timestamp": moment, "message": message, "log": {"level": level, "logger": "shop"}}
        lines += [orjson.dumps({"create": {}}), orjson.dumps(document)]
    answer = requests.post(
        f"{store.url}/logs-shop-main/_bulk?refresh=true",
        b"\n".join(lines) + b"\n",
        headers={"Content-Type": NDJSON},
        timeout=20,
    )
    assert answer.json()["errors"] is False, answer.text


def prepare(store: Store) -> None:
    fields = {"@timestamp": {"type": "date"}, "message": {"type": "text"}, "labels": {"type": "flattened"}}
    log_fields = {"properties": {"level": {"type": "keyword"}, "logger": {"type": "keyword"}}}
    template = {"mappings": {"dynamic": False, "properties": {**fields, "log": log_fields}}}
    body = {"index_patterns": ["logs-shop-*"], "priority": 500, "data_stream": {}, "template": template}
    store.ask("PUT", "/_index_template/shop", body)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["analyze"], "give --namespace NAME"),
        (["analyze", "--namespace", "team*"], "is a pattern"),
        (["search", "--namespace", "a,b"], "is no namespace"),
        (["tail", "--namespace", "a", "--all-namespaces"], "not both"),
        (["analyze", "--namespace", "a", "--since", "soon"], "is no time"),
        (["analyze", "--namespace", "a", "--time-zone", "Nowhere/Else"], "no time zone"),
        (["analyze", "--namespace", "a", "--deploy", "2999-01-01"], "is not past"),
        (["analyze", "--namespace", "a", "--outage", "1h"], "write FROM/TO"),
        (["search", "levle:x", "--namespace", "a"], "Did you mean 'level'"),
        (["tail", "--namespace", "a", "--lines", "0"], "--lines must be"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--store", "http://127.0.0.1:1"])

    assert ended.value.code == 4
    assert why in capsys.readouterr().err


def test_a_store_that_is_not_there_is_told_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("analyze", "search", "tail"):
        assert main([command, "--namespace", "a", "--store", "http://127.0.0.1:1"]) == 1
        assert "127.0.0.1:1" in capsys.readouterr().err


def test_analyze_tells_programs_what_it_tells_people(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(store)
    log(store, "paid", "paid", ago_seconds=60)
    log(store, "card 7 refused", level="error", ago_seconds=30)
    asked = ["analyze", "--store", store.url, "--namespace", "main", "--interval", "1m", "--json"]

    assert main(asked) == 0
    told = orjson.loads(capsys.readouterr().out)

    assert told["rates"]["by_level"] == {"info": 2, "error": 1}
    assert told["rates"]["partial"] is None
    assert sum(bucket["count"] for bucket in told["rates"]["buckets"]) == 3
    assert told["latency"] is None
    assert [each["text"] for each in told["errors"]["templates"]] == ["card <*> refused"]
    assert [each["name"] for each in told["noisiest"]["namespaces"]] == ["main"]
    assert told["storage"]["namespaces"][0]["documents"] == 3


@pytest.mark.slow
def test_tail_goes_on_through_an_outage_and_shows_each_line_once(store: Store, tmp_path: Path) -> None:
    prepare(store)
    log(store, "before")
    shown = tmp_path / "shown"
    command = [sys.executable, "-u", "-m", "logging_system", "tail", "-f", "--every", "0.1", "--json"]
    with shown.open("wb") as out, (tmp_path / "told").open("wb") as told:
        tail = subprocess.Popen(
            [*command, "--store", store.url, "--namespace", "main", "--timeout", "2"],
            stdout=out,
            stderr=told,
            env=os.environ,
            # Whatever started the tests in the background ignores it, and so would this process.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
        )
        try:
            eventually(lambda: b"before" in shown.read_bytes(), "the line before")
            log(store, "first", "second")
            eventually(lambda: b"second" in shown.read_bytes(), "the lines that came")
            kill(store.process)
            eventually(lambda: b"asking again" in (tmp_path / "told").read_bytes(), "the outage")
            store.start()
            log(store, "third", ago_seconds=0.5)
            eventually(lambda: b"third" in shown.read_bytes(), "the line after the outage")
            tail.send_signal(signal.SIGINT)

            assert tail.wait(20) == 0
        finally:
            tail.kill()
            tail.wait()
    messages = [orjson.loads(line)["message"] for line in shown.read_bytes().splitlines()]
    assert messages == ["before", "first", "second", "third"]


@pytest.mark.slow
def test_a_gateway_token_of_one_namespace_never_writes_into_another(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{token} namespace={name}\n" for name, token in TOKENS.items()))
    tokens.chmod(0o600)
    spool = tmp_path / "spool"
    declared = ["--token-file", str(tokens), "--namespaces", "team_a=30d,team_b"]
    gateway = started(gateway_command(spool, *declared))
    line = b'{"message":"x","data_stream":{"namespace":"team_b"},"labels":{"namespace":"team_b"}}\n'
    otlp = {
        "resourceLogs": [
            {"scopeLogs": [{"logRecords": [{"body": {"stringValue": "y"}, "attributes": [OTHER]}]}]}
        ]
    }
    try:
        url = ready_line(gateway)["url"]
        bearer = {"Authorization": f"Bearer {TOKENS['team_a']}"}
        sent = requests.post(f"{url}/v1/ndjson", line, headers={**bearer, "Content-Type": NDJSON}, timeout=20)
        assert sent.json()["accepted"] == 1, sent.text
        sent = requests.post(f"{url}/v1/logs", json=otlp, headers=bearer, timeout=20)
        assert sent.status_code == 200, sent.text
        refused = requests.post(
            f"{url}/v1/ndjson", line, headers={"Authorization": "Bearer team_a"}, timeout=20
        )
        assert refused.status_code == 401
    finally:
        kill(gateway)
    reader = SpoolReader(spool)
    documents = [orjson.loads(one) for block in reader.read(1_000_000) for one in block.documents]
    reader.close()

    assert [each["message"] for each in documents] == ["x", "y"]
    assert [each["data_stream"] for each in documents] == [{"namespace": "team_a"}] * 2


OTHER = {"key": "namespace", "value": {"stringValue": "team_b"}}
