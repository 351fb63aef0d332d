"""When records are due, one file a kind."""

from harness.family import Family, Kind

WORKLOADS = Family(
    "workload",
    {
        "spike": Kind("harness.workloads.spike:Spike", "a constant rate, and for a while a multiple of it"),
        "steady": Kind("harness.workloads.steady:Steady", "a constant rate"),
    },
)
