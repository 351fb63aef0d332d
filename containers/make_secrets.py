"""Makes the tokens of the compose services where they are missing: random, for these services alone."""

import os
import secrets
import sys
from pathlib import Path

folder = Path(sys.argv[1])
for name in sys.argv[2:]:
    path = folder / name
    if not path.exists():
        staged = folder / f".{name}"
        staged.unlink(missing_ok=True)
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        staged.rename(path)  # whole, or not there
    print(f"{name}: in {path}")
