"""What the delivery core makes of a sink's answer."""

from __future__ import annotations

from collections.abc import Sequence

from logging_system.delivery.answers import Answer, Judged, NoAnswer, Refused, Unproved, judge
from logging_system.delivery.machine import Item


def judged(answer: Answer | NoAnswer, items: Sequence[Item]) -> Judged | Unproved | Refused:
    """What `answer` proves of these documents."""
    return judge(answer, [item.id for item in items])
