"""What is sent: the kinds of load, when records are due, and how they enter a stack."""

from harness.model.registry import Family, Kind

LOADS = Family(
    "load",
    {
        "hosted": Kind(
            "harness.load.hosted:HostedLoad",
            "an application process that logquake starts, a control, and an oracle that watches both",
        ),
        "locust": Kind(
            "harness.load.locust.load:LocustLoad",
            "Locust's master and workers, whose users post to an HTTP intake; needs the extra `load`",
        ),
    },
)
