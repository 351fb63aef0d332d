"""Ways to read a stack's own counters, one file a kind."""

from harness.model.registry import Family, Kind

COUNTERS = Family(
    "counters",
    {
        "json_file": Kind("harness.evidence.counters.json_file:JsonFileCounters", "JSON files, summed up"),
        "prometheus": Kind(
            "harness.evidence.counters.prometheus:PrometheusCounters", "a Prometheus text page"
        ),
    },
)
