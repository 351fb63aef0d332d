"""Ways to hurt a target, one file a kind."""

from harness.family import Family, Kind

FAULTS = Family(
    "fault",
    {
        "connection_reset": Kind(
            "harness.faults.connection_reset:ConnectionReset", "connections are reset as soon as data flows"
        ),
        "black_hole": Kind("harness.faults.black_hole:BlackHole", "bytes vanish, connections stay open"),
        "killed": Kind(
            "harness.faults.killed:Killed", "a process is killed by SIGKILL and started again at the end"
        ),
    },
)
