"""Masking beside a log call into a NullHandler, its rules as a loop of `re.sub`, and detect-secrets."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.functions.masking import ToMask, leave_all, log_all, mask_all, substitute_all, to_mask
from tests.benchmarks.paths.row import Row
from tests.masking.competitors import CannotScanError, environment, ran

_RECORDS = 200
_TURNS = 15
_LOG_CALL_TURNS = 101
_DETECT_SECRETS = Path(__file__).with_name("detect_secrets_seconds.py")
_SECONDS_MAX = 300


def measure() -> list[Row]:
    """Return what masking costs, and how many times as fast it is, by processor time.

    The records have no secrets, as most.
    """
    work = to_mask(_RECORDS)
    mask_all(work)
    alone, together = (
        statistics.median(_seconds(act, work) / _seconds(log_all, work) for _ in range(_LOG_CALL_TURNS))
        for act in (mask_all, leave_all)
    )
    loop = statistics.median(_seconds(substitute_all, work) / _seconds(mask_all, work) for _ in range(_TURNS))
    rows = [
        Row("mask a record of 600 bytes by itself", alone, "x NullHandler", "≤ 0.5"),
        Row(
            "mask a record of 600 bytes, sixteen at once, as a handler does",
            together,
            "x NullHandler",
            "≤ 0.5",
        ),
        Row("mask, 600-byte records: times as fast as a loop of re.sub", loop, "x", "≥ 1"),
    ]
    try:
        python = environment()
    except CannotScanError as error:
        sys.stderr.write(f"detect-secrets is left out: {error}\n")
        return rows
    texts = json.dumps([record.encoded.decode() for record in work.records])
    scanned = [
        float(ran([python, str(_DETECT_SECRETS)], _SECONDS_MAX, texts)) / _seconds(mask_all, work)
        for _ in range(3)
    ]
    what = "mask, 600-byte records: times as fast as detect-secrets, line by line"
    return [*rows, Row(what, statistics.median(scanned), "x", "≥ 1")]


def _seconds(act: Callable[[ToMask], object], work: ToMask) -> float:
    began_seconds = time.thread_time()
    act(work)
    return time.thread_time() - began_seconds
