"""Seals what is logged, and opens it again."""

import logging
import subprocess
import sys

import logging_system

ENCRYPTION = "provider=file,path=log-keys.json"
OURS = [sys.executable, "-m", "logging_system"]
made = subprocess.run(
    [*OURS, "keys", "create", "--spool", "spool", "--encryption", ENCRYPTION], capture_output=True, text=True
)
if made.returncode != 0:
    sys.exit(made.stderr)
handle = logging_system.install(service="shop", spool="spool", shipper="none", encryption=ENCRYPTION)
logging.getLogger("shop").warning("a canary")
handle.close()
told = subprocess.run(
    [*OURS, "decrypt", "--spool", "spool", "--encryption", ENCRYPTION, "spool"],
    capture_output=True,
    text=True,
)
assert "a canary" in told.stdout, told.stderr
