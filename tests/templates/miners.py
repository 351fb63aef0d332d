"""Miners that are judged: each takes messages and gives the group of each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence

from logging_system.coordination.learning.miner import TemplateMiner

Learner = Callable[[str], object]
"""Learns from one message; what it returns leads to the message's group."""

# As the documentation of Drain3 suggests to mask: addresses, hexadecimal and decimal numbers.
_MASKS = [
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
]


def ours() -> Learner:
    return TemplateMiner().learn


def our_groups(messages: Sequence[str]) -> list[Hashable]:
    """Groups as they are in the end: templates that turned out to be one are one group."""
    miner = TemplateMiner()
    learned = [miner.learn(message).template_id for message in messages]
    return [known.template_id if (known := miner.current(it)) else it for it in learned]


def drain3(masks: bool) -> Learner:
    """drain3-improved with its defaults, or with masks beside.

    Raises:
        ImportError: It is not installed.
    """
    from drain3 import TemplateMiner as Drain3
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    logging.getLogger("drain3").setLevel(logging.ERROR)
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    if masks:
        config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in _MASKS]
    learn: Learner = Drain3(config=config).add_log_message
    return learn


def drain3_groups(messages: Sequence[str], masks: bool) -> list[Hashable]:
    learn = drain3(masks)
    return [learned["cluster_id"] for learned in map(learn, messages) if isinstance(learned, dict)]
