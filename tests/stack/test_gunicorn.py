"""gunicorn as the how-to configures it: a worker killed and replaced costs nothing acknowledged."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.repository import DOCS
from tests.stack.processes import WAIT_SECONDS, Store, eventually, finish, kill, started
from tests.stack.test_sigterm import drained

PAGE = DOCS / "how-to" / "prefork-servers.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
STREAM = "logs-checkout-default"

APPLICATION = """
import logging, os
from logging_system.handler import SpoolHandler
from tests.repository import DOCS
log = logging.getLogger("shop")
out = os.open(os.environ["ACKNOWLEDGED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def durable(records):
    os.write(out, "".join(record.getMessage() + "\\n" for record in records).encode())
def application(environ, start_response):
    for handler in logging.getLogger().handlers:
        if isinstance(handler, SpoolHandler):
            handler.on_durable = durable
    log.info("request %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


@contextmanager
def gunicorn(
    folder: Path, configuration: str, application: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    (folder / "gunicorn.conf.py").write_text(configuration)
    (folder / "shop.py").write_text(application)
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(folder / "state"),
        "HOME": str(folder),
        "ACKNOWLEDGED": str(folder / "acknowledged"),
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{number}", "shop:application"]
        process = started(command, cwd=folder, env=environment, pass_fds=[number], stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield process, url
    finally:
        kill(process)


class Clients:
    """Threads that ask on and on; a connection that a killed worker leaves is asked anew.

    Attributes:
        workers: The processes that answered.
    """

    def __init__(self, url: str) -> None:
        self.workers: list[int] = []
        self._url = url
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(name,)) for name in "ab"]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def _ask(self, name: str) -> None:
        number = 0
        while not self._ending.is_set():
            number += 1
            with suppress(requests.RequestException):
                answer = requests.get(f"{self._url}/{name}{number}", timeout=WAIT_SECONDS)
                self.workers.append(int(answer.text))


@pytest.mark.parametrize("where", ["in each worker", "in the master"])
def test_a_worker_killed_under_load_and_replaced_costs_nothing_acknowledged(
    tmp_path: Path, store: Store, where: str
) -> None:
    (configuration,) = (block for block in BLOCKS if "def post_fork" in block)
    configuration, application = configuration.replace("http://localhost:9200", store.url), APPLICATION
    if where == "in the master":
        configuration, _, call = configuration.partition("def post_fork(server, worker):\n")
        application = f"import logging_system\n{call.strip()}\n{application}"
    path = tmp_path / "acknowledged"

    def acknowledged() -> set[str]:
        return set(path.read_text().split("\n")[:-1]) if path.exists() else set()

    with gunicorn(tmp_path, configuration, application) as (server, url):
        clients = Clients(url)
        try:
            eventually(lambda: len(set(clients.workers)) == 2, "both workers answer")
            eventually(lambda: len(acknowledged()) > 100, "acknowledgements")
            victim = clients.workers[-1]
            os.kill(victim, signal.SIGKILL)
            eventually(lambda: len(set(clients.workers)) == 3, "a new worker answers")
            already = len(acknowledged())
            eventually(lambda: len(acknowledged()) > already + 100, "acknowledgements go on")
        finally:
            clients.end()
        server.send_signal(signal.SIGTERM)
        code = finish(server)
    promised = acknowledged()
    found = drained(store, tmp_path / "state" / "logging_system" / "checkout", STREAM, promised)

    assert code == 0
    assert "preload_app = True" in configuration
    assert promised <= found.keys()
    assert set(found.values()) == {1}
