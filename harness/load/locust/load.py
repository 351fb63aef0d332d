"""Locust as a load: its master and workers in the application's place, driven by the plan's schedule."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import orjson

from harness.load.hosted import CONTROL, HostedLoad
from harness.load.locust.figures import FIGURES_FILE, read_figures
from harness.model.declarations import APPLICATION, LOAD, Part, Scenario, worker_name
from harness.model.errors import ScenarioError, UnavailableError
from harness.model.facts import CORES_LOAD, RequestsCounted
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock, LoadSpec
from harness.processes import procfs
from harness.processes.ports import free_port, release_port
from harness.targets.processes import ProcessesTarget

MASTER = "master"
_OPEN_PAGE = "harness.live.locust_page:open_page"
USERS_MAX = 1_000
WORKERS_MAX = 32
TRIAL_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True)
class _Arguments:
    """What a scenario file says of the load."""

    users: int = 0
    workers: int = 1
    file: str = ""

    @staticmethod
    def of(load: Part) -> _Arguments:
        return _Arguments(**load.arguments)  # type: ignore[arg-type]


class LocustLoad(HostedLoad):
    """A control sends beside them, and the oracle watches.

    Args:
        spec: what to send.
        folder: a private folder to work in.
        history: the folder of the history.
        clock: for every wait.
        users: how many users send; by default as many as the scenario has producers.
        workers: how many processes host the users, each of them some.
        file: a Locust file of your own, whose users call `send()`; by default a user that does nothing else.
    """

    # Importing Locust takes seconds of a core, and several scenarios may start at a time.
    _ready = replace(HostedLoad._ready, timeout_seconds=60.0)

    def __init__(
        self,
        spec: LoadSpec,
        folder: Path,
        history: Path,
        clock: Clock,
        users: int = 0,
        workers: int = 1,
        file: str = "",
    ) -> None:
        self._workers = workers
        self._file = str(found_file(file, [Path(folder) for folder in spec.code_folders])) if file else ""
        self._port = 0
        self._ticks: dict[str, tuple[int, int, int]] = {}
        super().__init__(replace(spec, producers=users or spec.producers), folder, history, clock)

    @staticmethod
    def require(scenario: Scenario, intake: Part, folders: Sequence[Path]) -> str:
        """Refuse what Locust cannot drive, and return a digest of its file; implements ChoosyLoad.

        Raises:
            ScenarioError: the intake is not posted to, or an argument cannot be used.
            UnavailableError: Locust is not installed.
        """
        if intake.kind == "python_logging":
            raise ScenarioError("python_logging is driven in the application process; use kind hosted")
        if intake.kind != "http":
            raise ScenarioError(f'"locust" posts to an http intake, not to "{intake.kind}"; use kind hosted')
        arguments = _Arguments.of(scenario.load)
        users = arguments.users or scenario.producers
        _require_range("users", users, 1, USERS_MAX)
        _require_range("workers", arguments.workers, 1, WORKERS_MAX)
        if arguments.workers > users:
            raise ScenarioError(
                f"workers: {arguments.workers} are more than the {users} users that they host; raise users"
            )
        file = found_file(arguments.file, folders) if arguments.file else None
        if importlib.util.find_spec("locust") is None:
            raise UnavailableError("Locust is not installed; pip install 'logquake[load]'")
        if file is None:
            return ""
        _require_users(file, folders)
        return sha256(file.read_bytes()).hexdigest()[:16]

    @staticmethod
    def target_names(load: Part) -> Sequence[str]:
        """Return the names of the workers."""
        return [worker_name(number) for number in range(1, _Arguments.of(load).workers + 1)]

    def targets(self) -> Mapping[str, object]:
        """Return each worker, all of them as the application, and the load, which faults may watch surge."""
        workers = {name: self._resuming(name) for name in self._worker_names()}
        every = list(workers.values())
        application = every[0] if len(every) == 1 else ProcessesTarget(every)
        return {APPLICATION: application, **workers, LOAD: self._surge()}

    def usage(self) -> dict[str, float]:
        """Return what the control takes up, and how much of a core each worker takes.

        The workers hold nothing of the stack, so their memory is nobody's promise.
        """
        return {**self._usage_of((CONTROL,)), **self._cores()}

    def counted(self, at_ns: int) -> Sequence[RequestsCounted]:
        """Return what Locust counts now; implements Counting."""
        sorts = read_figures(self._folder / FIGURES_FILE)
        return [RequestsCounted(at_ns, "Locust", **asdict(each)) for each in sorts]

    def stop(self) -> None:
        """Stop what still runs; idempotent."""
        super().stop()
        release_port(self._port)

    def _cores(self) -> dict[str, float]:
        """Return how many cores each worker took since the last look."""
        now_ns, taken = self._clock.now_ns(), {}
        for name in self._worker_names():
            pid = self._processes[name].pid if name in self._processes else None
            ticks = None if pid is None else procfs.cpu_ticks(pid)
            if pid is None or ticks is None:
                continue
            before_pid, before_ticks, before_ns = self._ticks.get(name, (0, 0, now_ns))
            self._ticks[name] = (pid, ticks.own, now_ns)
            if before_pid == pid and now_ns > before_ns:
                seconds = (ticks.own - before_ticks) / os.sysconf("SC_CLK_TCK")
                taken[f"{CORES_LOAD}.{name}"] = round(seconds / ((now_ns - before_ns) / SECOND_NS), 3)
        return taken

    def _senders(self, assignment: Path) -> Mapping[str, Sequence[str]]:
        self._port = free_port()
        here, figures = "harness.load.locust", str(self._folder / FIGURES_FILE)
        master = (
            sys.executable,
            "-m",
            f"{here}.master",
            str(assignment),
            str(self._port),
            figures,
            self._file,
            *self._page(),
        )
        workers = {
            name: (
                *(sys.executable, "-m", f"{here}.worker", str(assignment), str(number), str(self._port)),
                self._file,
                *self._spec.code_folders,
            )
            for number, name in enumerate(self._worker_names(), start=1)
        }
        return {MASTER: master, **workers}

    def _page(self) -> tuple[str, ...]:
        """Return what tells the master to open a page, and where; nothing where nobody asked for one."""
        if self._spec.page is None:
            return ()
        path = self._folder / "page.json"
        path.write_bytes(orjson.dumps(self._spec.page))
        return _OPEN_PAGE, str(path)

    def _finish_senders(self) -> None:
        """End workers, then the master, which waits for what they report last."""
        workers = self._worker_names()
        for name in (*workers, CONTROL):
            self._processes[name].tell("finish")
        for name in (*workers, CONTROL):
            self._end(name)
        self._processes[MASTER].tell("finish")
        self._end(MASTER)

    def _worker_names(self) -> list[str]:
        return [worker_name(number) for number in range(1, self._workers + 1)]


def found_file(file: str, folders: Sequence[Path]) -> Path:
    """Return where a Locust file lies: beside the stack file, in the current folder, or at its whole path.

    Args:
        file: as the scenario or stack names it.
        folders: looked through in this order; an absolute path counts as it is, whatever they are.

    Raises:
        ScenarioError: it is not there.
    """
    for folder in folders:
        if (path := folder / file).is_file():
            return path.resolve()
    places = " or ".join(str(folder) for folder in folders)
    raise ScenarioError(f'file: no Locust file "{file}" lies in {places}; write its whole path')


def _require_users(file: Path, folders: Sequence[Path]) -> None:
    command = [sys.executable, "-m", "harness.load.locust.trial", str(file), *map(str, folders)]
    try:
        tried = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRIAL_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ScenarioError(
            f"file: {file}: importing it takes longer than {TRIAL_SECONDS_MAX:g} s"
        ) from error
    if tried.returncode:
        said = (tried.stderr.decode(errors="replace").splitlines() or [f"exit code {tried.returncode}"])[-1]
        raise ScenarioError(f"file: {file}: {said}")


def _require_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ScenarioError(f"{name}: {value} is not within {least} and {most}")
