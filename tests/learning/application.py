"""An application that logs at a steady rate, and floods from one logger while a file is there.

`python -m tests.learning.application SPOOL FLOOD_FILE`; it ends with its standard input.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path

from logging_system import install

SERVICE = "shop"
CHATTER = "shop.chatter"
RATE_PER_SECOND = 30
FLOOD_PER_SECOND = 3_000
_SECONDS_MAX = 300.0
_FLOOD_STEP_SECONDS = 0.02


def main(spool: str, flood_file: str) -> None:
    """Log until standard input ends."""
    install(service=SERVICE, spool=spool, shipper="none", level="INFO")
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    flood = threading.Thread(target=_flood, args=(Path(flood_file), ended), daemon=True)
    flood.start()
    print("logging", flush=True)
    logger, began_seconds, number = logging.getLogger("shop.orders"), time.monotonic(), 0
    while not ended.is_set() and time.monotonic() - began_seconds < _SECONDS_MAX:
        number += 1
        logger.info("order %d of customer %d was taken in %.1f ms", number, number % 97, number % 13 + 0.5)
        ended.wait(1 / RATE_PER_SECOND)  # what a busy machine delays is not caught up: that would be a burst
    flood.join(1.0)


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _flood(file: Path, ended: threading.Event) -> None:
    logger, number = logging.getLogger(CHATTER), 0
    while not ended.wait(_FLOOD_STEP_SECONDS):
        if not file.exists():
            continue
        for _ in range(int(FLOOD_PER_SECOND * _FLOOD_STEP_SECONDS)):
            number += 1
            logger.info("cache line %d looked at", number)


if __name__ == "__main__":
    main(*sys.argv[1:])
