"""Runs in the environment of the tools: the processor time that detect-secrets takes, with its defaults."""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any


def main() -> None:
    """Print the seconds of scanning each text of a JSON list as one line."""
    scan: Any = importlib.import_module("detect_secrets.core.scan")
    settings: Any = importlib.import_module("detect_secrets.settings")
    texts = json.load(sys.stdin)
    with settings.default_settings():
        list(scan.scan_line(texts[0]))  # loads the plug-ins
        began_seconds = time.process_time()
        for text in texts:
            list(scan.scan_line(text))
        print(time.process_time() - began_seconds)


if __name__ == "__main__":
    main()
