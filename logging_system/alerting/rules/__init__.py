"""The kinds of rules, each a declaration and the machine that it makes: one file and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from logging_system.alerting.rules.absence import Absence
from logging_system.alerting.rules.delivery_slo import DeliverySlo
from logging_system.alerting.rules.error_count import ErrorCount
from logging_system.alerting.rules.error_share import ErrorShare
from logging_system.alerting.rules.error_slo import ErrorSlo
from logging_system.alerting.rules.finding import FindingRule
from logging_system.alerting.rules.latency import Latency
from logging_system.alerting.rules.performance import Performance
from logging_system.alerting.rules.pipeline_event import PipelineEvent
from logging_system.alerting.rules.rate_change import RateChange

Rule = Annotated[
    Absence
    | DeliverySlo
    | ErrorCount
    | ErrorShare
    | ErrorSlo
    | FindingRule
    | Latency
    | Performance
    | PipelineEvent
    | RateChange,
    Field(discriminator="kind"),
]
"""What the file may declare as a rule, told apart by `kind`."""
