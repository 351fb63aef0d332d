"""Drafts of a stack file, one file for each way by which lines leave an application."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.onboarding.drafts.collector import draft_collector
from harness.onboarding.drafts.draft import Draft
from harness.onboarding.drafts.hosted_file import draft_hosted_file
from harness.onboarding.drafts.hosted_store import draft_hosted_store
from harness.onboarding.drafts.loguru_file import draft_loguru_file
from harness.onboarding.drafts.own_system import draft_own_system
from harness.onboarding.seen import Kind, Outlet

DRAFTS: Mapping[Kind, Callable[[str, Outlet], Draft]] = {
    Kind.LOGGING_SYSTEM: draft_own_system,
    Kind.OWN: draft_hosted_store,
    Kind.ELASTICSEARCH: draft_hosted_store,
    Kind.FILE: draft_hosted_file,
    Kind.LOGURU: draft_loguru_file,
    Kind.LOGSTASH: draft_collector,
    Kind.OPENTELEMETRY: draft_collector,
    Kind.SYSLOG: draft_collector,
    Kind.COLLECTOR: draft_collector,
    Kind.STREAM: draft_collector,
}


def draft_for(name: str, outlet: Outlet) -> Draft:
    """Return the draft of a stack file.

    Args:
        name: the stack's.
        outlet: what it is about.
    """
    return DRAFTS[outlet.kind](name, outlet)
