"""The process that logs through one contender and tells what it cost, as one JSON line before it ends."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.benchmarks.callers.contenders import CONTENDERS, Log, Place

_WARM_CALLS = 200


def paced(log: Log, count: int, per_second: float) -> dict[str, float]:
    """Log at a steady rate; return what the calls took, each timed alone and from when it was due."""
    call_ns: list[int] = []
    response_ns: list[int] = []
    cpu_before_seconds = time.process_time()
    began_ns = time.perf_counter_ns()
    for number in range(count):
        due_ns = began_ns + int(number / per_second * 1e9)
        while (left_ns := due_ns - time.perf_counter_ns()) > 0:
            time.sleep(left_ns / 1e9)
        before_ns = time.perf_counter_ns()
        log(number)
        after_ns = time.perf_counter_ns()
        call_ns.append(after_ns - before_ns)
        response_ns.append(after_ns - due_ns)
    cpu_seconds = time.process_time() - cpu_before_seconds
    call_ns.sort()
    response_ns.sort()
    return {
        "call_p50_us": call_ns[count // 2] / 1e3,
        "call_p99_us": call_ns[count * 99 // 100] / 1e3,
        "call_max_ms": call_ns[-1] / 1e6,
        "response_p99_ms": response_ns[count * 99 // 100] / 1e6,
        "paced_cpu_us": cpu_seconds * 1e6 / count,
    }


def tight(log: Log, count: int) -> dict[str, float]:
    """Log as fast as it goes; return the CPU time of this thread and of the process, per call."""
    thread_before, process_before = time.thread_time(), time.process_time()
    for number in range(count):
        log(number)
    return {
        "thread_cpu_us": (time.thread_time() - thread_before) * 1e6 / count,
        "tight_cpu_us": (time.process_time() - process_before) * 1e6 / count,
    }


def resident_kib() -> int:
    """Return what the process holds in memory."""
    text = Path("/proc/self/statm").read_text()
    return int(text.split()[1]) * 4


def main() -> None:
    """Run one contender: name, host, port, folder, paced calls, calls a second, tight calls."""
    name, host, port, folder, calls, per_second, burst = sys.argv[1:]
    log, end = CONTENDERS[name](Place(host, int(port), Path(folder)))
    for number in range(_WARM_CALLS):
        log(number)
    idle_kib = resident_kib()
    figures = {**paced(log, int(calls), float(per_second)), **tight(log, int(burst))}
    figures["memory_mib"] = (resident_kib() - idle_kib) / 1024
    sent = _WARM_CALLS + int(calls) + int(burst)
    sys.stdout.write(json.dumps({**figures, "sent": sent}) + "\n")
    sys.stdout.flush()
    end()


if __name__ == "__main__":
    main()
