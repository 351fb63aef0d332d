"""Makes the provider for an HSM and asks a library that is not there, which it says itself."""

import sys
from pathlib import Path

from logging_system.keys.providers import open_provider

Path("pin").touch(mode=0o600)
Path("pin").write_text("1234")
try:
    provider = open_provider("pkcs11", {"library": "/nowhere/hsm.so", "token": "logs", "pin_file": "pin"})
except ValueError as error:
    sys.exit(str(error))
from logging_system.keys.provider import ProviderRefusedError  # noqa: E402 - after what may be missing

try:
    provider.versions("logs")
except ProviderRefusedError:
    pass
else:
    sys.exit("no library is there, and it answered")
