"""How each receiver of alerts is started: a mail server and a webhook receiver, which keep what comes.

A mail server is asked what came at an API on a second port. Its URL is written beside its data (`api_url`).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from harness.deployments.installed import InstalledServer
from harness.deployments.server_specs import NICENESS, own_program
from harness.model.declarations import Ready
from harness.model.errors import StackError, UnavailableError
from harness.processes.managed import ProcessSpec
from harness.processes.ports import LOOPBACK, free_port
from harness.processes.scratch import subfolder

SMTP, WEBHOOK_RECEIVER = "smtp", "webhook_receiver"
"""The services that receive alerts, by the names that stack files need them by."""

RECEIVERS = (SMTP, WEBHOOK_RECEIVER)

_API_FILE = "api.url"


def webhook_receiver(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how the webhook receiver starts; what came stays in the scratch folder over restarts.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback; alerts are posted to it, and it is asked there what came.
    """
    folder = subfolder(scratch, name)
    command = ("harness.programs.webhook_receiver", "--port", str(port), "--data", _data(folder))
    return own_program(name, folder, command, Ready(http=f"http://{LOOPBACK}:{port}/received"))


def smtp_lite(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how the embedded mail server starts; what came stays in the scratch folder over restarts.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback; that of SMTP. What came is asked at another, which `api_url` knows.

    Raises:
        UnavailableError: aiosmtpd, which it is made of, is not installed.
    """
    if importlib.util.find_spec("aiosmtpd") is None:
        raise UnavailableError("smtp: aiosmtpd is not installed; pip install 'logquake[alerts]'")
    folder, api_port = subfolder(scratch, name), free_port()
    url = tell_api_url(folder, api_port)
    ports = ("--port", str(api_port), "--smtp-port", str(port))
    command = ("harness.programs.smtp_lite", *ports, "--data", _data(folder))
    return own_program(name, folder, command, Ready(http=f"{url}/readyz"))


def mailpit(name: str, scratch: Path, port: int, installed: InstalledServer) -> ProcessSpec:
    """Return how the real Mailpit starts; what came stays in the scratch folder over restarts.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback; that of SMTP. What came is asked at another, which `api_url` knows.
        installed: where Mailpit's program lies on this machine.
    """
    folder, api_port = subfolder(scratch, name), free_port()
    url = tell_api_url(folder, api_port)
    return ProcessSpec(
        name=name,
        command=(
            *(str(installed.path), "--smtp", f"{LOOPBACK}:{port}", "--listen", f"{LOOPBACK}:{api_port}"),
            *("--database", str(folder / "messages.db"), "--max", "0", "--enable-chaos"),
            "--disable-version-check",
        ),
        folder=folder,
        log=folder / "output.log",
        ready=Ready(http=f"{url}/readyz"),
        niceness=NICENESS,
    )


def api_url(name: str, scratch: Path) -> str:
    """Return where a mail server that was started from a scratch folder is asked what came.

    Args:
        name: what the stack calls the server.
        scratch: the run's folder; the server writes its address there when its start is described.

    Raises:
        StackError: none was.
    """
    try:
        return (scratch / name / _API_FILE).read_text()
    except OSError as error:
        raise StackError(f'service "{name}" tells nowhere what it received: {error.strerror}') from error


def tell_api_url(folder: Path, api_port: int) -> str:
    """Write beside a mail server's data where it is asked what came, for `api_url`; return that URL.

    Args:
        folder: the server's own, `NAME` in the run's scratch folder.
        api_port: on loopback.
    """
    url = f"http://{LOOPBACK}:{api_port}"
    (folder / _API_FILE).write_text(url)
    return url


def _data(folder: Path) -> str:
    return str(folder / "messages.ndjson")
