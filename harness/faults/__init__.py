"""Ways to hurt a target, one file a kind."""

from harness.family import Family, Kind

FAULTS = Family(
    "fault",
    {
        "connection_reset": Kind(
            "harness.faults.connection_reset:ConnectionReset", "connections are reset as soon as data flows"
        ),
        "black_hole": Kind("harness.faults.black_hole:BlackHole", "bytes vanish, connections stay open"),
        "latency": Kind("harness.faults.latency:Latency", "everything through a link takes longer"),
        "bandwidth": Kind("harness.faults.bandwidth:Bandwidth", "a link takes only so many bytes a second"),
        "flapping": Kind(
            "harness.faults.flapping:Flapping", "a link goes down and comes up, again and again"
        ),
        "frozen": Kind(
            "harness.faults.frozen:Frozen", "a process stands still (SIGSTOP), its connections open"
        ),
        "spike": Kind("harness.faults.spike:Spike", "the workload's own spike, proved to have come"),
        "killed": Kind(
            "harness.faults.killed:Killed", "a process is killed by SIGKILL and started again at the end"
        ),
    },
)
