"""What is sealed, and what seals it, comes out nowhere: whatever fails, in no spelling, on no way out."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import requests
import zstandard

from logging_system.cli import main
from logging_system.encryption.envelope import sealing_key
from logging_system.keys.data_keys import DataKeyFolder
from logging_system.keys.providers.file import FileProvider
from tests.secret_search import KeyNeedles, leaks, spellings, text_needles
from tests.stack.processes import PYTHON, STREAM, WAIT_SECONDS, Store, eventually, finish, kill, ready_line

COUNT = 10
SECONDS_MAX = 120.0
TOKEN = "a-token-of-sixteen-or-more"  # noqa: S105 - known to the test alone
APPLICATION = """
import json, logging, sys
from logging_system import install
installation = install(settings=sys.argv[1], shipper="none")
canaries = json.loads(sys.argv[2])
log = logging.getLogger("shop")
for number in range(int(sys.argv[3])):
    try:
        int(canaries["exception"])
    except ValueError:
        log.exception("failed %s", canaries["message"], extra={"card": canaries["field"], "half": number})
    log.info("one record ends with %s", canaries["split"][:16])
    log.info("%s begins the next one", canaries["split"][16:])
assert installation.flush(20)
installation.handler.setFormatter(logging.Formatter("%(message)s"))
print(installation.stats(), installation.settings, repr(installation), vars(installation.handler))
print(installation.settings.model_dump(), installation.settings.open_encryption())
encryption = installation.settings.open_encryption()
for each in (encryption, encryption.sealer("block"), encryption.tokens(), encryption.provider):
    print(vars(each))
try:
    encryption.opener("block").open(b"\\1\\1\\4logs" + bytes(200), b"")
except Exception:
    logging.getLogger("logging_system").exception("as it must be")
installation.close()
"""


class RecordingProxy:
    """Carries bytes between clients and a server, and keeps them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.carried = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = [self._listener]
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._serve(self._accept)

    def close(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT_SECONDS)
        for each in self._open:
            each.close()

    def _serve(self, run: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=run, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._open.append(client)
                try:
                    server = socket.create_connection(("127.0.0.1", self._port), 5)
                except OSError:
                    client.shutdown(socket.SHUT_RDWR)
                    continue
                self._open.append(server)
                self._serve(self._carry, client, server)
                self._serve(self._carry, server, client)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.carried += data
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def program(folder: Path, said: dict[str, bytes], *words: str) -> Iterator[dict[str, Any]]:
    """Run a program of ours until the block ends; yields its first line and keeps all that it says."""
    name = f"{words[0]} {len(said)}"
    with (folder / "said.tmp").open("w+b") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "logging_system", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield {**ready_line(process), "pid": process.pid}
            process.send_signal(signal.SIGTERM)
            assert finish(process) == 0
        finally:
            if process.poll() is None:
                kill(process)
            errors.seek(0)
            said[name] = errors.read()


class Commands:
    """Runs commands in this process, which starts none for each; keeps what they say."""

    def __init__(self, said: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
        self._said = said
        self._capsys = capsys

    def ran(self, *words: str) -> int:
        try:
            code = main([*words])
        except SystemExit as ended:
            code = int(ended.code or 0)
        shown = self._capsys.readouterr()
        self._said[" ".join(words[:2]) + f" {len(self._said)}"] = (shown.out + shown.err).encode()
        return code


def on_disk(folder: Path) -> dict[str, bytes]:
    kept = {path for path in folder.rglob("*") if path.is_file() and path.name != "keys.json"}
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(kept)}


def key_bytes(folder: Path) -> dict[str, bytes]:
    """Every key that there was at any time: of the provider, wrapped by it, and made of these."""
    held = orjson.loads((folder / "keys.json").read_bytes())["keys"]["logs"]["secrets"]
    found = {f"key {version}": base64.b64decode(secret) for version, secret in held.items()}
    provider, data_keys = FileProvider(folder / "keys.json"), DataKeyFolder(folder / "spool" / "keys")
    for number, data_key_id in enumerate(data_keys.ids()):
        stored = data_keys.get(data_key_id)
        assert stored is not None
        data_key = provider.unwrap(stored.wrapped, stored.context)
        found[f"data key {number}"] = data_key.reveal()
        found[f"sealing key {number}"] = sealing_key(data_key).reveal()
    return found


@pytest.mark.timeout(300)
def test_no_canary_and_no_key_comes_out_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("message", "field", "exception", "split", "body", "refused", "dead")
    canaries = {name: f"canary-{secrets.token_hex(16)}" for name in names}
    said: dict[str, bytes] = {}
    FileProvider(tmp_path / "keys.json").create("logs")
    (tmp_path / "tokens").write_text(TOKEN + "\n")
    (tmp_path / "tokens").chmod(0o600)
    store = Store(tmp_path / "store")
    proxy = RecordingProxy(store.port)
    settings = tmp_path / "settings.yaml"
    settings.write_bytes(
        orjson.dumps(
            {
                "spool": str(tmp_path / "spool"),
                "service": "shop",
                "encryption": {"provider": "file", "path": str(tmp_path / "keys.json")},
                "elasticsearch": proxy.url,
                "stream": STREAM,
                "encrypt_fields": "message,error,labels.card",
                "token_fields": "labels.card",
                "token_file": str(tmp_path / "tokens"),
                "fallback_file": str(tmp_path / "fallback.ndjson"),
                "fallback_seconds": 1,
                "request_timeout_seconds": 2,
            }
        )
    )
    flags = ("--settings", str(settings))

    def status() -> dict[str, Any]:
        path = tmp_path / "spool" / "status-shipper.json"
        content: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
        return content

    commands = Commands(said, capsys)
    try:
        finished = subprocess.run(
            [*PYTHON, "-c", APPLICATION, str(settings), json.dumps(canaries), str(COUNT)],
            capture_output=True,
            timeout=SECONDS_MAX,
            check=True,
        )
        said["application"] = finished.stdout + finished.stderr
        assert commands.ran("keys", "rotate", *flags, "--pass-over-all") == 0
        with (
            program(tmp_path, said, "serve", *flags, "--listen-port", "0") as gateway,
            program(tmp_path, said, "ship", *flags, "--status-port", "0", "--lifeline") as shipper,
        ):
            answers(gateway["url"], canaries, said)
            eventually(lambda: status().get("delivered", 0) >= 3 * COUNT + 1, "the documents are delivered")
            eventually(lambda: status()["dead_lettered"] == 1, "one was refused for good")
            kill(store.process)

            def stand_in() -> bool:
                send(gateway["url"], canaries["body"])
                return bool(status()["redirected"])

            eventually(stand_in, "the files stand in")
            for path in ("/metrics", "/status"):
                url = f"http://127.0.0.1:{shipper['status_port']}{path}"
                said[path] = requests.get(url, timeout=WAIT_SECONDS).content
            limits = Path(f"/proc/{shipper['pid']}/limits").read_text()
            dumped = Path(f"/proc/{shipper['pid']}/coredump_filter").read_text()
        run_commands(tmp_path, commands, flags)
        keys = KeyNeedles(key_bytes(tmp_path))
    finally:
        kill(store.process)
        proxy.close()
    wire = {"the wire": bytes(proxy.carried)}
    places = on_disk(tmp_path) | said

    assert {"spool/dead-letters.ndjson", "fallback.ndjson", "store"} <= {
        name.partition("/")[0] if name.startswith("store") else name for name in places
    }
    assert b"card.token" in wire["the wire"]
    assert b"log-keys" in wire["the wire"]
    assert int(limits.partition("Max core file size")[2].split()[0]) <= 1
    assert int(dumped, 16) == 0
    assert leaks(places | wire, text_needles(canaries), keys) == []


HEADERS = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {TOKEN}"}


def send(url: str, canary: str) -> None:
    content = orjson.dumps({"message": canary, "labels": {"card": canary}})
    requests.post(f"{url}/v1/ndjson", content, headers=HEADERS, timeout=WAIT_SECONDS).raise_for_status()


def answers(url: str, canaries: dict[str, str], said: dict[str, bytes]) -> None:
    """Ask a gateway for every error that a body can bring about, and for what it tells of itself."""
    refused = canaries["refused"]
    send(url, canaries["body"])
    bodies = [
        # The store refuses it, and says why.
        orjson.dumps({"message": canaries["dead"], "@timestamp": "no time"}),
        b'{"message":"%b"' % refused.encode(),
        b"[%b]" % refused.encode(),
        b'{"%b":{"%b":[' % (refused.encode(), refused.encode()),
        refused.encode() + b"\xff",
    ]
    wrong = {"Content-Type": refused, "Authorization": f"Bearer {refused}"}
    for number, content in enumerate(bodies):
        answer = requests.post(f"{url}/v1/ndjson", content, headers=HEADERS, timeout=WAIT_SECONDS)
        said[f"answer {number}"] = answer.content + str(answer.headers).encode()
        for path in ("/v1/logs", f"/{refused}", f"/v1/ndjson?{refused}={refused}"):
            for each in (wrong, HEADERS | {"Content-Encoding": refused}):
                answer = requests.post(f"{url}{path}", content, headers=each, timeout=WAIT_SECONDS)
                said[f"answer {number} {each['Content-Type'][:8]} {len(said)}"] = answer.content
    for path in ("/stats", "/metrics", "/healthz", "/readyz"):
        said[f"gateway {path}"] = requests.get(f"{url}{path}", headers=HEADERS, timeout=WAIT_SECONDS).content


def run_commands(folder: Path, commands: Commands, flags: tuple[str, ...]) -> None:
    """Run what shows keys and spools, also where something is damaged."""
    assert commands.ran("keys", "status", *flags, "--json") == 0
    assert commands.ran("keys", "audit", *flags) == 0
    assert commands.ran("keys", "prune", *flags, "--dry-run") == 1  # the store is away
    assert commands.ran("spool", "dead-letters", "list", "--spool", str(folder / "spool")) in {0, 1, 4}
    good = (folder / "keys.json").read_bytes()
    for content in (good[:-20], b"{}", good.replace(b'"1"', b'"x"')):
        (folder / "keys.json").write_bytes(content)
        assert commands.ran("keys", "rotate", *flags, "--wait", "0") == 1
        assert commands.ran("decrypt", *flags, str(folder / "spool"), str(folder / "fallback.ndjson")) == 1
    (folder / "keys.json").write_bytes(good)


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip in gzip": lambda content: gzip.compress(gzip.compress(content)),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_search_finds_keys_and_canaries_in_every_spelling_and_packing(packing: str) -> None:
    key, canary = secrets.token_bytes(32), f"canary/{secrets.token_hex(16)}"
    needles = text_needles({"canary": canary}), KeyNeedles({"key": key})
    for half in (key[:16], key[16:]):
        for encoding, form in spellings(half):
            content = PACKINGS[packing](b"before " + form + b" after")
            assert leaks({"a place": content}, *needles), (encoding, packing)
    for text in (canary, quote(canary, safe=""), json.dumps(canary), canary.encode().hex(), canary[:30]):
        content = PACKINGS[packing](b"before " + text.encode() + b" after")
        assert leaks({"a place": content}, *needles), (text, packing)


def test_what_holds_neither_is_clean() -> None:
    needles = text_needles({"canary": "canary-of-some-length"}), KeyNeedles({"key": secrets.token_bytes(32)})
    assert (
        leaks({"a place": b"nothing to be seen here", "another": gzip.compress(b"nor here")}, *needles) == []
    )


DUMPS = """
import os, resource, sys
from pathlib import Path
from logging_system.keys.core_dumps import forbid_core_dumps
_, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
if sys.argv[1] == "forbids":
    forbid_core_dumps()
key = bytes(sys.argv[2], "ascii") * 100
os.abort()
"""


@pytest.mark.parametrize("does", ["forbids", "allows"])
def test_a_program_that_dies_leaves_no_memory_behind(tmp_path: Path, does: str) -> None:
    if Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core":
        pytest.skip("core dumps do not go to a file beside the process here")
    finished = subprocess.run(
        [sys.executable, "-c", DUMPS, does, "a-key"], cwd=tmp_path, check=False, timeout=WAIT_SECONDS
    )
    dumps = list(tmp_path.glob("core*"))
    if does == "allows" and not dumps:
        pytest.skip("the system allows no core dumps")

    assert finished.returncode == -signal.SIGABRT
    assert bool(dumps) == (does == "allows")
