"""Real servers that start workers, each in its own way: every record is stored once, and they end in time.

The applications log at their import too, so that where a server loads one before it forks, the workers
inherit a handler at work.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
import requests

from logging_system.spool.reader import SpoolReader
from tests.stack.processes import WAIT_SECONDS, Store, eventually, finish, kill, started

REQUESTS = 40
IDLE_SECONDS = 0.2
CELERY_TASKS = 20
STREAM = "logs-shop-default"
END_SECONDS_MAX = 10.0
"""Twice what a close may take: the machine may be busy."""
BIN = Path(sys.executable).parent

INSTALL = """
import logging, os
import logging_system
logging_system.install(service="shop", spool=os.environ["SPOOL"], shipper="none")
log = logging.getLogger("shop")
log.info("loaded by %d", os.getpid())
"""
WSGI = f"""{INSTALL}
def application(environ, start_response):
    log.info("request %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % os.getpid()]
"""
ASGI = f"""{INSTALL}
async def application(scope, receive, send):
    if scope["type"] == "http":
        log.info("request %s", scope["path"])
        await send({{"type": "http.response.start", "status": 200}})
        await send({{"type": "http.response.body", "body": b"%d" % os.getpid()}})
"""
DJANGO = f"""{INSTALL}
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import re_path
def answer(request):
    log.info("request %s", request.path)
    return HttpResponse(os.getpid())
urlpatterns = [re_path("", answer)]
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    LOGGING={{
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {{"console": {{"class": "logging.StreamHandler"}}}},
        "loggers": {{"django": {{"handlers": ["console"], "level": "INFO"}}}},
    }},
)
application = get_wsgi_application()  # configures logging: dictConfig closes every handler there is
"""
CELERY = f"""{INSTALL}
from celery import Celery, signals
app = Celery("shop", broker="filesystem://")
app.conf.update(
    broker_transport_options=dict.fromkeys(("data_folder_in", "data_folder_out", "control_folder"), "broker"),
    worker_hijack_root_logger=False,
)
@app.task
def work(name):
    log.info("request %s", name)
@signals.worker_ready.connect
def send(**_):
    for number in range({CELERY_TASKS}):
        work.delay(number)
"""
GUNICORN_WORKERS = 2
GUNICORN = (
    *(sys.executable, "-m", "gunicorn", "--workers", str(GUNICORN_WORKERS)),
    *("--bind", "fd://{fd}", "shop:application"),
)
UWSGI = (
    *(str(BIN / "uwsgi"), "--http-socket", "127.0.0.1:{port}", "--wsgi-file", "shop.py"),
    *("--master", "--processes", "2", "--die-on-term"),
)
CELERY_WORKER = (
    *(sys.executable, "-m", "celery", "-A", "shop", "worker", "--concurrency", "2"),
    *("--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
UVICORN = (sys.executable, "-m", "uvicorn", "--workers", "2", "--fd", "{fd}", "shop:application")
PATCHED_FIRST = "from gevent import monkey\nmonkey.patch_all()\npreload_app = True\n"
READY_FOLDER = "ready"
READY = f"""
import pathlib
def post_worker_init(worker):
    pathlib.Path("{READY_FOLDER}", str(worker.pid)).touch()
"""
"""A gunicorn worker that is still starting loses a SIGTERM, whatever it serves; it is killed after 30 s."""


@dataclass(frozen=True)
class Server:
    """A server that answers requests.

    Attributes:
        needs: The module without which it cannot be tried.
        command: What starts it; `{fd}` is a listening socket, `{port}` a port to listen at.
        application: What it serves.
        configuration: `gunicorn.conf.py`.
    """

    needs: str
    command: tuple[str, ...]
    application: str = WSGI
    configuration: str = ""


SERVERS = {
    "gunicorn": Server("gunicorn", GUNICORN),
    "gunicorn, preloaded": Server("gunicorn", (*GUNICORN, "--preload")),
    "gunicorn with gevent, preloaded": Server("gevent", (*GUNICORN, "-k", "gevent", "--preload")),
    "gunicorn with gevent from the start": Server("gevent", (*GUNICORN, "-k", "gevent"), WSGI, PATCHED_FIRST),
    "uWSGI": Server("uwsgidecorators", UWSGI),
    "uWSGI with threads": Server("uwsgidecorators", (*UWSGI, "--enable-threads")),
    "uvicorn": Server("uvicorn", UVICORN, ASGI),
    "Django": Server("django", (*GUNICORN, "--preload"), DJANGO),
}


@contextmanager
def serving(folder: Path, server: Server) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    (folder / "shop.py").write_text(server.application)
    (folder / "gunicorn.conf.py").write_text(server.configuration + READY)
    (folder / READY_FOLDER).mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number, port = listener.fileno(), listener.getsockname()[1]
        words = [word.format(fd=number, port=port) for word in server.command]
        if "{port}" in "".join(server.command):
            listener.close()
        process = run(words, folder, pass_fds=[number] if listener.fileno() >= 0 else [])
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        kill(process)


def run(words: list[str], folder: Path, pass_fds: list[int]) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "HOME": str(folder),
        "SPOOL": str(folder / "spool"),
        "PYTHONPATH": str(folder),
    }
    with (folder / "log").open("wb") as log:
        return started(words, cwd=folder, env=environment, pass_fds=pass_fds, stderr=log)


def end(process: subprocess.Popen[bytes]) -> float:
    """End a server with SIGTERM; return how long that took, in seconds."""
    started_seconds = time.monotonic()
    process.send_signal(signal.SIGTERM)
    finish(process)
    return time.monotonic() - started_seconds


def stored(folder: Path) -> Counter[str]:
    reader = SpoolReader(folder)
    found: Counter[str] = Counter()
    while blocks := reader.read(1 << 20):
        found.update(orjson.loads(document)["message"] for block in blocks for document in block.documents)
    reader.close()
    return found


def workers_are_ready(folder: Path, server: Server) -> Callable[[], bool]:
    """Return what tells whether each worker has begun to serve, where a server says so."""
    expected = GUNICORN_WORKERS if "gunicorn" in server.command else 0
    return lambda: len(list((folder / READY_FOLDER).iterdir())) >= expected


def answers(url: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return requests.get(f"{url}/ready", timeout=WAIT_SECONDS).ok
        except requests.ConnectionError:
            return False

    return ask


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_every_record_of_every_worker_is_stored_once(tmp_path: Path, server: Server) -> None:
    if importlib.util.find_spec(server.needs) is None:
        pytest.skip(f"{server.needs} is not installed; make .venv/.installed-dev does so")
    with serving(tmp_path, server) as (process, url):
        eventually(answers(url), "the server answers")
        eventually(workers_are_ready(tmp_path, server), "all workers have begun to serve")
        workers = {requests.get(f"{url}/{number}", timeout=WAIT_SECONDS).text for number in range(REQUESTS)}
        if server.needs == "uwsgidecorators":
            # Told to end while it is at a request, or notes one, a worker runs no exit functions.
            eventually(lambda: f"request /{REQUESTS - 1}" in stored(tmp_path / "spool"), "the last record")
            time.sleep(IDLE_SECONDS)
        took_seconds = end(process)
    found = stored(tmp_path / "spool")

    assert str(process.pid) not in workers
    assert {name: count for name, count in found.items() if name.startswith("request /")} == {
        f"request /{name}": 1 for name in ["ready", *range(REQUESTS)]
    }
    assert all(count == 1 for name, count in found.items() if name.startswith("loaded by"))
    assert took_seconds < END_SECONDS_MAX


def test_a_uwsgi_worker_that_is_killed_is_replaced_and_workers_ship(tmp_path: Path, store: Store) -> None:
    """A worker that uWSGI forks beside a thread of ours in its master could hang for ever."""
    server = SERVERS["uWSGI with threads"]
    if importlib.util.find_spec(server.needs) is None:
        pytest.skip(f"{server.needs} is not installed; make .venv/.installed-dev does so")
    ships = server.application.replace('shipper="none"', f'elasticsearch="{store.url}"')
    workers: set[str] = set()
    asked: list[str] = []

    def ask() -> None:
        asked.append(f"request /{len(asked)}")
        workers.add(requests.get(f"{url}/{len(asked) - 1}", timeout=WAIT_SECONDS).text)

    def answer(count: int) -> bool:
        ask()
        return len(workers) == count

    def found() -> list[str]:
        store.ask("POST", f"/{STREAM}*/_refresh")
        hits = store.ask("POST", f"/{STREAM}*/_search", {"size": 1_000})["hits"]["hits"]
        return sorted(hit["_source"]["message"] for hit in hits)

    with serving(tmp_path, replace(server, application=ships)) as (process, url):
        eventually(answers(url), "the server answers")
        eventually(lambda: answer(2), "both workers answer")
        victim = int(workers.pop())
        # What it has logged is on its way: the promise is about what was acknowledged.
        eventually(lambda: {*asked} <= {*found()}, "what was logged before it is killed")
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not Path(f"/proc/{victim}").exists(), "the master has noticed")
        eventually(lambda: answer(2), "a new worker answers")
        eventually(lambda: {*asked} <= {*found()}, "what was logged before the end")
        end(process)
    in_store = Counter(found())

    assert {*asked} <= {*in_store}
    assert {*in_store.values()} == {1}


def test_every_record_of_every_celery_task_is_stored_once(tmp_path: Path) -> None:
    pytest.importorskip("celery", reason="celery is not installed; make .venv/.installed-dev does so")
    (tmp_path / "shop.py").write_text(CELERY)
    (tmp_path / "broker").mkdir()

    def done() -> int:
        return sum(name.startswith("request ") for name in stored(tmp_path / "spool"))

    worker = run([*CELERY_WORKER], tmp_path, [])
    try:
        eventually(lambda: done() == CELERY_TASKS, "all tasks are done")
        took_seconds = end(worker)
    finally:
        kill(worker)
    found = stored(tmp_path / "spool")

    assert {name: count for name, count in found.items() if name.startswith("request ")} == {
        f"request {number}": 1 for number in range(CELERY_TASKS)
    }
    assert took_seconds < END_SECONDS_MAX
