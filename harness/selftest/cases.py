"""The table of known-bad stacks: what each does, what it is examined with, and which check must catch it.

A primary catch is fixed for each. Consequences are objectives that may fail as well, because the same habit
breaks them too; a failure of any other objective, or a missing primary catch, fails the self-test.
"""

from __future__ import annotations

from harness.model.declarations import Level, Part
from harness.selftest.stacks import (
    ENCRYPTING,
    FORGETFUL,
    HONEST,
    KEEPING,
    MASKING,
    SERVED_KEYS,
    SHARED,
    TRACING,
    Case,
    acting_stack,
    alerting_stack,
    dashboard_stack,
    encrypting_stack,
    finding_stack,
    gateway_stack,
    mailing_stack,
    masking_stack,
    monitored_stack,
    served_keys_stack,
    tenants_stack,
    tracing_stack,
)

LOST = "acknowledged_lost"
MISPLACED = "dead_letters_misplaced"
DUPLICATED = "duplicated"
CORRUPTED = "corrupted"
OUT_OF_ORDER = "out_of_order"
LATENCY = "response_p99_ms"
MEMORY = "memory_mib_above_idle"
EXIT = "exit_seconds"
FRESH = "fresh_record_seconds"
THROUGHPUT = "throughput_recovery_seconds"
BACKLOG = "backlog_seconds"
UNACKNOWLEDGED = "unacknowledged_percent"
MISCOUNTED = "miscounted"
LEAKED = "leaked_secrets"
NONCES = "nonces_reused"
ALERTS_MISSED = "alerts_missed"
ALERTS_REPEATED = "alerts_repeated"
ALERTS_FALSE = "alerts_false"
TRACES = "traces_incomplete"
FINDINGS_MISSED = "findings_missed"
FINDINGS_LATE = "findings_late"
FINDINGS_MISNAMED = "findings_misnamed"
FINDINGS_FALSE = "findings_false"
ANSWERS_WRONG = "answers_wrong"
ANSWERS_MISSING = "answers_missing"
ACTIONS_MISSED = "actions_missed"
ACTIONS_REPEATED = "actions_repeated"
MIXED = "namespaces_mixed"

_GATEWAY_SCENARIO = "answer_cut_then_gateway_killed"


def _alerting(name: str, habit: str, code: str, catch: str, scenario: str = "alerts") -> Case:
    return Case(name, habit, code, scenario, catch, build=alerting_stack)


def _finding(name: str, habit: str, code: str, catch: str, *consequences: str) -> Case:
    return Case(name, habit, code, "findings", catch, frozenset(consequences), build=finding_stack)


def _dashboard(name: str, habit: str, code: str, catch: str) -> Case:
    return Case(name, habit, code, "answers", catch, build=dashboard_stack)


def _acting(name: str, habit: str, code: str, catch: str) -> Case:
    return Case(name, habit, code, "actions", catch, build=acting_stack)


def _tenants(name: str, habit: str, code: str, catch: str) -> Case:
    return Case(name, habit, code, "tenants", catch, build=tenants_stack)


def _monitoring(name: str) -> str:
    return f"harness.selftest.monitoring:{name}"


def _careless(name: str) -> str:
    return f"harness.selftest.masking:{name}"


def _bug(name: str) -> str:
    return f"harness.selftest.bugs:{name}"


CASES = (
    Case("honest-outage", "none", HONEST, "outage"),
    Case("honest-answers-cut", "none", HONEST, "answer_cut"),
    Case("honest-lies", "none", HONEST, "lying_answers"),
    Case("honest-poison", "none", HONEST, "poison_document"),
    Case("honest-stopped", "none", KEEPING, "stopped", durability=Level.WRITE),
    Case("honest-folder-gone", "none", KEEPING, "folder_gone", durability=Level.WRITE),
    Case("honest-no-fault", "none", HONEST, "no_fault"),
    Case("honest-short-outage", "none", HONEST, "short_outage"),
    Case("honest-spike", "none", KEEPING, "spike_in_black_hole", durability=Level.WRITE),
    Case("honest-disk-full", "none", KEEPING, "disk_full", durability=Level.WRITE),
    Case(
        "loses-one-in-a-thousand",
        "forgets every thousandth record that it sends again",
        _bug("LosesOneInAThousand"),
        "outage",
        LOST,
        # What it lost it counts as delivered.
        frozenset({MISCOUNTED}),
    ),
    Case(
        "believes-every-200",
        "takes any answer of 200 for an acknowledgement",
        _bug("BelievesEvery200"),
        "lying_answers",
        LOST,
        frozenset({MISCOUNTED}),
    ),
    Case(
        "lets-the-store-name-things",
        "stores a batch again after its answer was cut",
        _bug("LetsTheStoreNameThings"),
        "answer_cut",
        DUPLICATED,
    ),
    Case(
        "corrupts-one-byte",
        "changes one character of one record that it sends again",
        _bug("CorruptsOneByte"),
        "outage",
        CORRUPTED,
    ),
    Case(
        "reorders", "numbers records anew when it sends them again", _bug("Reorders"), "outage", OUT_OF_ORDER
    ),
    Case(
        "blocks-the-caller",
        "holds one log call in ten for 200 ms while it retries",
        _bug("BlocksTheCaller"),
        "outage",
        LATENCY,
    ),
    Case(
        "never-recovers",
        "gives up for good after ten failures in a row",
        _bug("NeverRecovers"),
        "outage",
        FRESH,
        frozenset({LOST, THROUGHPUT, BACKLOG, EXIT}),
    ),
    Case(
        "holds-after-a-failure",
        "sends nothing for ten seconds after a failed request",
        _bug("HoldsAfterAFailure"),
        "short_outage",
        FRESH,
        # Selected alone, the scenario is judged by these as well.
        frozenset({THROUGHPUT, BACKLOG}),
    ),
    Case(
        "takes-a-minute-to-exit",
        "waits for a minute when it is closed",
        _bug("TakesAMinuteToExit"),
        "outage",
        EXIT,
    ),
    Case(
        "hides-its-drops",
        "throws records away and reports that it dropped none",
        _bug("HidesItsDrops"),
        "outage",
        MISCOUNTED,
        frozenset({UNACKNOWLEDGED}),
        acknowledged_by="callback",
    ),
    Case(
        "calls-held-delivered",
        "reports what waits as delivered while its requests fail",
        _bug("CallsHeldDelivered"),
        "outage",
        MISCOUNTED,
    ),
    Case(
        "calls-held-delivered-for-a-moment",
        "reports what waits as delivered for a second and a half of an outage",
        _bug("CallsHeldDeliveredForAMoment"),
        "outage",
        MISCOUNTED,
        lag_seconds=10.0,
    ),
    Case(
        "leaks-while-the-store-is-down",
        "keeps the buffers of every failed request",
        _bug("LeaksWhileTheStoreIsDown"),
        "outage",
        MEMORY,
    ),
    Case(
        "goes-silent",
        "takes no record any more once a request has failed",
        _bug("GoesSilent"),
        "outage",
        UNACKNOWLEDGED,
        frozenset({MISCOUNTED, FRESH, THROUGHPUT, BACKLOG}),
        acknowledged_by="callback",
    ),
    Case(
        "retries-poison-for-ever",
        "sends a batch again, whole, as long as one document of it is refused",
        _bug("RetriesPoisonForEver"),
        "poison_document",
        # The fault ends one day, and then it stores what it had to put aside: there it shows for sure.
        MISPLACED,
        frozenset({LOST, FRESH, THROUGHPUT, BACKLOG, EXIT}),
    ),
    Case("honest-gateway", "none", "HonestGateway", _GATEWAY_SCENARIO, build=gateway_stack),
    Case(
        "answers-before-it-writes",
        "a gateway that answers 200, and writes what has come once a second",
        "AnswersBeforeItWrites",
        _GATEWAY_SCENARIO,
        LOST,
        build=gateway_stack,
    ),
    Case(
        "keeps-a-part",
        "a gateway that loses the last record of a request with several",
        "KeepsAPart",
        _GATEWAY_SCENARIO,
        LOST,
        # Of what is sent to see whether it still works, the last is lost as well.
        frozenset({FRESH}),
        build=gateway_stack,
    ),
    Case(
        "keeps-a-part-of-locusts",
        "as keeps-a-part, with Locust's users for senders",
        "KeepsAPart",
        _GATEWAY_SCENARIO,
        LOST,
        frozenset({FRESH}),
        build=gateway_stack,
        load=Part("locust", {"workers": 2}),
    ),
    Case(
        "stores-a-batch-again",
        "a gateway that stores a batch again after its answer was cut",
        "StoresABatchAgain",
        _GATEWAY_SCENARIO,
        DUPLICATED,
        build=gateway_stack,
    ),
    Case(
        "throws-its-last-batch-away",
        "forgets what it could not send on a clean shutdown",
        _bug("ThrowsItsLastBatchAway"),
        "stopped",
        LOST,
        # It counts nothing of what it forgot.
        frozenset({MISCOUNTED}),
        durability=Level.WRITE,
    ),
    Case(
        "acknowledges-what-it-cannot-keep",
        "goes on taking records while its folder is gone",
        _bug("AcknowledgesWhatItCannotKeep"),
        "folder_gone",
        LOST,
        frozenset({MISCOUNTED}),
        durability=Level.WRITE,
    ),
    Case(
        "knows-ascii-only",
        "turns what is not ASCII into question marks",
        _bug("KnowsAsciiOnly"),
        "no_fault",
        CORRUPTED,
    ),
    Case(
        "stores-nothing",
        "takes every record and sends none anywhere",
        _bug("StoresNothing"),
        "no_fault",
        LOST,
        frozenset({MISCOUNTED, FRESH}),
    ),
    Case(
        "stores-all-as-debug-of-2001",
        "stores every record as DEBUG, dated 2001",
        _bug("StoresAllAsDebugOf2001"),
        "no_fault",
        CORRUPTED,
    ),
    Case(
        "swaps-neighbours-texts",
        "stores the texts of two neighbours in each other's documents",
        _bug("SwapsNeighboursTexts"),
        "no_fault",
        CORRUPTED,
        # Where the two are of one producer, they are out of order as well.
        frozenset({OUT_OF_ORDER}),
    ),
    Case("cuts-long-lines", "cuts lines at 1,500 bytes", _bug("CutsLongLines"), "no_fault", CORRUPTED),
    Case(
        "ignores-a-full-disk",
        "goes on taking records that its disk does not take",
        _bug("IgnoresAFullDisk"),
        "disk_full",
        LOST,
        frozenset({MISCOUNTED}),
        durability=Level.WRITE,
    ),
    Case(
        "grows-with-each-record",
        "keeps six KiB of memory for each record it ever took",
        _bug("GrowsWithEachRecord"),
        "spike_in_black_hole",
        MEMORY,
        durability=Level.WRITE,
    ),
    Case("honest-monitoring", "none", _monitoring("CountsByLevel"), "no_fault", build=monitored_stack),
    Case(
        "honest-monitoring-spike",
        "none",
        _monitoring("CountsByLevel"),
        "spike_in_black_hole",
        durability=Level.WRITE,
        build=monitored_stack,
    ),
    Case(
        "reports-on-the-callers-thread",
        "monitoring beside an honest handler, which lets one log call in ten wait for 200 ms",
        _monitoring("ReportsOnTheCallersThread"),
        "no_fault",
        LATENCY,
        build=monitored_stack,
    ),
    Case(
        "keeps-a-histogram-for-each-message",
        "monitoring beside an honest handler, which keeps six KiB of memory for each different message",
        _monitoring("KeepsAHistogramForEachMessage"),
        "spike_in_black_hole",
        MEMORY,
        durability=Level.WRITE,
        build=monitored_stack,
    ),
    Case("honest-masking", "none", MASKING, "secrets", build=masking_stack),
    Case(
        "leaks-through-tracebacks",
        "masks messages and fields, and stores tracebacks as they are",
        _careless("LeaksThroughTracebacks"),
        "secrets",
        LEAKED,
        build=masking_stack,
    ),
    Case(
        "leaks-into-dead-letters",
        "puts aside what the store refuses as it came",
        _careless("LeaksIntoDeadLetters"),
        "secrets",
        LEAKED,
        build=masking_stack,
    ),
    Case(
        "leaks-into-its-own-log",
        "writes what it masks into its own log",
        _careless("LeaksIntoItsOwnLog"),
        "secrets",
        LEAKED,
        build=masking_stack,
    ),
    Case("honest-mailing", "none", _careless("MailingShipper"), "secrets", build=mailing_stack),
    Case(
        "leaks-in-its-mail",
        "shows people what it masked as it came, in a mail",
        _careless("LeaksInItsMail"),
        "secrets",
        LEAKED,
        build=mailing_stack,
    ),
    Case(
        "masks-too-much",
        "masks numbers that are no secrets",
        _careless("MasksTooMuch"),
        "secrets",
        CORRUPTED,
        build=masking_stack,
    ),
    Case(
        "masks-on-the-callers-thread",
        "lets one log call in ten wait for a slow rule",
        _careless("MasksOnTheCallersThread"),
        "secrets",
        LATENCY,
        build=masking_stack,
    ),
    Case("honest-encrypting", "none", ENCRYPTING, "keys", durability=Level.WRITE, build=encrypting_stack),
    Case(
        "falls-open",
        "stores messages unsealed while no key can be had",
        "harness.selftest.encrypting:FallsOpen",
        "keys",
        LEAKED,
        durability=Level.WRITE,
        build=encrypting_stack,
    ),
    Case(
        FORGETFUL,
        "forgets the old key when it makes a new one",
        ENCRYPTING,
        "keys",
        LOST,
        frozenset({CORRUPTED}),
        durability=Level.WRITE,
        build=encrypting_stack,
    ),
    Case(
        "honest-served-keys",
        "none",
        f"{SERVED_KEYS}:ServedKeysShipper",
        "token_expired",
        durability=Level.WRITE,
        build=served_keys_stack,
    ),
    Case(
        "falls-open-when-refused",
        "stores messages unsealed while its key server refuses the token",
        f"{SERVED_KEYS}:FallsOpenWhenRefused",
        "token_expired",
        LEAKED,
        durability=Level.WRITE,
        build=served_keys_stack,
    ),
    Case("honest-tracing", "none", f"{TRACING}:TracingShipper", "traces", build=tracing_stack),
    Case(
        "loses-trace-ids",
        "sends again without the ids of the span",
        f"{TRACING}:LosesTraceIds",
        "traces",
        TRACES,
        build=tracing_stack,
    ),
    Case(
        "swaps-spans-between-threads",
        "keeps the current span in one place for all threads",
        f"{TRACING}:SwapsSpansBetweenThreads",
        "traces",
        TRACES,
        build=tracing_stack,
    ),
    Case(
        "reuses-a-nonce-after-fork",
        "counts nonces, and a forked child counts on from its parent's number",
        "harness.selftest.encrypting:ReusesNonces",
        "keys",
        NONCES,
        durability=Level.WRITE,
        build=encrypting_stack,
    ),
    _alerting("honest-alert", "none", "HonestAlert", ""),
    _alerting("alerts-twice", "tells of one firing by two messages", "AlertsTwice", ALERTS_REPEATED),
    _alerting("honest-alert-unanswered", "none", "HonestAlert", "", "alerts_answer_cut"),
    _alerting(
        "names-anew-when-unanswered",
        "makes a new message of one that got no answer",
        "NamesAnewWhenUnanswered",
        ALERTS_REPEATED,
        "alerts_answer_cut",
    ),
    _alerting("never-alerts", "tells nobody of errors", "NeverAlerts", ALERTS_MISSED),
    _alerting(
        "alerts-only-while-the-store-is-up",
        "asks the store for errors, and tells nobody while it is down",
        "AlertsOnlyWhileTheStoreIsUp",
        ALERTS_MISSED,
    ),
    _alerting(
        "forgets-at-restart",
        "tells again after a restart what it told before it",
        "ForgetsAtRestart",
        ALERTS_REPEATED,
    ),
    _alerting(
        "has-no-cooldown", "tells of every error beyond the threshold", "HasNoCooldown", ALERTS_REPEATED
    ),
    _alerting("honest-alert-clock-jump", "none", "HonestAlert", "", "clock_jump"),
    _alerting(
        "counts-by-the-time-of-day",
        "counts the cooldown of an alert by a clock that can be set",
        "CountsByTheTimeOfDay",
        ALERTS_MISSED,
        "clock_jump",
    ),
    _alerting("alerts-on-nothing", "tells of a single error", "AlertsOnNothing", ALERTS_FALSE),
    _finding("honest-findings", "none", "HonestFinder", ""),
    _finding("sees-nothing", "finds nothing, whatever happens", "SeesNothing", FINDINGS_MISSED),
    _finding("cries-wolf", "takes a burst of honest load for trouble", "CriesWolf", FINDINGS_FALSE),
    _finding("blames-the-keys", "has one name for all trouble", "BlamesTheKeys", FINDINGS_MISNAMED),
    _finding("finds-late", "waits until trouble has lasted for long", "FindsLate", FINDINGS_LATE),
    _dashboard("honest-dashboard", "none", "HonestDashboard", ""),
    _dashboard("serves-stale-as-fresh", "shows old answers as new", "ServesStaleAsFresh", ANSWERS_WRONG),
    _dashboard(
        "caches-across-namespaces",
        "shows one namespace's answers to another",
        "CachesAcrossNamespaces",
        ANSWERS_WRONG,
    ),
    _dashboard("goes-blank", "shows nothing while the store is down", "GoesBlank", ANSWERS_MISSING),
    _acting("honest-engines", "none", "HonestActor", ""),
    _acting("acts-twice", "has two engines that both lead", "ActsTwice", ACTIONS_REPEATED),
    _acting("never-acts", "has two engines that each wait for the other", "NeverActs", ACTIONS_MISSED),
    _tenants("honest-tenants", "none", f"{SHARED}:TenantsShipper", ""),
    _tenants(
        "stores-in-the-wrong-namespace",
        "stores what it sends again with the tenant of the batch's first record",
        f"{SHARED}:StoresInTheWrongNamespace",
        MIXED,
    ),
    _tenants(
        "forgets-whose-it-is",
        "stores what it sends again where no tenant looks",
        f"{SHARED}:ForgetsWhoseItIs",
        MIXED,
    ),
    _tenants("shows-everybody", "shows one tenant the lines of all", "ShowsEverybody", MIXED),
)
