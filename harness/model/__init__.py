"""The nouns of the harness: read `protocols.py` first, then `../runs/runner.py`."""
