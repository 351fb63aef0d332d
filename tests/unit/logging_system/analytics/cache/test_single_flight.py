from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from logging_system.analytics.cache.single_flight import SingleFlight, WaitedTooLongError

WAIT_SECONDS_MAX = 20.0


class Asked:
    """A call that answers when it is let."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.may_end = threading.Event()
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        self.began.set()
        assert self.may_end.wait(WAIT_SECONDS_MAX)
        return "answer"


def others(
    flights: SingleFlight[str], call: Asked, threads: ThreadPoolExecutor, number: int
) -> list[Future[tuple[str, bool]]]:
    """Threads that ask the same and are waiting."""
    asked = [threads.submit(flights.run, "key", call) for _ in range(number)]
    for future in asked:
        while not future.running() and not future.done():
            pass
    return asked


def test_one_call_answers_all_who_ask_the_same_meanwhile() -> None:
    flights, call = SingleFlight[str](WAIT_SECONDS_MAX), Asked()
    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(flights.run, "key", call)
        assert call.began.wait(WAIT_SECONDS_MAX)
        waiting = others(flights, call, threads, 15)
        call.may_end.set()

        assert first.result() == ("answer", False)
        shared = [each.result() for each in waiting]

    # One that came after the end asked by itself; it was let end at once.
    assert [answer for answer, _ in shared] == ["answer"] * 15
    assert call.calls == 1 + sum(not is_shared for _, is_shared in shared)


def test_an_error_is_that_of_those_waiting_and_of_nobody_after_them() -> None:
    flights = SingleFlight[str](WAIT_SECONDS_MAX)

    def fail() -> str:
        raise OSError("no answer")

    with pytest.raises(OSError, match="no answer"):
        flights.run("key", fail)

    assert flights.run("key", lambda: "answer") == ("answer", False)


def test_who_waits_for_one_that_is_told_to_end_asks_itself() -> None:
    flights, began, may_end = SingleFlight[str](WAIT_SECONDS_MAX), threading.Event(), threading.Event()

    def end() -> str:
        began.set()
        may_end.wait(WAIT_SECONDS_MAX)
        raise SystemExit

    with ThreadPoolExecutor(2) as threads:
        leader = threads.submit(flights.run, "key", end)
        assert began.wait(WAIT_SECONDS_MAX)
        waiting = threads.submit(flights.run, "key", lambda: "mine")
        may_end.set()

        assert waiting.result() == ("mine", False)
        with pytest.raises(SystemExit):
            leader.result()


def test_waiting_has_a_bound() -> None:
    flights, call = SingleFlight[str](0.05), Asked()
    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(flights.run, "key", call)
        assert call.began.wait(WAIT_SECONDS_MAX)
        with pytest.raises(WaitedTooLongError):
            flights.run("key", call)
        call.may_end.set()

        assert leader.result() == ("answer", False)


def test_other_questions_do_not_wait() -> None:
    flights, call = SingleFlight[str](WAIT_SECONDS_MAX), Asked()
    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(flights.run, "key", call)
        assert call.began.wait(WAIT_SECONDS_MAX)

        assert flights.run("other", lambda: "other") == ("other", False)
        call.may_end.set()
        leader.result()
