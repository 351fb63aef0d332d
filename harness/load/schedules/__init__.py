"""When records are due, one file a kind."""

from harness.model.registry import Family, Kind

SCHEDULES = Family(
    "schedule",
    {
        "spike": Kind(
            "harness.load.schedules.spike:Spike", "a constant rate, and for a while a multiple of it"
        ),
        "steady": Kind("harness.load.schedules.steady:Steady", "a constant rate"),
    },
)
