"""Ways to read a stack's own counters, one file a kind."""

from harness.family import Family, Kind

COUNTERS = Family(
    "counters",
    {
        "json_file": Kind("harness.counters.json_file:JsonFileCounters", "JSON files, summed up"),
        "prometheus": Kind("harness.counters.prometheus:PrometheusCounters", "a Prometheus text page"),
    },
)
