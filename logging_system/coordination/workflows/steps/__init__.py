"""The kinds of steps: each a declaration and what does it. One kind is one file and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from logging_system.coordination.workflows.steps.alert import Alert
from logging_system.coordination.workflows.steps.command import Command
from logging_system.coordination.workflows.steps.quarantine_template import QuarantineTemplate
from logging_system.coordination.workflows.steps.rotate_keys import RotateKeys
from logging_system.coordination.workflows.steps.set_level import SetLevel
from logging_system.coordination.workflows.steps.set_sampling import SetSampling
from logging_system.coordination.workflows.steps.shrink_batches import ShrinkBatches
from logging_system.coordination.workflows.steps.snapshot_diagnostics import SnapshotDiagnostics
from logging_system.coordination.workflows.steps.use_fallback_file import UseFallbackFile
from logging_system.coordination.workflows.steps.webhook import Webhook

Step = Annotated[
    Alert
    | Command
    | QuarantineTemplate
    | RotateKeys
    | SetLevel
    | SetSampling
    | ShrinkBatches
    | SnapshotDiagnostics
    | UseFallbackFile
    | Webhook,
    Field(discriminator="kind"),
]
"""What the file may declare as a step, told apart by `kind`."""
