"""Answers about what is stored: rates, latencies, errors, templates by namespace; and their cache.

```python
from logging_system.analytics import Analytics, Window
with Analytics.connect(["http://localhost:9200"], namespaces=["default"]) as analytics:
    print(analytics.rates(analytics.window("15m")).by_level)
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logging_system.analytics.analytics import Analytics
    from logging_system.analytics.answers import Partial
    from logging_system.analytics.comparing import Change, Comparison
    from logging_system.analytics.following import Follower
    from logging_system.analytics.latency import Latency
    from logging_system.analytics.lines import Found, Line
    from logging_system.analytics.noisiest import NewLoggers, Noisiest
    from logging_system.analytics.rates import BucketState, RateBucket, Rates
    from logging_system.analytics.reach import ForeignAnswerError, OutOfReachError, Reach
    from logging_system.analytics.storage import NamespaceStorage, Storage
    from logging_system.analytics.store_queries import (
        QueryRefusedError,
        StoreQueries,
        StoreQueryError,
        StoreUnavailableError,
    )
    from logging_system.analytics.templates import NewTemplates, Template, TopTemplates
    from logging_system.analytics.windows import Interval, Window

_PLACES = {
    "analytics": ("Analytics",),
    "answers": ("Partial",),
    "comparing": ("Change", "Comparison"),
    "following": ("Follower",),
    "latency": ("Latency",),
    "lines": ("Found", "Line"),
    "noisiest": ("NewLoggers", "Noisiest"),
    "rates": ("BucketState", "RateBucket", "Rates"),
    "reach": ("ForeignAnswerError", "OutOfReachError", "Reach"),
    "storage": ("NamespaceStorage", "Storage"),
    "store_queries": ("QueryRefusedError", "StoreQueries", "StoreQueryError", "StoreUnavailableError"),
    "templates": ("NewTemplates", "Template", "TopTemplates"),
    "windows": ("Interval", "Window"),
}
_LATE = {name: place for place, names in _PLACES.items() for name in names}

__all__ = [
    "Analytics",
    "BucketState",
    "Change",
    "Comparison",
    "Follower",
    "ForeignAnswerError",
    "Found",
    "Interval",
    "Latency",
    "Line",
    "NamespaceStorage",
    "NewLoggers",
    "NewTemplates",
    "Noisiest",
    "OutOfReachError",
    "Partial",
    "QueryRefusedError",
    "RateBucket",
    "Rates",
    "Reach",
    "Storage",
    "StoreQueries",
    "StoreQueryError",
    "StoreUnavailableError",
    "Template",
    "TopTemplates",
    "Window",
]


def __getattr__(name: str) -> Any:
    # Late, because whoever takes one part should not pay for the client of the store.
    if name in _LATE:
        return getattr(import_module(f"logging_system.analytics.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
