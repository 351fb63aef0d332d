"""Makes the provider for Vault and asks a server that is not there, which it says itself."""

import sys
from pathlib import Path

from logging_system.keys.providers import open_provider

Path("token").touch(mode=0o600)
Path("token").write_text("a-token")
try:
    provider = open_provider(
        "vault", {"url": "http://127.0.0.1:9", "token_file": "token", "timeout_seconds": 1}
    )
except ValueError as error:
    sys.exit(str(error))
from logging_system.keys.provider import ProviderUnavailableError  # noqa: E402 - after what may be missing

try:
    provider.versions("logs")
except ProviderUnavailableError:
    pass
else:
    sys.exit("nobody is there, and it answered")
