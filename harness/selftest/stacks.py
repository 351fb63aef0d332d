"""The stacks of the self-test: what each declares, around the code that is at work in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.deployments.key_server_specs import VAULT_TOKEN
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.transforms import MASK
from harness.model.declarations import (
    Actions,
    AlertChannel,
    Alerts,
    Answers,
    CounterSource,
    DeadLetterOutlet,
    Fields,
    Findings,
    Keys,
    Level,
    Namespaces,
    Part,
    Promises,
    Ready,
    Stack,
    StackProcess,
)
from harness.selftest.alerting import COOLDOWN_SECONDS, THRESHOLD, WINDOW_SECONDS
from harness.selftest.dashboard import EVERY_SECONDS, OWN
from harness.selftest.finding import DEADLINE_SECONDS, FILE_NAME
from harness.selftest.shipper import WAITING_RECORDS_MAX
from harness.selftest.tenants import EXTRA, TENANTS

HONEST = "harness.selftest.shipper:HonestShipper"
KEEPING = "harness.selftest.keeping:KeepingShipper"
MASKING = "harness.selftest.masking:MaskingShipper"
TRACING = "harness.selftest.tracing"
ENCRYPTING = "harness.selftest.encrypting:EncryptingShipper"
SERVED_KEYS = "harness.selftest.served_keys"
ALERTING = "harness.selftest.alerting"
FINDING = "harness.selftest.finding"
DASHBOARD = "harness.selftest.dashboard"
ACTING = "harness.selftest.acting"
SHARED = "harness.selftest.tenants"
FORGETFUL = "drops-the-old-key-too-early"
_COUNTERS = ("accepted", "delivered", "dead_lettered", "dropped", "held")
_INDEX = {"index": "logs-selftest-{run.id}"}
_ARCHIVE = Part("elasticsearch", {"url": "{elasticsearch.url}", **_INDEX})


@dataclass(frozen=True, slots=True)
class Case:
    """One stack of the self-test; `catch` is empty for the honest twin, which must pass.

    `code` names what is at work: the class of a handler, or the habit of a gateway.
    """

    name: str
    habit: str
    code: str
    scenario: str
    catch: str = ""
    consequences: frozenset[str] = frozenset()
    acknowledged_by: str = "return"
    durability: Level = Level.MEMORY
    line_bytes_max: int | None = None
    lag_seconds: float = 2.0
    build: Callable[[Case], Stack] | None = None
    load: Part | None = None
    """What sends, in place of the scenario's own load."""

    def stack(self) -> Stack:
        """Return the stack under test."""
        return (self.build or handler_stack)(self)


def handler_stack(case: Case) -> Stack:
    """Return one handler in the application, with no process of its own."""
    folder = "{run.folder}/shipper"
    return Stack(
        name=case.name,
        needs=("elasticsearch",),
        links={"to_store": "elasticsearch"},
        processes=(),
        files={"spool": (f"{folder}/*",)},
        intake=Part(
            "python_logging",
            {"handler": case.code, "url": "{to_store.url}", "folder": folder, **_INDEX},
        ),
        acknowledged_by=case.acknowledged_by,
        archive=_ARCHIVE,
        dead_letters=DeadLetterOutlet(
            Part("file", {"path": f"{folder}/dead-letters.ndjson", "field": "document.message"}),
            "reason",
        ),
        counters=CounterSource(
            Part("json_file", {"files": f"{folder}/counters.json"}),
            {name: (name,) for name in _COUNTERS},
            case.lag_seconds,
        ),
        fields=Fields({"time": "@timestamp", "level": "log.level"}),
        promises=Promises(
            durability=case.durability,
            exit_seconds=5.0,
            memory_mib_above_idle=64.0,
            held_records_max=WAITING_RECORDS_MAX,
            order_by=("event.sequence",),
            line_bytes_max=case.line_bytes_max,
        ),
    )


def monitored_stack(case: Case) -> Stack:
    """Return an honest handler with another beside it, which is at work."""
    stack = handler_stack(case)
    honest = KEEPING if case.durability is Level.WRITE else HONEST
    arguments = {**stack.intake.arguments, "handler": honest, "beside": case.code}
    return replace(stack, intake=replace(stack.intake, arguments=arguments))


def masking_stack(case: Case) -> Stack:
    """Return a handler that promises to keep secrets, and may change nothing but these."""
    stack = handler_stack(case)
    promises = replace(stack.promises, secrets=tuple(KINDS), memory_mib_above_idle=None)
    return replace(stack, promises=promises, transforms=(MASK,))


def tracing_stack(case: Case) -> Stack:
    """Return a handler that promises to store in which span a record was logged."""
    stack = handler_stack(case)
    fields = replace(stack.fields, paths={**stack.fields.paths, "trace": "trace.id", "span": "span.id"})
    promises = replace(stack.promises, traces=True, memory_mib_above_idle=None)
    return replace(stack, fields=fields, promises=promises)


def encrypting_stack(case: Case) -> Stack:
    """Return a handler that seals what it stores, with the keyring that it makes and the commands for it."""
    stack = handler_stack(case)
    keyring = "{run.folder}/keys/keyring.json"
    work = ("{python}", "-m", "harness.selftest.keyring")
    rotate = "rotate_and_forget" if case.name == FORGETFUL else "rotate"
    return replace(
        stack,
        decode=(*work, "decode", keyring),
        dead_letters=None,
        counters=None,
        keys=Keys(
            (*work, rotate, keyring),
            (*work, "status", keyring),
            provider=(keyring,),
            nonces=(*work, "nonces", keyring),
        ),
        promises=replace(stack.promises, secrets=tuple(KINDS), memory_mib_above_idle=None),
    )


def served_keys_stack(case: Case) -> Stack:
    """Return a handler that seals what it stores under data keys that a key server wraps."""
    stack = handler_stack(case)
    token = {"token": VAULT_TOKEN}
    arguments = {**stack.intake.arguments, "key_server": "{to_kms.url}", **token}
    return replace(
        stack,
        needs=(*stack.needs, "vault"),
        links={**stack.links, "to_kms": "vault"},
        intake=replace(stack.intake, arguments=arguments),
        decode=("{python}", "-m", SERVED_KEYS, "{vault.url}", VAULT_TOKEN),
        dead_letters=None,
        counters=None,
        promises=replace(stack.promises, secrets=tuple(KINDS), memory_mib_above_idle=None),
    )


def gateway_stack(case: Case) -> Stack:
    """Return a gateway that applications post to, up to 20 records in a request."""
    arguments = (case.code, "{gateway.port}", "{run.folder}/gateway", "{to_store.url}", _INDEX["index"])
    return Stack(
        name=case.name,
        needs=("elasticsearch",),
        links={"to_store": "elasticsearch"},
        processes=(
            StackProcess(
                "gateway",
                ("{python}", "-m", "harness.selftest.gateway", *arguments),
                ready=Ready(output='"ready": true'),
            ),
        ),
        intake=Part("http", {"url": "{gateway.url}/", "records_per_request": 20}),
        acknowledged_by="http_2xx",
        archive=_ARCHIVE,
        promises=Promises(durability=Level.FSYNC),
    )


def alerting_stack(case: Case) -> Stack:
    """Return the honest shipper, with a process beside it that tells a webhook of errors."""
    stack = handler_stack(replace(case, code=f"{ALERTING}:NotingShipper"))
    arguments = (case.code, "{run.folder}/shipper", "{to_webhook.url}/{run.id}", "{to_store.url}")
    webhook = AlertChannel(
        *("webhook", "webhook_receiver", "to_webhook", "header webhook-id", "json rule", "json state")
    )
    return replace(
        stack,
        needs=(*stack.needs, "webhook_receiver"),
        links={**stack.links, "to_webhook": "webhook_receiver"},
        processes=(
            StackProcess(
                "watch", ("{python}", "-m", ALERTING, *arguments), ready=Ready(output='"ready": true')
            ),
        ),
        alerts=Alerts(
            name="errors",
            threshold=THRESHOLD,
            window_seconds=WINDOW_SECONDS,
            cooldown_seconds=COOLDOWN_SECONDS,
            channels=(webhook,),
            watcher="watch",
            deadline_seconds=2.0,
            after_outage_seconds=2.0,
            resolution_seconds=0.25,
        ),
    )


def mailing_stack(case: Case) -> Stack:
    """Return a handler that promises to keep secrets, and tells people by mail."""
    stack = masking_stack(case)
    mail = {"mail": "{to_mail.host}:{to_mail.port}", "to": "oncall+{run.id}@logquake.example"}
    channel = AlertChannel(
        *("mail", "smtp", "to_mail", "header Message-ID", r"text ^\[\w+\] (\w+)", r"text ^\[(\w+)\]")
    )
    return replace(
        stack,
        needs=(*stack.needs, "smtp"),
        links={**stack.links, "to_mail": "smtp"},
        intake=replace(stack.intake, arguments={**stack.intake.arguments, **mail}),
        alerts=Alerts(
            name="errors",
            threshold=THRESHOLD,
            window_seconds=WINDOW_SECONDS,
            cooldown_seconds=COOLDOWN_SECONDS,
            channels=(channel,),
        ),
    )


def finding_stack(case: Case) -> Stack:
    """Return the honest shipper, with a process beside it that finds trouble."""
    stack = handler_stack(replace(case, code=HONEST))
    arguments = (case.code, "{run.folder}/shipper", "{to_store.url}")
    finder = StackProcess(
        "finder", ("{python}", "-m", FINDING, *arguments), ready=Ready(output='"ready": true')
    )
    return replace(
        stack,
        processes=(finder,),
        findings=Findings(
            files=f"{{run.folder}}/shipper/{FILE_NAME}",
            causes={word: (word,) for word in ("store_down", "load", "keys")},
            deadline_seconds=DEADLINE_SECONDS,
            after_seconds=4.0,
            watcher="finder",
        ),
    )


def dashboard_stack(case: Case) -> Stack:
    """Return the honest shipper, with a process beside it that keeps asking what is stored."""
    stack = handler_stack(replace(case, code=HONEST))
    file = "{run.folder}/dashboard/answers.jsonl"
    command = ("{python}", "-m", DASHBOARD, case.code, file, "{to_store.url}", _INDEX["index"])
    process = StackProcess("dashboard", command, ready=Ready(output='"ready": true'))
    return replace(
        stack,
        processes=(process,),
        answers=Answers(
            file, namespace="namespace", own_namespace=OWN, every_seconds=EVERY_SECONDS, asker="dashboard"
        ),
    )


def acting_stack(case: Case) -> Stack:
    """Return the honest shipper, with two processes beside it that act on trouble."""
    stack = handler_stack(replace(case, code=HONEST))
    command = ("{python}", "-m", ACTING, case.code, "{run.folder}/acting", "{to_store.url}")
    ready = Ready(output='"ready": true')
    engines = [
        StackProcess(name, (*command, "{to_webhook.url}/{run.id}"), ready=ready)
        for name in ("engine_a", "engine_b")
    ]
    return replace(
        stack,
        needs=(*stack.needs, "webhook_receiver"),
        links={**stack.links, "to_webhook": "webhook_receiver"},
        processes=tuple(engines),
        actions=Actions(
            *("to_webhook", "webhook_receiver", "header idempotency-key", "json finding.finding_id"),
            causes=("store_down",),
            engines=("engine_a", "engine_b"),
            deadline_seconds=6.0,
        ),
    )


def tenants_stack(case: Case) -> Stack:
    """Return a handler that three tenants share, with a process beside it that reads for each of them.

    `code` names the handler's class, or the habit of the reader beside an honest handler.
    """
    is_handler = case.code.startswith(SHARED)
    stack = handler_stack(replace(case, code=case.code if is_handler else f"{SHARED}:TenantsShipper"))
    index, shown = _INDEX["index"], "{run.folder}/shown-*.txt"
    habit = "HonestReader" if is_handler else case.code
    command = ("{python}", "-m", SHARED, habit, shown, "{to_store.url}", index)
    arguments = {**_ARCHIVE.arguments, "index": f"{index}-{{tenant}}"}
    return replace(
        stack,
        processes=(StackProcess("reader", command, ready=Ready(output='"ready": true')),),
        intake=replace(stack.intake, arguments={**stack.intake.arguments, "tenant_extra": EXTRA}),
        archive=replace(_ARCHIVE, arguments={**_ARCHIVE.arguments, "index": f"{index}-*"}),
        namespaces=Namespaces(
            TENANTS, replace(_ARCHIVE, arguments=arguments), "{run.folder}/shown-{tenant}.txt"
        ),
    )
