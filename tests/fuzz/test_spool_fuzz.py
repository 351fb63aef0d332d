from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz import spool
from tests.fuzz.spool import fuzz, main, mend_block, mutate, segment

INPUTS = 4_000


def test_no_bytes_make_a_parser_of_the_spool_crash_hang_or_grow(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--inputs", str(INPUTS), "--seed", "1"]) == 0
    assert f"{INPUTS} inputs, no harm done" in capsys.readouterr().out


def test_the_inputs_reach_what_lies_behind_the_checksums(tmp_path: Path) -> None:
    rng = random.Random(5)
    mended = [mend_block(rng, mutate(rng, segment(rng))) for _ in range(300)]
    headers = [
        spool.decode_block_header(b"0123456789abcdef", data, data.find(b"\xb1LBK"))
        for data in mended
        if b"\xb1LBK" in data
    ]

    assert any(header is not None and header.count == 0xFFFFFFFF for header in headers)
    assert any(header is None for header in headers)


def test_a_harmful_input_names_the_command_that_feeds_it_again() -> None:
    assert fuzz(1, seed=99) == 1
