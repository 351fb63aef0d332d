"""The engine that settings describe: it is given the channels of alerts, the key and the store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.coordination.engine import AICoordinationEngine
from logging_system.coordination.findings import Finding
from logging_system.coordination.lease import SharedDocuments
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.loading import load_workflows
from logging_system.coordination.workflows.steps.declared import EffectError, Effects

if TYPE_CHECKING:
    from logging_system.config.settings import Settings
    from logging_system.encryption.encryption import Encryption

_CAUSE_RULE = "coordination"


@contextmanager
def engine_of(
    settings: Settings, *, template_text: Callable[[str], str | None] | None = None
) -> Iterator[AICoordinationEngine]:
    """Yield the engine that settings describe; it is closed at the end.

    Args:
        settings: The settings: spool folder, workflows, alerts, encryption, store.
        template_text: Returns the text of a template by its id.

    Raises:
        ValueError: A file or a setting cannot be used; says where, what and the remedy.
        StateDamagedError: What was under way is not known.
        OSError: The folder cannot be used.
    """
    declared = Workflows() if settings.workflows is None else load_workflows(settings.workflows)
    spool = settings.spool_folder.absolute()
    effects = Effects(
        alert=_alerting(settings, spool),
        keys=_rotation(settings, spool),
        template_text=template_text or (lambda _template_id: None),
    )
    with _documents(settings) as documents:
        is_sealed = settings.encryption is not None
        engine = AICoordinationEngine(spool, declared, store=documents, effects=effects, is_sealed=is_sealed)
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def coordinating(
    settings: Settings, template_text: Callable[[str], str | None]
) -> Iterator[AICoordinationEngine | None]:
    """Run the workflows of the settings, on a thread of their own: a slow step delays no alert.

    Args:
        settings: The settings; without `workflows` nothing runs, and None is yielded.
        template_text: Returns the text of a template by its id.

    Raises:
        ValueError: A file or a setting cannot be used; says where, what and the remedy.
        StateDamagedError: What was under way is not known.
        OSError: The folder cannot be used.
    """
    if settings.workflows is None:
        yield None
        return
    with engine_of(settings, template_text=template_text) as engine:
        engine.start()
        yield engine


@contextmanager
def _documents(settings: Settings) -> Iterator[SharedDocuments | None]:
    if not settings.elasticsearch:
        yield None
        return
    from logging_system.coordination.stored_lead import StoredDocuments
    from logging_system.monitoring.event_words import log_in_words
    from logging_system.shipping.sink_factory import ELASTICSEARCH
    from logging_system.sinks.elasticsearch.shared_documents import DocumentIndex
    from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

    store = ELASTICSEARCH.opener(settings, emit=log_in_words)()
    if not isinstance(store, ElasticsearchSink):
        raise TypeError("the sink of Elasticsearch is another class")
    try:
        yield StoredDocuments(DocumentIndex(store.request, settings.coordination_index))
    finally:
        store.close()


def _alerting(settings: Settings, spool: Path) -> Callable[[Finding, str, str], None]:
    from logging_system.alerting.facts import AlertNotice, Notification, fingerprint
    from logging_system.alerting.loading import load_alerts
    from logging_system.alerting.messages import letter_of
    from logging_system.alerting.outbox import NotNow, Taken
    from logging_system.alerting.routing import senders_of

    senders = senders_of(load_alerts(settings.alerts, os.environ).channels)

    def alert(finding: Finding, text: str, key: str) -> None:
        labels = (("cause", finding.cause.value), ("kind", finding.kind.value))
        notice = AlertNotice(
            fingerprint(_CAUSE_RULE, (("finding", finding.finding_id),)),
            _CAUSE_RULE,
            labels,
            "warning",
            True,
            finding.since_seconds,
            None,
            1,
            f"{text} {finding.summary}".strip(),
            finding.examples,
        )
        letter = letter_of(Notification(key, (("rule", _CAUSE_RULE),), (notice,), time.time()), spool)
        outcomes = [each.send(letter) for receivers in senders.values() for each in receivers.values()]
        if any(isinstance(each, Taken) for each in outcomes):
            return
        reasons = "; ".join(each.reason for each in outcomes if not isinstance(each, Taken))
        unsure = any(isinstance(each, NotNow) and each.may_have_arrived for each in outcomes)
        raise EffectError(f"no channel took it: {reasons}", may_have_happened=unsure)

    return alert


def _rotation(settings: Settings, spool: Path) -> RecordKeyRotation | None:
    from logging_system.config.settings import protection_of

    encryption = protection_of(settings, spool).encryption
    return None if encryption is None else RecordKeyRotation(encryption)


class RecordKeyRotation:
    """Rotates the key of the setting `encryption`; whoever ships finishes what waits for others.

    Args:
        encryption: The key and its keyring.
    """

    def __init__(self, encryption: Encryption) -> None:
        self._encryption = encryption

    def version(self) -> int:
        """Return the version that is active, or that a rotation leads to."""
        from logging_system.keys.keyring import KeyringError

        try:
            key = self._encryption.keyring.read().keys.get(self._encryption.key_id)
        except (OSError, KeyringError) as error:
            raise EffectError(str(error)) from error
        if key is None:
            return 0
        return key.rotation.new if key.rotation is not None else key.active or 0

    def rotate(self) -> None:
        """Begin a rotation, and take it as far as it goes at once."""
        from logging_system.keys.keyring import KeyringError
        from logging_system.keys.provider import KeyProviderError

        rotator, key_id = self._encryption.rotator(), self._encryption.key_id
        try:
            rotator.begin(key_id, "demand")
            rotator.run(key_id)
        except (OSError, KeyringError, KeyProviderError) as error:
            raise EffectError(str(error), may_have_happened=True) from error
