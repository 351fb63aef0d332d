"""The only module that touches OpenTelemetry, which may be absent, half loaded or broken.

For a record, nothing is imported that the application has not imported itself: a span can only be current
where somebody has loaded `opentelemetry.trace`.
"""

from __future__ import annotations

import sys

_TRACE = "opentelemetry.trace"
_modules = sys.modules


def current_span_context() -> object | None:
    """Return the context of the span that this thread or task is in, or None; never raises.

    It runs on the caller's time, so nothing is read of it here: ids are checked by whoever writes them down.
    """
    trace = _modules.get(_TRACE)
    if trace is None:
        return None
    try:
        span = trace.get_current_span()
        return None if span is trace.INVALID_SPAN else span.get_span_context()
    except Exception:
        # Without trace ids a record is still a record; who logs is told nothing of another library's trouble.
        return None
