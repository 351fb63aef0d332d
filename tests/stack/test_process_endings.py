"""However a process ends, what was acknowledged is in the spool, and nothing holds the end up."""

from __future__ import annotations

import signal
import subprocess
import textwrap
from pathlib import Path

import orjson
import pytest

from logging_system.spool.reader import SpoolReader
from tests.stack.processes import PYTHON, WAIT_SECONDS, finish, kill, started

PROLOGUE = """
import logging, multiprocessing, os, signal, sys, threading, time
from logging_system.handler import SpoolHandler
acknowledged = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def durable(records):
    os.write(acknowledged, "".join(record.getMessage() + "\\n" for record in records).encode())
handler = SpoolHandler(spool=sys.argv[1], service="s", on_durable=durable)
log = logging.getLogger("app"); log.setLevel(logging.INFO); log.addHandler(handler)
"""


def command(folder: Path, script: str) -> list[str]:
    code = PROLOGUE + script
    return [*PYTHON, "-c", code, str(folder / "spool"), str(folder / "acknowledged")]


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, script), timeout=WAIT_SECONDS, check=False, capture_output=True, text=True
    )


def spooled(folder: Path) -> list[str]:
    reader = SpoolReader(folder / "spool")
    found: list[str] = []
    while blocks := reader.read(1 << 24):
        found += [orjson.loads(document)["message"] for block in blocks for document in block.documents]
    reader.close()
    return found


def promised(folder: Path) -> list[str]:
    path = folder / "acknowledged"
    return path.read_text().splitlines() if path.exists() else []


LINES = "for number in range(2_000): log.info('line %d', number)\n"
ALL = [f"line {number}" for number in range(2_000)]


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "sys.exit(0)",
        "raise SystemExit",
        "thread = threading.Thread(target=sys.exit); thread.start(); thread.join()",
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); os.kill(os.getpid(), signal.SIGTERM)",
        "import atexit; atexit.register(lambda: None)",
        "logging.shutdown()",
        "threading.Thread(target=lambda: (time.sleep(0.2), log.info('last'))).start()",
    ],
    ids=[
        "return",
        "exit",
        "raise",
        "exit in a thread",
        "sigterm handled",
        "atexit",
        "shutdown",
        "late thread",
    ],
)
def test_a_process_that_ends_in_good_order_leaves_every_record(tmp_path: Path, ending: str) -> None:
    done = run(tmp_path, LINES + ending)

    assert (done.returncode, done.stderr) == (0, "")
    assert [message for message in spooled(tmp_path) if message != "last"] == ALL
    assert ("last" in spooled(tmp_path)) == ("last" in ending)
    assert not list((tmp_path / "spool").glob("*.open"))


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os._exit(3)", 3),
        ("os.abort()", -signal.SIGABRT),
    ],
    ids=["sigterm", "sigkill", "_exit", "abort"],
)
def test_a_process_that_ends_at_once_leaves_what_was_acknowledged(
    tmp_path: Path, ending: str, code: int
) -> None:
    done = run(tmp_path, LINES + "handler.flush()\nlog.info('perhaps')\n" + ending)
    found = spooled(tmp_path)

    assert done.returncode == code
    assert promised(tmp_path)[:2_000] == ALL
    assert set(promised(tmp_path)) <= set(found)
    assert len(found) == len(set(found))


def test_exit_in_the_callback_leaves_what_it_names(tmp_path: Path) -> None:
    script = (
        "def leave(records):\n"
        "    durable(records)\n"
        "    os._exit(0)\n"
        "handler.on_durable = leave\n" + LINES + "time.sleep(10)\n"
    )
    done = run(tmp_path, script)

    assert done.returncode == 0
    assert promised(tmp_path)
    assert spooled(tmp_path)[: len(promised(tmp_path))] == promised(tmp_path)


def test_an_exception_nobody_catches_is_in_the_spool(tmp_path: Path) -> None:
    script = "sys.excepthook = lambda *info: log.critical('died', exc_info=info)\n1 / 0\n"
    done = run(tmp_path, script)

    assert done.returncode == 1
    assert spooled(tmp_path) == ["died"]


def test_prefork_workers_that_come_and_go_leave_every_record(tmp_path: Path) -> None:
    script = (
        "log.info('master')\n"
        "def serve(name):\n"
        "    for number in range(50): log.info('%s %d', name, number)\n"
        "    sys.exit(0)\n"
        "for generation in range(3):\n"
        "    children = []\n"
        "    for place in range(3):\n"
        "        child = os.fork()\n"
        "        if not child: serve(f'{generation}.{place}')\n"
        "        children.append(child)\n"
        "    for child in children: assert os.waitpid(child, 0)[1] == 0\n"
        "log.info('end')\n"
    )
    done = run(tmp_path, script)
    found = spooled(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(found) == sorted(
        ["master", "end", *(f"{g}.{p} {n}" for g in range(3) for p in range(3) for n in range(50))]
    )


def test_a_child_forked_by_a_thread_under_load_repeats_and_loses_nothing(tmp_path: Path) -> None:
    script = (
        "stop = threading.Event()\n"
        "def load():\n"
        "    number = 0\n"
        "    while not stop.is_set():\n"
        "        log.info('load %d', number); number += 1; time.sleep(0.0005)\n"
        "thread = threading.Thread(target=load); thread.start()\n"
        "children = []\n"
        "for name in 'abcde':\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        log.info(name); handler.close(); os._exit(0)\n"
        "    children.append(child)\n"
        "    time.sleep(0.02)\n"
        "for child in children: assert os.waitpid(child, 0)[1] == 0\n"
        "stop.set(); thread.join()\n"
    )
    done = run(tmp_path, script)
    found = spooled(tmp_path)
    load = [message for message in found if message.startswith("load")]

    assert (done.returncode, done.stderr) == (0, "")
    assert load == [f"load {number}" for number in range(len(load))]
    assert sorted(set(found) - set(load)) == list("abcde")


def test_processes_spawned_by_multiprocessing_leave_every_record(tmp_path: Path) -> None:
    module = tmp_path / "spawned.py"
    module.write_text(
        "import logging, sys\n"
        "from logging_system.handler.handler import SpoolHandler\n"
        "def work(spool, name):\n"
        "    handler = SpoolHandler(spool=spool, service='s')\n"
        "    log = logging.getLogger('app'); log.setLevel(logging.INFO); log.addHandler(handler)\n"
        "    for number in range(20): log.info('%s %d', name, number)\n"
    )
    script = (
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import spawned\n"
        "context = multiprocessing.get_context('spawn')\n"
        "workers = [context.Process(target=spawned.work, args=(sys.argv[1], name)) for name in 'ab']\n"
        "for worker in workers: worker.start()\n"
        "for worker in workers: worker.join(); assert worker.exitcode == 0\n"
    )
    done = run(tmp_path, script)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(spooled(tmp_path)) == sorted(f"{name} {number}" for name in "ab" for number in range(20))


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.parametrize("place", ["its main module", "its worker"])
def test_processes_of_multiprocessing_that_install_leave_every_record(
    tmp_path: Path, method: str, place: str
) -> None:
    """Forked children of multiprocessing, those of its fork server too, end without exit functions."""
    install = (
        "handler = SpoolHandler(spool=sys.argv[1], service='s')\n"
        "log = logging.getLogger('app'); log.setLevel(logging.INFO); log.addHandler(handler)\n"
    )
    everywhere, in_worker = (install, "") if place == "its main module" else ("", install)
    script = tmp_path / "program.py"
    script.write_text(
        "import logging, multiprocessing, sys\n"
        "from logging_system.handler.handler import SpoolHandler\n"
        + everywhere
        + "def work(name):\n"
        + textwrap.indent(in_worker, "    ")
        + "    for number in range(20): logging.getLogger('app').info('%s %d', name, number)\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        "    workers = [context.Process(target=work, args=(name,)) for name in 'ab']\n"
        "    for worker in workers: worker.start()\n"
        "    for worker in workers: worker.join(); assert worker.exitcode == 0\n"
    )
    done = subprocess.run(
        [*PYTHON, str(script), str(tmp_path / "spool")],
        timeout=WAIT_SECONDS,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(spooled(tmp_path)) == sorted(f"{name} {number}" for name in "ab" for number in range(20))


def test_a_signal_handler_logs_while_the_program_does(tmp_path: Path) -> None:
    script = (
        (
            "signal.signal(signal.SIGALRM, lambda *_: log.warning('from the handler'))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\n"
            + LINES
            + "signal.setitimer(signal.ITIMER_REAL, 0)\n"
            "handler.flush()\n"
            "stats = handler.stats()\n"
            "assert stats.balanced and stats.offered == 2_000 + COUNT(), stats\n"
        )
        .replace("lambda *_: log.warning('from the handler')", "alarm")
        .replace("COUNT()", "rung")
    )
    script = (
        "rung = 0\n"
        "def alarm(*_):\n"
        "    global rung\n"
        "    rung += 1\n"
        "    log.warning('from the handler')\n" + script
    )
    done = run(tmp_path, script)

    assert (done.returncode, done.stderr) == (0, "")
    assert [message for message in spooled(tmp_path) if message != "from the handler"] == ALL


def test_logging_at_interpreter_shutdown_harms_nobody(tmp_path: Path) -> None:
    script = (
        "class Late:\n"
        "    def __del__(self): log.info('at the very end')\n"
        "late = Late()\n"
        "import atexit\n"
        "atexit.register(lambda: log.info('after close'))\n"
        "handler.close(); log.info('closed')\n"
    )
    done = run(tmp_path, "log.info('first')\n" + script)

    # A closed handler opens again; what a finalizer logs after the last exit function is too late for any.
    assert (done.returncode, done.stderr) == (0, "")
    assert spooled(tmp_path) == ["first", "closed", "after close"]


def test_objects_that_cannot_be_printed_cost_nothing_but_their_text(tmp_path: Path) -> None:
    script = (
        "class Broken:\n"
        "    def __str__(self): raise RuntimeError('no')\n"
        "    __repr__ = __str__\n"
        "class Endless:\n"
        "    def __str__(self): return str(self)\n"
        "log.info('%s', Broken())\n"
        "log.info(Broken())\n"
        "log.info('extra', extra={'broken': Broken(), 'items': [Broken()]})\n"
        "log.info('%s', Endless())\n"
        "log.info('%d', 'no number')\n"
        "log.info('too few %s %s', 1)\n"
        "log.info('after')\n"
    )
    done = run(tmp_path, script)

    # The application's own callback asks for the text, too.
    assert (done.returncode, done.stderr) == (0, "logging_system: on_durable raised an exception.\n")
    assert spooled(tmp_path) == [
        "%s",
        "<Broken>",
        "extra",
        "%s",
        "%d",
        "too few %s %s",
        "after",
    ]


def test_a_spool_folder_removed_under_way_costs_only_what_was_in_it(tmp_path: Path) -> None:
    script = (
        "import shutil\n"
        "log.info('gone'); handler.flush()\n"
        # The worker may just be writing its counters: a folder that gets a file meanwhile is not removed.
        "for _ in range(100):\n"
        "    shutil.rmtree(sys.argv[1], ignore_errors=True)\n"
        "assert not os.path.exists(sys.argv[1])\n"
        "for number in range(5): log.info('after %d', number); handler.flush()\n"
        "assert handler.stats().balanced and handler.stats().admitted == 6\n"
    )
    done = run(tmp_path, script)

    # The worker may be writing its counters at the moment their folder goes, and says so.
    caught_writing = (
        "logging_system: Disk error while writing the spool: ENOENT, No such file or directory. "
        "It is tried again.\n"
    )
    assert done.returncode == 0
    assert done.stderr in ("", caught_writing)
    assert spooled(tmp_path) == [f"after {number}" for number in range(5)]


def test_a_folder_that_cannot_be_written_does_not_hold_up_the_end(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    process = started(command(tmp_path, LINES))
    try:
        assert finish(process) == 0
    finally:
        kill(process)
