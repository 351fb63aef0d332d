"""One call for all who want the same: they wait for its answer, no longer than a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from logging_system.analytics.store_queries import StoreUnavailableError

Answered = TypeVar("Answered")
_TURNS_MAX = 10


class WaitedTooLongError(StoreUnavailableError):
    """Another asks the same, and has had no answer in the time that this one may wait."""


class _Flight(Generic[Answered]):
    __slots__ = ("answer", "error", "is_over")

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.answer: Answered | None = None
        self.error: Exception | None = None


class SingleFlight(Generic[Answered]):
    """Runs one call per key at a time, whatever the number of threads that want it.

    Args:
        wait_seconds_max: How long one waits for another's call.
    """

    def __init__(self, wait_seconds_max: float) -> None:
        self._wait_seconds_max = wait_seconds_max
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[Answered]] = {}

    def run(self, key: Hashable, call: Callable[[], Answered]) -> tuple[Answered, bool]:
        """Return what the call returned, and whether another thread made it.

        Args:
            key: Says which calls are the same.
            call: Asks; run by one thread. Where it fails, those waiting get its error and nobody else. Where
                its thread is told to end (`KeyboardInterrupt`, `SystemExit`), one of those waiting asks.

        Raises:
            WaitedTooLongError: The time for waiting is over.
        """
        for _turn in range(_TURNS_MAX):
            with self._lock:
                flight = self._flights.get(key)
                leads = flight is None
                if flight is None:
                    flight = self._flights[key] = _Flight()
            if leads:
                return self._lead(key, flight, call), False
            if not flight.is_over.wait(self._wait_seconds_max):
                break
            if flight.error is not None:
                raise flight.error
            if flight.answer is not None:
                return flight.answer, True
        raise WaitedTooLongError("the same question is out, and its answer is late; ask again")

    def _lead(self, key: Hashable, flight: _Flight[Answered], call: Callable[[], Answered]) -> Answered:
        try:
            flight.answer = call()
        except Exception as error:
            flight.error = error
            raise
        else:
            return flight.answer
        finally:
            # Taken away first: who comes after this asks anew, and never gets the error of an earlier call.
            with self._lock:
                del self._flights[key]
            flight.is_over.set()
