"""Filebeat, as published, ships the lines of a file into the embedded store: each of them once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.contract.elasticsearch_fixture import eventually, lite_server
from tests.exporters.filebeat import BINARY

LINES = 2_000
SECONDS = 60
INDICES = "/filebeat-*"


def program() -> Path:
    """Return the program, or skip with what is missing."""
    if BINARY.exists():
        return BINARY
    reason = "Filebeat is not built; `make prove-filebeat` builds it and needs go and network"
    if os.environ.get("LOGQUAKE_REQUIRE_EXPORTERS"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def filebeat(folder: Path, url: str, log: Path) -> Iterator[Path]:
    """A Filebeat that follows a file and ships to a store; gives its own log, and ends with the block."""
    settings = f"""
filebeat.inputs:
- {{type: filestream, id: application, paths: ['{log}'], prospector.scanner.check_interval: 1s}}
output.elasticsearch: {{hosts: ['{url}']}}
logging.to_files: false
path: {{home: '{folder}', data: '{folder}/data'}}
"""
    file, own_log = folder / "filebeat.yml", folder / "filebeat.log"
    file.write_text(settings, encoding="utf-8")
    file.chmod(0o600)
    command = [str(program()), "-e", "-c", str(file)]
    with own_log.open("wb") as out, subprocess.Popen(command, cwd=folder, stdout=out, stderr=out) as process:
        try:
            yield own_log
        finally:
            process.terminate()
            process.wait(SECONDS)


def messages(url: str) -> list[str]:
    """The lines that the store holds, as often as it holds them."""
    requests.post(f"{url}/_refresh", timeout=SECONDS)
    body = {"size": 10_000, "sort": ["_doc"], "_source": ["message"]}
    found = requests.post(f"{url}{INDICES}/_search", json=body, timeout=SECONDS).json()
    return [hit["_source"]["message"] for hit in found["hits"]["hits"]]


@pytest.mark.timeout(3 * SECONDS)
def test_each_line_that_filebeat_ships_into_the_embedded_store_is_there_once(tmp_path: Path) -> None:
    program()
    log = tmp_path / "application.log"
    lines = [f'line {number} with ümlauts and "quotes"' for number in range(LINES)]
    log.write_text("".join(f"{line}\n" for line in lines[: LINES // 2]), encoding="utf-8")
    with lite_server(tmp_path / "store") as url, filebeat(tmp_path, url, log) as own_log:
        assert eventually(SECONDS, lambda: len(messages(url)) >= LINES // 2), own_log.read_text()[-3000:]
        with log.open("a", encoding="utf-8") as more:
            more.writelines(f"{line}\n" for line in lines[LINES // 2 :])
        assert eventually(SECONDS, lambda: len(messages(url)) >= LINES), own_log.read_text()[-3000:]
        shipped = messages(url)
        refused = [line for line in own_log.read_text().splitlines() if "does not support" in line]
        template = requests.get(f"{url}/_index_template/filebeat-*", timeout=SECONDS).json()

    assert sorted(shipped) == sorted(lines)
    assert refused == []
    assert len(template["index_templates"]) == 1  # taken as Filebeat wrote it, with some thousand fields
