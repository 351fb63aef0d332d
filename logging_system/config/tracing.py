"""Makes of the settings what traces the pipeline, decided here for handler, shipper and gateway alike."""

from __future__ import annotations

from collections.abc import Callable

from logging_system.config.settings import Settings
from logging_system.monitoring._otel import open_tracer
from logging_system.monitoring.events import Event, TracingUnavailable
from logging_system.monitoring.tracing import NO_TRACING, Tracing

_TROUBLE_CHARACTERS_MAX = 300


def tracing_of(settings: Settings, emit: Callable[[Event], None]) -> Tracing:
    """Return what makes spans of the pipeline, or nothing where that is not asked for or not possible.

    Args:
        settings: The settings.
        emit: Told why spans that are asked for cannot be made, and which are dropped later.
    """
    if settings.traces_file is None and settings.traces_endpoint is None:
        return NO_TRACING
    try:
        tracer = open_tracer(
            settings.service, emit, file=settings.traces_file, endpoint=settings.traces_endpoint
        )
    except Exception as error:  # without spans, or with an SDK that is broken, records go their way
        remedy = "; pip install 'logquake[opentelemetry]'" if isinstance(error, ImportError) else ""
        trouble = f"{type(error).__name__}: {error}"[:_TROUBLE_CHARACTERS_MAX]
        emit(TracingUnavailable(trouble=trouble + remedy))
        return NO_TRACING
    return Tracing(tracer, settings.traces_sampled)
