"""Promises judged from facts, one file a promise."""

from harness.family import Family, Kind

CHECKERS = Family(
    "check",
    {
        "conservation": Kind(
            "harness.checkers.conservation:Conservation", "every acknowledged record can be read back"
        ),
        "dead_letters": Kind(
            "harness.checkers.dead_letters:DeadLetters",
            "dead letters hold what the store refuses for good, and nothing else",
        ),
        "duplication": Kind(
            "harness.checkers.duplication:Duplication", "no record is stored more often than promised"
        ),
        "integrity": Kind(
            "harness.checkers.integrity:Integrity",
            "every stored line is, byte for byte, a line that was sent",
        ),
        "order": Kind(
            "harness.checkers.order:Order", "each producer's records can be read in the order they were sent"
        ),
        "liveness": Kind("harness.checkers.liveness:Liveness", "a fresh record arrives after healing"),
        "throughput_recovery": Kind(
            "harness.checkers.recovery_time:ThroughputRecovery",
            "after healing, the store soon takes in as much as before the fault",
        ),
        "backlog_recovery": Kind(
            "harness.checkers.recovery_time:BacklogRecovery", "after healing, the backlog is soon gone"
        ),
        "caller_latency": Kind(
            "harness.checkers.caller_latency:CallerLatency", "the log call returns in time, in every phase"
        ),
        "memory": Kind("harness.checkers.bounds:Memory", "memory stays bounded, faults or not"),
        "exit_time": Kind("harness.checkers.exit_time:ExitTime", "who is told to end ends in time"),
        "descriptors": Kind("harness.checkers.bounds:Descriptors", "open descriptors stay bounded"),
        "disk": Kind("harness.checkers.bounds:Disk", "what is kept on disk stays bounded"),
        "acknowledged_share": Kind(
            "harness.checkers.acknowledged_share:AcknowledgedShare",
            "what is neither refused nor counted as dropped is acknowledged",
        ),
        "accounting": Kind(
            "harness.checkers.accounting:Accounting", "the stack's own counters agree with what was measured"
        ),
    },
)
