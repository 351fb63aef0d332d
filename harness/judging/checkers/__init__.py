"""Promises judged from facts, one file a promise."""

from harness.model.registry import Family, Kind

CHECKERS = Family(
    "check",
    {
        "conservation": Kind(
            "harness.judging.checkers.conservation:Conservation", "every acknowledged record can be read back"
        ),
        "dead_letters": Kind(
            "harness.judging.checkers.dead_letters:DeadLetters",
            "dead letters hold what the store refuses for good, and nothing else",
        ),
        "duplication": Kind(
            "harness.judging.checkers.duplication:Duplication", "no record is stored more often than promised"
        ),
        "integrity": Kind(
            "harness.judging.checkers.integrity:Integrity",
            "every stored line is, byte for byte, a line that was sent",
        ),
        "order": Kind(
            "harness.judging.checkers.order:Order",
            "each producer's records can be read in the order they were sent",
        ),
        "liveness": Kind(
            "harness.judging.checkers.liveness:Liveness", "a fresh record arrives after healing"
        ),
        "throughput_recovery": Kind(
            "harness.judging.checkers.recovery_time:ThroughputRecovery",
            "after healing, the store soon takes in as much as before the fault",
        ),
        "backlog_recovery": Kind(
            "harness.judging.checkers.recovery_time:BacklogRecovery",
            "after healing, the backlog is soon gone",
        ),
        "caller_latency": Kind(
            "harness.judging.checkers.caller_latency:CallerLatency",
            "the log call returns in time, in every phase",
        ),
        "memory": Kind("harness.judging.checkers.bounds:Memory", "memory stays bounded, faults or not"),
        "exit_time": Kind("harness.judging.checkers.exit_time:ExitTime", "who is told to end ends in time"),
        "descriptors": Kind("harness.judging.checkers.bounds:Descriptors", "open descriptors stay bounded"),
        "disk": Kind("harness.judging.checkers.bounds:Disk", "what is kept on disk stays bounded"),
        "acknowledged_share": Kind(
            "harness.judging.checkers.acknowledged_share:AcknowledgedShare",
            "what is neither refused nor counted as dropped is acknowledged",
        ),
        "accounting": Kind(
            "harness.judging.checkers.accounting:Accounting",
            "the stack's own counters agree with what was measured",
        ),
    },
)
