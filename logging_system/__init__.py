"""A complete centralized logging stack for Python.

```python
import logging, logging_system
logging_system.install("http://localhost:9200", service="checkout")
logging.getLogger(__name__).info("paid", extra={"order": 42})
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logging_system.alerting.watch_thread import WatchThread, start_watch
    from logging_system.installation import Installation, Stats, install, installed_handler

__all__ = ["Installation", "Stats", "WatchThread", "install", "installed_handler", "start_watch"]


def __getattr__(name: str) -> Any:
    # Late, because who takes the handler or the spool alone should not pay for settings and client.
    if name in {"WatchThread", "start_watch"}:
        from logging_system.alerting import watch_thread

        return getattr(watch_thread, name)
    if name in __all__:
        from logging_system import installation

        return getattr(installation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
