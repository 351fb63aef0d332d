"""Opens Locust's page in its master, with `/chaos` beside it and the guard before both.

Imported in that process alone: Locust replaces what blocks in the standard library.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gevent
import orjson
from flask import Flask, Response, jsonify
from gevent.pywsgi import WSGIServer
from locust.env import Environment
from locust.runners import STATE_RUNNING
from locust.stats import stats_history

from harness.live.channel import RemoteDesk
from harness.live.desk import Answer, Verb, Wish
from harness.live.guard import Guard, allowed_hosts, new_token
from harness.live.page import ChaosPage, beside
from harness.model.errors import UnavailableError
from harness.model.protocols import PageSpec

_PLANNED = "The plan decides how many users send and when; faults, a pause and the end are on the tab Chaos."


def open_page(environment: Environment, path: Path) -> None:
    """Serve Locust's page and `/chaos` from this process.

    Args:
        environment: Locust's, with its runner; its host stays what it is.
        path: of the file that says where: a `PageSpec` as JSON.

    Raises:
        UnavailableError: the address is taken, or not this machine's.
    """
    spec = PageSpec(**orjson.loads(path.read_bytes()))
    sys.argv = ["locust"]  # whose options Locust's page reads there
    web_ui = environment.create_web_ui(spec.host, spec.port, delayed_start=True)
    desk, token = RemoteDesk(spec.socket_path), new_token()
    app = web_ui.app
    assert app is not None  # noqa: S101 - Locust has made it just now
    _obey_the_plan(app, desk)
    page = ChaosPage(desk, token, beside_locust=True)
    hosts = allowed_hosts(spec.host, spec.port, spec.names)
    app.debug = False
    guarded = Guard(beside(app, page, token), hosts, token)
    server = WSGIServer((spec.host, spec.port), guarded, log=None)
    try:
        server.start()
    except OSError as error:
        raise UnavailableError(
            f"{spec.host}:{spec.port}: cannot listen: {error.strerror}; name another port with --web-port"
        ) from error
    if environment.runner is not None:
        # The workers have their users from the start, so there is nothing to start on the page.
        environment.runner.state = STATE_RUNNING
        environment.stats.reset_all()
        gevent.spawn(stats_history, environment.runner)


def _obey_the_plan(app: Flask, desk: RemoteDesk) -> None:
    """Let Locust's own buttons do nothing that the plan does not know of: its stop ends the run."""

    def swarm() -> Response:
        return jsonify({"success": False, "message": _PLANNED})

    def stop() -> Response:
        try:
            answer = desk.ask(Wish(Verb.END))
        except OSError:
            answer = Answer(False, "The run is over.")
        return jsonify({"success": answer.taken, "message": answer.words})

    app.view_functions["locust.swarm"] = swarm
    app.view_functions["locust.stop"] = stop
