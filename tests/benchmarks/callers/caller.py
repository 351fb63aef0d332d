"""The process that logs through one contender; one JSON line tells what it cost, another what it dropped.

Before the contender is set up, a NullHandler is measured in the same process: what the machine does in these
seconds meets both.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.callers.contenders import BASE, CONTENDERS, LogCall, Logging, Place
from tests.benchmarks.callers.numbers import NOBODYS

WARM_CALLS = 200
_PAUSE_SECONDS = 0.05
_CATCH_UP_SECONDS = 0.3
NULL_PREFIX = "null_"


@dataclass(frozen=True, slots=True)
class Load:
    """What a caller logs, in this order.

    Attributes:
        slices: Short bursts with a pause after each, in which workers catch up: what a call costs.
        slice_calls: Calls in each.
        paced_calls: Calls at a steady rate: how long a call takes. The NullHandler has half of them.
        per_second: That rate.
        burst: Calls as fast as they go: more than the queues hold.
    """

    slices: int = 8
    slice_calls: int = 1_000
    paced_calls: int = 1_400
    per_second: float = 1_000.0
    burst: int = 20_000

    @property
    def calls(self) -> int:
        """All calls of one caller, those that warm it up included."""
        return WARM_CALLS + self.slices * self.slice_calls + self.paced_calls + self.burst


class Numbered:
    """Logs numbers that no other call of the comparison has, so that what arrives can be told apart."""

    def __init__(self, log: LogCall, first: int) -> None:
        self._log = log
        self.first = first

    def burst(self, count: int) -> None:
        """Log as fast as it goes."""
        log, first = self._log, self.first
        for number in range(first, first + count):
            log(number)
        self.first += count

    def paced(self, count: int, per_second: float) -> dict[str, float]:
        """Log at a steady rate; return what the calls took, each timed alone and from when it was due."""
        call_ns: list[int] = []
        response_ns: list[int] = []
        began_ns = time.perf_counter_ns()
        for number in range(count):
            due_ns = began_ns + int(number / per_second * 1e9)
            while (left_ns := due_ns - time.perf_counter_ns()) > 0:
                time.sleep(left_ns / 1e9)
            before_ns = time.perf_counter_ns()
            self._log(self.first + number)
            after_ns = time.perf_counter_ns()
            call_ns.append(after_ns - before_ns)
            response_ns.append(after_ns - due_ns)
        self.first += count
        call_ns.sort()
        response_ns.sort()
        return {
            "call_p50_us": call_ns[count // 2] / 1e3,
            "call_p99_us": call_ns[count * 99 // 100] / 1e3,
            "call_max_ms": call_ns[-1] / 1e6,
            "response_p99_ms": response_ns[count * 99 // 100] / 1e6,
        }

    def sliced(
        self,
        slices: int,
        calls: int,
        *,
        pause_seconds: float = _PAUSE_SECONDS,
        catch_up_seconds: float = _CATCH_UP_SECONDS,
    ) -> dict[str, float]:
        """Log in short bursts; return the CPU time of this thread and of the process, per call."""
        process_before, thread_seconds = time.process_time(), 0.0
        for _ in range(slices):
            thread_before = time.thread_time()
            self.burst(calls)
            thread_seconds += time.thread_time() - thread_before
            time.sleep(pause_seconds)
        time.sleep(catch_up_seconds)
        count = slices * calls
        return {
            "thread_cpu_us": thread_seconds * 1e6 / count,
            "process_cpu_us": (time.process_time() - process_before) * 1e6 / count,
        }


def resident_kib() -> int:
    """Return what the process holds in memory."""
    text = Path("/proc/self/statm").read_text()
    return int(text.split()[1]) * 4


def command(name: str, place: Place, first: int, load: Load | None) -> list[str]:
    """Return the command of a caller.

    Args:
        name: Of the contender.
        place: Where it may send and write.
        first: The number of its first call.
        load: What it logs; None, only to deliver what an earlier caller left in the folder.
    """
    where = {**asdict(place), "folder": str(place.folder)}
    task = {"name": name, "place": where, "first": first, "load": load and asdict(load)}
    return [sys.executable, "-m", "tests.benchmarks.callers.caller", json.dumps(task)]


def main() -> None:
    """Run one contender; without a load, only what it left behind."""
    task = json.loads(sys.argv[1])
    place = Place(**{**task["place"], "folder": Path(task["place"]["folder"])})
    if task["load"] is None:
        _deliver_what_is_left(CONTENDERS[task["name"]].set_up(place))
        return
    load = Load(**task["load"])
    figures = {NULL_PREFIX + key: value for key, value in _of_null(place, load).items()}
    contender = CONTENDERS[task["name"]].set_up(place)
    numbered = Numbered(contender.log, task["first"])
    numbered.burst(WARM_CALLS)
    idle_kib = resident_kib()
    figures |= numbered.sliced(load.slices, load.slice_calls)
    figures |= numbered.paced(load.paced_calls, load.per_second)
    numbered.burst(load.burst)
    figures["memory_mib"] = (resident_kib() - idle_kib) / 1024
    _say({"figures": figures, "counted": contender.counted and contender.counted()})
    contender.end()
    _say({"counted": contender.counted and contender.counted()})


def _of_null(place: Place, load: Load) -> dict[str, float]:
    null = CONTENDERS[BASE].set_up(place)
    numbered = Numbered(null.log, NOBODYS)
    numbered.burst(WARM_CALLS)
    figures = numbered.sliced(load.slices, load.slice_calls, pause_seconds=0, catch_up_seconds=0)
    figures |= numbered.paced(load.paced_calls // 2, load.per_second)
    null.end()
    return figures


def _deliver_what_is_left(contender: Logging) -> None:
    contender.log(NOBODYS)  # some begin with their first record only
    contender.end()


def _say(content: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
