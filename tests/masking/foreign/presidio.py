"""Texts of presidio-research with labelled personal data: our kinds are secrets, all else is innocent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.masking.filling import reach
from tests.masking.labelled import Line, Secret

# Their type of entity for each of our kinds.
ENTITIES = {"CREDIT_CARD": "card", "IBAN_CODE": "iban", "EMAIL_ADDRESS": "email"}


def labelled(sample: dict[str, Any]) -> Line:
    text = sample["full_text"]
    secrets = [
        Secret(it["start_position"], it["end_position"], ENTITIES[it["entity_type"]], *around(text, it))
        for it in sample["spans"]
        if it["entity_type"] in ENTITIES
    ]
    return Line(text, tuple(sorted(secrets, key=lambda secret: secret.start)), "presidio-research")


def around(text: str, span: dict[str, Any]) -> tuple[int, int]:
    return reach(text, span["start_position"], span["end_position"])


def texts(folder: Path) -> Iterator[Line]:
    """All labelled texts of a folder of presidio-research's data sets."""
    for path in sorted(folder.glob("*.json")):
        yield from map(labelled, json.loads(path.read_text(encoding="utf-8")))
