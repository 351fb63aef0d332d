"""Parsers with a bug each that a campaign must find: else one that finds nothing would mean nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from tests.fuzz.target import Target


def _raise() -> None:
    raise KeyError("bug")


def _lie() -> None:
    raise AssertionError("a promise is broken")


def _spin() -> None:
    while True:
        pass


def _wait() -> None:
    time.sleep(3_600)  # takes no processor time: only who watches from outside can see it


def _die() -> None:
    os._exit(139)  # as a crash in native code would


def _grow() -> None:
    bytearray(1 << 30)


def _target(name: str, bug: Callable[[], None], seed: bytes) -> Target:
    def check(body: bytes) -> bool:
        if b"bug" in body:
            bug()
        return body == b"fine"

    return Target(name, lambda: (b"fine", seed), check)


TARGETS: Mapping[str, Target] = {
    "raises": _target("raises", _raise, b"x" * 60 + b"bug" + b"x" * 90),
    "lies": _target("lies", _lie, b"bug"),
    "spins": _target("spins", _spin, b"bug"),
    "waits": _target("waits", _wait, b"bug"),
    "dies": _target("dies", _die, b"bug"),
    "grows": _target("grows", _grow, b"bug"),
}
