"""A real Elasticsearch with passwords and TLS; a test replaces its users and certificates."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import secrets
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from harness.deployments import server_specs
from harness.model.declarations import Ready
from harness.processes.clock import SystemClock
from harness.processes.managed import ManagedProcess
from harness.processes.ports import free_port
from harness.processes.scratch import give, make_scratch, remove_scratch, server_user
from tests.certificates import Authority
from tests.contract.elasticsearch_fixture import (
    START_SECONDS_MAX,
    STOP_SECONDS_MAX,
    eventually,
    installed_elasticsearch,
)

USER = "shipper"
ADMINISTRATOR = "administrator"
RELOAD_SECONDS_MAX = 30.0
# How often the server looks at its files, which is every 5 seconds by default.
_RELOAD_INTERVAL = "500ms"
_ITERATIONS = 10_000


@dataclasses.dataclass
class SecuredServer:
    """A running server.

    Attributes:
        url: Where it is.
        config: Its configuration folder, in which it watches users and certificates.
        password: The administrator's.
    """

    url: str
    config: Path
    password: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(12))
    passwords: dict[str, str] = dataclasses.field(default_factory=dict)

    def set_password(self, user: str, password: str) -> None:
        """Add a superuser to the file realm, or change its password; the server notices within a second."""
        self.passwords[user] = password
        users = "".join(f"{name}:{_hashed(each)}\n" for name, each in self.passwords.items())
        self._write("users", users.encode())
        self._write("users_roles", f"superuser:{','.join(self.passwords)}\n".encode())

    def use_certificate_of(self, authority: Authority) -> None:
        """Serve a new certificate from now on; the server notices within a second."""
        folder = self.config / "fresh"
        certificate, key = authority.issue(folder)
        self._write("server.key", key.read_bytes())
        self._write("server.crt", certificate.read_bytes())

    def issuer_is(self, authority: Authority) -> bool:
        """Tell whether a fresh connection is served a certificate of `authority`."""
        try:
            self.call("GET", "/_cluster/health", authority)
        except OSError:
            return False
        return True

    def call(self, method: str, target: str, authority: Authority, body: object = None) -> Any:
        """Ask as the administrator; fails like `urllib.request.urlopen`."""
        request = urllib.request.Request(self.url + target, method=method)  # noqa: S310 - our own https URL
        login = base64.b64encode(f"{ADMINISTRATOR}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        if body is not None:
            request.data = orjson.dumps(body)
            request.add_header("Content-Type", "application/json")
        context = ssl.create_default_context(cadata=authority.pem.decode())
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as `Trust` does
        with urllib.request.urlopen(request, timeout=10.0, context=context) as answer:  # noqa: S310 - as above
            return orjson.loads(answer.read())

    def _write(self, name: str, content: bytes) -> None:
        fresh = self.config / f"{name}.fresh"
        fresh.write_bytes(content)
        user = server_user()
        if user is not None:
            os.chown(fresh, user, user)
        fresh.rename(self.config / name)


@contextmanager
def secured_server(authority: Authority) -> Iterator[SecuredServer]:
    """A server with a certificate of `authority`, as long as the block lives; skips without one."""
    installed = installed_elasticsearch()
    port, run_id = free_port(), f"secured-{uuid4().hex[:12]}"
    scratch = make_scratch(run_id)
    try:
        spec = server_specs.elasticsearch(
            "elasticsearch", scratch, port, {"elasticsearch": free_port()}, installed
        )
        server = SecuredServer(f"https://127.0.0.1:{port}", Path(spec.environment["ES_PATH_CONF"]))
        _secure(server, authority)
        if spec.user is not None:
            give(server.config, spec.user)
        # The harness's own readiness check believes no authority of ours.
        spec = dataclasses.replace(spec, ready=Ready(output="started {"))
        process = ManagedProcess(spec, run_id, SystemClock())
        try:
            process.start()
            process.wait_ready(START_SECONDS_MAX)
            assert eventually(START_SECONDS_MAX, lambda: server.issuer_is(authority))
            yield server
        finally:
            process.terminate(STOP_SECONDS_MAX)
    finally:
        remove_scratch(scratch)


def _secure(server: SecuredServer, authority: Authority) -> None:
    settings = server.config / "elasticsearch.yml"
    kept = [line for line in settings.read_text().splitlines() if not line.startswith("xpack.security.")]
    kept += [
        "xpack.security.enabled: true",
        "xpack.security.http.ssl.enabled: true",
        "xpack.security.http.ssl.key: server.key",
        "xpack.security.http.ssl.certificate: server.crt",
        f"resource.reload.interval.high: {_RELOAD_INTERVAL}",
    ]
    settings.write_text("\n".join(kept) + "\n")
    server.use_certificate_of(authority)
    server.set_password(ADMINISTRATOR, server.password)


def _hashed(password: str) -> str:
    """A password as the file realm keeps it (PBKDF2 with HMAC-SHA-512)."""
    salt = secrets.token_bytes(32)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, 32)
    return f"{{PBKDF2}}{_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
