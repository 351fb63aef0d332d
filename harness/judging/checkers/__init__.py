"""Promises judged from facts, one file a promise.

A check has one word: it is the key here, the name of its module, and the id of its verdict.
"""

from harness.model.registry import Family, Kind

CHECKERS = Family(
    "check",
    {
        "acknowledged_lost": Kind(
            "harness.judging.checkers.acknowledged_lost:AcknowledgedLost",
            "every acknowledged record can be read back",
        ),
        "dead_letters_misplaced": Kind(
            "harness.judging.checkers.dead_letters_misplaced:DeadLettersMisplaced",
            "dead letters hold what the store refuses for good, and nothing else",
        ),
        "duplicated": Kind(
            "harness.judging.checkers.duplicated:Duplicated",
            "no record is stored more often than promised",
        ),
        "corrupted": Kind(
            "harness.judging.checkers.corrupted:Corrupted",
            "every stored line is, byte for byte, a line that was sent",
        ),
        "leaked_secrets": Kind(
            "harness.judging.checkers.leaked_secrets:LeakedSecrets",
            "no secret is seen in the clear anywhere",
        ),
        "namespaces_mixed": Kind(
            "harness.judging.checkers.namespaces_mixed:NamespacesMixed",
            "each tenant reads its own records, and nobody else's",
        ),
        "nonces_reused": Kind(
            "harness.judging.checkers.nonces_reused:NoncesReused",
            "no nonce seals two things under one key",
        ),
        "out_of_order": Kind(
            "harness.judging.checkers.out_of_order:OutOfOrder",
            "each producer's records can be read in the order they were sent",
        ),
        "fresh_record_seconds": Kind(
            "harness.judging.checkers.fresh_record_seconds:FreshRecordSeconds",
            "a fresh record arrives in time after healing",
        ),
        "throughput_recovery_seconds": Kind(
            "harness.judging.checkers.throughput_recovery_seconds:ThroughputRecoverySeconds",
            "after healing, the store soon takes in as much as before the fault",
        ),
        "backlog_seconds": Kind(
            "harness.judging.checkers.backlog_seconds:BacklogSeconds",
            "after healing, the backlog is soon gone",
        ),
        "response_p99_ms": Kind(
            "harness.judging.checkers.response_p99_ms:ResponseP99Ms",
            "the log call returns in time, in every phase",
        ),
        "memory_mib_above_idle": Kind(
            "harness.judging.checkers.memory_mib_above_idle:MemoryMibAboveIdle",
            "memory stays bounded, faults or not",
        ),
        "exit_seconds": Kind(
            "harness.judging.checkers.exit_seconds:ExitSeconds",
            "the application and the stack's processes end in time",
        ),
        "descriptors_above_idle": Kind(
            "harness.judging.checkers.descriptors_above_idle:DescriptorsAboveIdle",
            "open descriptors stay bounded",
        ),
        "disk_mib_above_idle": Kind(
            "harness.judging.checkers.disk_mib_above_idle:DiskMibAboveIdle",
            "what is kept on disk stays bounded",
        ),
        "unacknowledged_percent": Kind(
            "harness.judging.checkers.unacknowledged_percent:UnacknowledgedPercent",
            "what is neither refused nor counted as dropped is acknowledged",
        ),
        "alerts_missed": Kind(
            "harness.judging.checkers.alerts_missed:AlertsMissed",
            "every time that errors cross the promised threshold, an alert comes on every channel",
        ),
        "alerts_late": Kind(
            "harness.judging.checkers.alerts_late:AlertsLate",
            "alerts come in time, and soon after what kept them back was healed",
        ),
        "alerts_repeated": Kind(
            "harness.judging.checkers.alerts_repeated:AlertsRepeated",
            "one firing is told once within the promised cooldown",
        ),
        "alerts_false": Kind(
            "harness.judging.checkers.alerts_false:AlertsFalse",
            "no alert comes without enough errors",
        ),
        "findings_missed": Kind(
            "harness.judging.checkers.findings_missed:FindingsMissed",
            "the stack finds every fault that hurts it long enough",
        ),
        "findings_late": Kind(
            "harness.judging.checkers.findings_late:FindingsLate",
            "faults are found in time",
        ),
        "findings_misnamed": Kind(
            "harness.judging.checkers.findings_misnamed:FindingsMisnamed",
            "a finding names the cause that the fault is",
        ),
        "findings_false": Kind(
            "harness.judging.checkers.findings_false:FindingsFalse",
            "nothing is found where nothing is wrong",
        ),
        "answers_wrong": Kind(
            "harness.judging.checkers.answers_wrong:AnswersWrong",
            "what the stack answers about its records is true of the time that it says",
        ),
        "answers_missing": Kind(
            "harness.judging.checkers.answers_missing:AnswersMissing",
            "questions are answered all the time, also from what was known before",
        ),
        "actions_missed": Kind(
            "harness.judging.checkers.actions_missed:ActionsMissed",
            "something is done about every fault that the stack promises to act on",
        ),
        "actions_repeated": Kind(
            "harness.judging.checkers.actions_repeated:ActionsRepeated",
            "about one finding a thing is done once",
        ),
        "miscounted": Kind(
            "harness.judging.checkers.miscounted:Miscounted",
            "the stack's own counters agree with what was measured",
        ),
        "traces_incomplete": Kind(
            "harness.judging.checkers.traces_incomplete:TracesIncomplete",
            "every record logged in a span is stored with that span's ids",
        ),
    },
)
