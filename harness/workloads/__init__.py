"""When records are due, one file a kind."""

from harness.family import Family, Kind

WORKLOADS = Family(
    "workload",
    {
        "steady": Kind("harness.workloads.steady:Steady", "a constant rate"),
    },
)
