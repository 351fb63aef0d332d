"""How near its own limit the load generator was, so that nobody takes that limit for the stack's."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judging.call_times import outages_of, timings_of
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.facts import CORES_LOAD
from harness.model.result import LoadGenerator, RequestCount

LATE_MS = 50.0
"""Later than this by the harness's own doing, a record counts as late."""

LATE_SHARE = 0.01
BUSY_CORES = 0.7
"""A process that sends and takes less of a core than this is not at its own limit."""

_CORE_SECONDS_MIN = 0.2


def generator(timeline: Timeline) -> LoadGenerator | None:
    """Return what the load's own tool counted, and what it took to send; None where there is no such tool."""
    if not timeline.counted:
        return None
    workers = timeline.samples_by_process(CORES_LOAD)
    sending = [
        (sample.at_ns, sample.value)
        for samples in workers.values()
        for sample in samples
        if timeline.began_ns <= sample.at_ns <= timeline.phases.get("drain", timeline.ended_ns)
    ]
    # Samples are a second apart, so that their sum is in core-seconds.
    core_seconds = sum(value for _, value in sending)
    sent = sum(entry.sent_ns is not None for entry in timeline.scheduled())
    return LoadGenerator(
        tool=timeline.counted[0].tool,
        requests=tuple(
            RequestCount(each.method, each.name, each.requests, each.failures, each.p50_ms, each.p95_ms)
            for each in timeline.counted
        ),
        processes=len(workers),
        cores_peak=max((value for _, value in sending), default=0.0),
        records_per_core_second=round(sent / core_seconds, 1) if core_seconds >= _CORE_SECONDS_MIN else None,
        late=sum(ms > LATE_MS for ms in _lateness_ms(timeline)),
        late_ms=LATE_MS,
    )


def generator_remarks(timeline: Timeline) -> list[str]:
    """Say where the generator itself did not keep up; empty where it did, or is none with figures."""
    found = generator(timeline)
    due = len(timeline.scheduled())
    if found is None or found.late <= LATE_SHARE * due:
        return []
    worst_ms = max(_lateness_ms(timeline))
    carried = found.records_per_core_second
    limit = "" if carried is None else f", and a core carried {carried:,.0f} records/s"
    why = "Send slower, or with more workers on more cores."
    if found.cores_peak < BUSY_CORES:
        why = "It had time left and was not let run: leave it the machine."
    return [
        f"The load generator did not keep up: {found.late:,} of {count(due, 'record')} were sent up to "
        f"{worst_ms:,.0f} ms late though no call was under way; its busiest process took "
        f"{found.cores_peak:.2f} of a core{limit}. That is not the stack's. {why}"
    ]


def _lateness_ms(timeline: Timeline) -> Iterator[float]:
    """Yield the harness's own lateness with each record; where a fault held the sending up, it has none."""
    return (
        timing.response_ms - timing.own_ms
        for timing in timings_of(timeline, outages_of(timeline))
        if timing.sent and not timing.cut and not timing.behind and not timing.away
    )
