"""The setting `mask`, from code, environment and files; a mistake in it lets no record through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from logging_system.config.loading import load_settings
from logging_system.config.settings import chain_of
from logging_system.records.document import Record
from logging_system.records.processors import FAILED, Dropped

GIVEN = {"rules": {"email": "off", "phone": "redact"}, "fields": ["badge"]}


def stored(*, chain_from: dict[str, object]) -> bytes:
    loaded = load_settings({"service": "shop", **chain_from})
    assert loaded.problems == ()
    outcome = chain_of(loaded.settings).run(
        Record.of_document({"message": "a@b.io", "labels": {"badge": "x"}})
    )
    assert isinstance(outcome, Record)
    return outcome.encoded


def test_code_environment_and_file_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("mask:\n  rules: {email: off, phone: redact}\n  fields: [badge]\n")
    expected = b'{"message":"a@b.io","labels":{"badge":"[masked:named_field]"}}'

    assert stored(chain_from={"mask": GIVEN}) == expected
    assert stored(chain_from={"settings": str(file)}) == expected
    monkeypatch.setenv(
        "LOGGING_SYSTEM_MASK", '{"rules": {"email": "off", "phone": "redact"}, "fields": ["badge"]}'
    )
    assert stored(chain_from={}) == expected


def test_what_is_declared_is_masked_though_processors_do_not_name_it() -> None:
    assert stored(chain_from={"mask": {}}) == b'{"message":"[masked:email]","labels":{"badge":"x"}}'
    assert stored(chain_from={"processors": ["mask"]}) == stored(chain_from={"mask": {}})


def test_labels_of_the_settings_are_masked_too() -> None:
    assert b"hunter2" not in stored(chain_from={"mask": {}, "labels": {"db_password": "hunter2"}})


@pytest.mark.parametrize(
    "given",
    [
        {"mask": {"rules": {"emial": "off"}}},
        {"mask": "{"},
        {"mask": [1]},
        {"masks": {}},
        {"masking": {}},
        {"redact": ["x"]},
        {"mask_token_keyfile": "x"},
    ],
)
def test_a_mistake_leaves_open_what_must_be_masked_so_nothing_may_be_written(
    given: dict[str, object],
) -> None:
    (problem,) = load_settings({"service": "shop", **given}).problems

    assert problem.hides_processors


def test_a_record_that_cannot_be_looked_at_is_dropped_and_nothing_of_it_is_told() -> None:
    chain = chain_of(load_settings({"service": "shop", "mask": {}}).settings)
    nested: object = "hunter2"
    for _ in range(400):
        nested = [nested]

    outcome = chain.run(Record.of_document({"password": nested}))

    assert isinstance(outcome, Dropped)
    assert outcome.reason == FAILED
    assert "hunter2" not in outcome.why


WITHOUT_RE2 = """
import sys
sys.modules["re2"] = None
import logging
import logging_system
handle = logging_system.install(spool=sys.argv[1], service="shop", shipper="none", processors=["mask"])
logging.getLogger("shop").warning("password=%s", "hunter2")
handle.flush(5)
print(handle.stats().handler.dropped, [str(problem) for problem in handle.problems])
handle.close()
"""


def test_without_google_re2_nothing_is_written_and_the_remedy_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_RE2, str(tmp_path / "spool")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert "'processor_unavailable': 1" in done.stdout
    assert "google-re2 is not installed; pip install 'logquake[masking]'" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()] == []
