"""Makes the sender of a channel of kind apprise; the embedded mail server has what it is made of."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from harness.deployments.alert_server_specs import smtp_lite
from harness.model.errors import UnavailableError
from logging_system.alerting.channels.apprise import Apprise

os.environ["CHANNEL"] = "json://127.0.0.1:9/"
try:
    senders = Apprise.model_validate({"name": "a", "secret_url": {"environment": "CHANNEL"}}).senders()
    smtp_lite("smtp", Path.cwd(), 9)
except (ValueError, UnavailableError) as error:
    sys.exit(str(error))
assert senders
assert find_spec("aiosmtpd")
