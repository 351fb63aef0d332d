"""A complete centralized logging stack for Python.

```python
import logging, logging_system
logging_system.install("http://localhost:9200", service="checkout")
logging.getLogger(__name__).info("paid", extra={"order": 42})
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logging_system.coordination.engine import AICoordinationEngine
    from logging_system.installation import Installation, Stats, install, installed_handler
    from logging_system.monitoring.advanced_handler import AdvancedMonitoringHandler
    from logging_system.monitoring.findings import log_findings
    from logging_system.records.namespaces import namespace
    from logging_system.watch_thread import WatchThread, start_watch

__all__ = [
    "AICoordinationEngine",
    "AdvancedMonitoringHandler",
    "Installation",
    "Stats",
    "WatchThread",
    "install",
    "installed_handler",
    "log_findings",
    "namespace",
    "start_watch",
]
_LATE = {
    "AICoordinationEngine": "coordination.engine",
    "AdvancedMonitoringHandler": "monitoring.advanced_handler",
    "WatchThread": "watch_thread",
    "log_findings": "monitoring.findings",
    "namespace": "records.namespaces",
    "start_watch": "watch_thread",
}


def __getattr__(name: str) -> Any:
    # Late, because who takes the handler or the spool alone should not pay for settings and client.
    if name in _LATE:
        return getattr(import_module(f"logging_system.{_LATE[name]}"), name)
    if name in __all__:
        from logging_system import installation

        return getattr(installation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
