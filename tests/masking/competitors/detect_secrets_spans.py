"""Runs in the environment of the tools: what detect-secrets finds in each text, with its defaults."""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any


def places(text: str, value: str, rule: str) -> list[tuple[int, int, str]]:
    """Everywhere that a reported value stands; the tool reports a value and a line, no column."""
    return [(found.start(), found.end(), rule) for found in re.finditer(re.escape(value), text)]


def main() -> None:
    scan: Any = importlib.import_module("detect_secrets.core.scan")
    settings: Any = importlib.import_module("detect_secrets.settings")
    answers = []
    with tempfile.TemporaryDirectory() as folder, settings.default_settings():
        record = Path(folder) / "record.log"
        for text in json.load(sys.stdin):
            record.write_text(text, encoding="utf-8", newline="")
            found = {(it.secret_value, it.type) for it in scan.scan_file(str(record)) if it.secret_value}
            answers.append([place for value, rule in sorted(found) for place in places(text, value, rule)])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
