"""The how-to page on tracing a log line does what it says, against a store, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.pages import blocks_of
from tests.repository import DOCS
from tests.stack.processes import PYTHON, WAIT_SECONDS, Store

PAGE = (DOCS / "how-to" / "trace-a-log-line.md").read_text()


def shape(tree: str) -> str:
    """What stays the same from one run to the next: all but ids, times of day and milliseconds."""
    known = re.sub(r"[0-9a-f]{32}|[0-9a-f]{16}", "ID", tree)
    return re.sub(r" +\d\d:\d\d:\d\d\.\d{3} +\d+\.\d ms", " TIME", known).strip()


def without_look_up(tree: str) -> str:
    """The page's tree where the shipper had begun before the record came: nothing is to be doubted then."""
    return "".join(line for line in tree.splitlines(keepends=True) if "─ look up " not in line)


def test_the_page_can_be_followed_and_shows_what_is_shown(tmp_path: Path, store: Store) -> None:
    (program,), (console,) = blocks_of(PAGE, "python"), blocks_of(PAGE, "console")
    command, _newline, tree = console.partition("\n")
    subprocess.run(
        [*PYTHON, "-c", program.replace("http://localhost:9200", store.url)],
        check=True,
        timeout=WAIT_SECONDS,
        cwd=tmp_path,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")},
    )
    shown = subprocess.run(
        [sys.executable, *shlex.split(command)[2:]],
        check=True,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        cwd=tmp_path,
    ).stdout

    assert shape(shown) in (shape(tree), shape(without_look_up(tree)))
    store.ask("POST", "/logs-checkout-default/_refresh")
    (hit,) = store.ask("POST", "/logs-checkout-default/_search", {})["hits"]["hits"]
    trace_id, span_id = re.findall(r"\b(?:trace|span) ([0-9a-f]+)", shown)
    assert (hit["_source"]["trace"], hit["_source"]["span"]) == ({"id": trace_id}, {"id": span_id})
