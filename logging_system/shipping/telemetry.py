"""Gives the metrics of a spool folder to OpenTelemetry, from the one process that ships it.

Whoever ships a folder sees the counters of all its processes, those that were killed included; so each number
is given once, however many processes there are.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from logging_system.config.settings import Settings
from logging_system.monitoring.readings import read_spool


def exporting_metrics(
    settings: Settings, folder: Path, status_path: Path, trouble: Callable[[str], None], *, own_provider: bool
) -> contextlib.AbstractContextManager[None]:
    """Return a block while which OpenTelemetry has the metrics; one that does nothing where nobody asked.

    Args:
        settings: The settings.
        folder: The spool folder.
        status_path: Where the shipper states its counters.
        trouble: Told why it does not work.
        own_provider: Whether the process sends OTLP itself; otherwise its application's provider does.
    """
    if not settings.opentelemetry_metrics:
        return contextlib.nullcontext()
    # Only here: whoever did not ask for it loads nothing of it.
    from logging_system.monitoring._otel_metrics import exporting

    return exporting(
        lambda: read_spool(folder, status_path, time.time()),
        trouble,
        service=settings.service,
        own_provider=own_provider,
    )
