"""Promises judged from facts, one file a promise."""

from harness.family import Family, Kind

CHECKERS = Family(
    "check",
    {
        "conservation": Kind(
            "harness.checkers.conservation:Conservation", "every acknowledged record can be read back"
        ),
        "duplication": Kind(
            "harness.checkers.duplication:Duplication", "no record is stored more often than promised"
        ),
        "integrity": Kind(
            "harness.checkers.integrity:Integrity",
            "every stored line is, byte for byte, a line that was sent",
        ),
        "liveness": Kind("harness.checkers.liveness:Liveness", "a fresh record arrives after healing"),
        "caller_latency": Kind(
            "harness.checkers.caller_latency:CallerLatency", "the log call returns in time, in every phase"
        ),
    },
)
