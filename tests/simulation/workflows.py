"""Workflows in virtual time: crashes between any two steps, power cuts, lost leads, store outages.

`python -m tests.simulation.workflows --seeds 5000 --first 0`. Two engines, each on a simulated disk of its
own, share one store and have the same findings. The world counts what shared steps do, by idempotency key;
the judge looks at that, at the control files and at what the engines still hold.
"""

from __future__ import annotations

import argparse
import errno
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from logging_system.coordination.answers import Say
from logging_system.coordination.claims import step_key
from logging_system.coordination.engine import AICoordinationEngine
from logging_system.coordination.findings import CauseClass, Finding, FindingKind
from logging_system.coordination.lease import Stored, StoreUnavailableError
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.limits import touched_now
from logging_system.coordination.workflows.run import Run, RunState, StepState
from logging_system.coordination.workflows.steps.command import KEY_VARIABLE, TOKEN_VARIABLE
from logging_system.coordination.workflows.steps.declared import EffectError, Effects
from logging_system.coordination.workflows.steps.programs import ProgramError
from logging_system.spool.control import NAME as CONTROL_NAME
from logging_system.spool.control import decoded, in_force
from tests.simulation.campaign import PROCESSES, Trial, run_seeds
from tests.simulation.disk import FOLDER, Killed, Process, SimulatedDisk, Strike

EPOCH = 1_700_000_000.0
LEASE_SECONDS = 60.0
HOSTS = 2
_STORY_SECONDS = 1_500.0
_DRAIN_LOOKS = 60
_DAY_SECONDS = 86_400.0
_LATER_DAYS = (1, 9, 20, 29, 35, 65)
_ERRORS = (errno.EIO, errno.ENOSPC)

WORKFLOWS = {
    "limits": {"runs_per_hour": 1000, "runs_at_once": 3, "loggers_max": 2, "namespaces_max": 2},
    "learning": {"enabled": False},
    "automatic": [{"workflow": "store"}, {"workflow": "flood"}],
    "workflows": [
        {
            "name": "store",
            "when": {"causes": ["store_slow"]},
            "until_over": True,
            "steps": [
                {"kind": "snapshot_diagnostics"},
                {"kind": "shrink_batches", "batch_records_max": 100},
                {
                    "kind": "command",
                    "command": ["scale", "up"],
                    "undo_command": ["scale", "down"],
                    "check_command": ["scale", "is"],
                },
                {"kind": "command", "command": ["page"], "undo_command": ["unpage"]},
            ],
        },
        {
            "name": "flood",
            "when": {"causes": ["application"]},
            "steps": [
                {"kind": "set_level", "logger": "{subject}", "level": "ERROR"},
                {"kind": "alert", "may_fail": True},
                {"kind": "command", "command": ["fails"], "undo_command": ["unfails"]},
            ],
        },
        {
            "name": "keys",
            "when": {"causes": ["keys"]},
            "steps": [{"kind": "rotate_keys"}, {"kind": "command", "command": ["tell"]}],
        },
    ],
}
_CAUSES = (CauseClass.STORE_SLOW, CauseClass.APPLICATION, CauseClass.KEYS)


class BrokenPromiseError(AssertionError):
    """What happened must not have happened."""


class SimulatedStore:
    """Documents that are compared before they are replaced; it may be away, or not say what it did."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.documents: dict[str, tuple[dict[str, object], int]] = {}
        self._seq_no = 0
        self.requests = self.removed = 0

    def read(self, document_id: str) -> Stored | None:
        self._request()
        found = self.documents.get(document_id)
        return None if found is None else Stored(dict(found[0]), found[1], 1)

    def create(self, document_id: str, content: dict[str, object]) -> bool:
        return self._write(document_id, content, None)

    def replace(self, document_id: str, content: dict[str, object], before: Stored) -> bool:
        return self._write(document_id, content, before.seq_no)

    def remove_old(self, now_seconds: float) -> int:
        self._request()
        old = [key for key, (content, _) in self.documents.items() if _until(content) < now_seconds]
        for key in old:
            del self.documents[key]
        self.removed += len(old)
        return len(old)

    def _write(self, document_id: str, content: dict[str, object], expected: int | None) -> bool:
        self._request()
        found = self.documents.get(document_id)
        is_as_expected = (None if found is None else found[1]) == expected
        if is_as_expected:
            self._seq_no += 1
            self.documents[document_id] = (dict(content), self._seq_no)
        if self._world.rng.random() < self._world.loss:
            raise StoreUnavailableError("the answer was lost")
        return is_as_expected

    def _request(self) -> None:
        world = self._world
        self.requests += 1
        world.now += world.rng.random() * world.slowness
        world.maybe_kill()
        if any(begin <= world.now - EPOCH < end for begin, end in world.outages):
            raise StoreUnavailableError("no answer")


def _until(content: Mapping[str, object]) -> float:
    until_seconds = content.get("until_seconds", float("inf"))
    assert isinstance(until_seconds, int | float)
    return until_seconds


@dataclass
class Host:
    """One spool folder, and the engine that works on it while it lives."""

    disk: SimulatedDisk
    engine: AICoordinationEngine | None = None
    process: Process | None = None
    back_seconds: float = 0.0


@dataclass
class World:
    """Everything that engines touch."""

    rng: random.Random
    engine_class: type[AICoordinationEngine] = AICoordinationEngine
    now: float = EPOCH
    loss: float = 0.0
    slowness: float = 0.0
    death: float = 0.0
    outages: list[tuple[float, float]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)
    """Keys that the world has answered with a failure, without doing them."""
    tokens: list[int] = field(default_factory=list)
    key_version: int = 1
    crashes: int = 0
    answers: int = 0

    def __post_init__(self) -> None:
        self.store = SimulatedStore(self)
        self.hosts = [Host(SimulatedDisk(random.Random(self.rng.random()))) for _ in range(HOSTS)]

    # What engines call

    def maybe_kill(self) -> None:
        if self.death and self.rng.random() < self.death:
            raise Killed

    def effect(self, key: str, token: int) -> None:
        """Something is done to the world, by whoever leads; the engine may die before or after it."""
        self.maybe_kill()
        if self.tokens and token < max(self.tokens):
            raise BrokenPromiseError(f"{key}: was done with token {token}, after {max(self.tokens)}")
        self.tokens.append(token)
        self.done[key] += 1
        self.now += self.rng.random() * self.slowness
        self.maybe_kill()

    def run_program(
        self, words: Sequence[str], line: bytes, variables: Mapping[str, str], timeout_seconds: float
    ) -> int:
        del line, timeout_seconds
        key, token = variables[KEY_VARIABLE], int(variables[TOKEN_VARIABLE])
        if words[-1] == "is":
            self.maybe_kill()
            return 0 if self.done[key] else 1
        if words[0] == "fails":
            self.refused.add(key)
            return 3
        self.effect(key, token)
        if self.rng.random() < self.loss:
            raise ProgramError("no end in time", has_begun=True)
        return 0

    def alert(self, finding: Finding, text: str, key: str) -> None:
        del finding, text
        if self.rng.random() < self.loss:
            raise EffectError("no channel took it")
        self.effect(key, max(self.tokens, default=0))

    def version(self) -> int:
        return self.key_version

    def rotate(self) -> None:
        self.maybe_kill()
        self.key_version += 1
        self.maybe_kill()

    # Engines

    def look(self, host: Host) -> None:
        """Let a host's engine go on once, whatever befalls it."""
        if host.engine is None and self.now < host.back_seconds:
            return
        try:
            if host.engine is None:
                host.process = host.disk.process()
                host.engine = self._engine(host.process)
            self._arm(host)
            host.engine.look()
        except OSError:
            return
        except Killed:
            self.crash(host)

    def tell(self, host: Host, finding: Finding) -> None:
        """Tell a finding until it is taken, as detection does."""
        if host.engine is None:
            return
        try:
            host.engine.tell(finding)
        except OSError:
            return
        except Killed:
            self.crash(host)

    def crash(self, host: Host) -> None:
        """The process dies, or with it the machine."""
        self.crashes += 1
        if host.process is not None and not host.process.dead:
            if self.rng.random() < 0.4:
                host.disk.power_cut()
            else:
                host.disk.kill(host.process)
        host.engine, host.process = None, None
        host.back_seconds = self.now + self.rng.choice((0.0, 5.0, 200.0, 1_500.0))

    def _engine(self, process: Process) -> AICoordinationEngine:
        return self.engine_class(
            FOLDER,
            Workflows.model_validate(WORKFLOWS),
            store=self.store,
            effects=Effects(alert=self.alert, keys=self, run_program=self.run_program),
            rng=random.Random(1),
            wall_clock=lambda: self.now,
            monotonic=lambda: self.now,
            disk=process,
            lease_seconds=LEASE_SECONDS,
        )

    def _arm(self, host: Host) -> None:
        if host.process is None:
            return
        strikes: tuple[Strike, ...] = ()
        if self.death and self.rng.random() < 0.15:
            kind = self.rng.choice(("kill", "power", "error"))
            strikes = (
                Strike(
                    self.rng.choice(("", "", "sync", "pwrite", "write", "rename")),
                    self.rng.randrange(12),
                    kind,
                    self.rng.choice(_ERRORS),
                    kind != "error" and self.rng.random() < 0.5,
                ),
            )
        host.process.arm(strikes)


@dataclass
class Incident:
    """A finding of the story: when it begins and ends, and on which hosts it is seen."""

    finding: Finding
    begin: float
    end: float
    hosts: list[int]


def incidents_of(rng: random.Random) -> list[Incident]:
    """Return the story's findings."""
    found = []
    for number in range(rng.randint(2, 6)):
        cause = rng.choice(_CAUSES)
        begin = rng.uniform(5, _STORY_SECONDS - 300)
        finding = Finding(
            f"finding-{number}",
            FindingKind.LATENCY_SHIFT,
            cause,
            rng.choice(("a", "b")),
            rng.choice(("shop", "shop.payment", "search")),
            EPOCH + begin,
            EPOCH + begin,
            0.9,
            "something changed",
        )
        hosts = [0, 1] if rng.random() < 0.5 else [rng.randrange(HOSTS)]
        found.append(Incident(finding, begin, begin + rng.choice((30, 300, 3_000)), hosts))
    return found


def run_seed(seed: int, engine_class: type[AICoordinationEngine] = AICoordinationEngine) -> World:
    """Run a story to its end and judge it.

    Raises:
        BrokenPromiseError: Something happened that must not.
    """
    rng = random.Random(seed)
    world = World(rng, engine_class)
    incidents = incidents_of(rng)
    world.loss, world.slowness = rng.choice((0.0, 0.05, 0.2)), rng.choice((0.0, 1.0, 4.0))
    world.death = rng.choice((0.0, 0.01, 0.04))
    for _ in range(rng.randrange(3)):
        begin = rng.uniform(0, _STORY_SECONDS)
        world.outages.append((begin, begin + rng.choice((20, 200, 700))))
    person = rng.choice((0.0, 0.02, 0.1))
    while world.now - EPOCH < _STORY_SECONDS:
        _step(world, incidents, person)
        world.now += rng.uniform(1, 25)
    world.loss = world.slowness = world.death = 0.0
    world.outages.clear()
    for _ in range(_DRAIN_LOOKS):
        world.now += 30.0
        _step(world, incidents, 0.0, is_over=True)
    for _ in range(4):
        world.now += _DAY_SECONDS / 2
        for _ in range(12):
            world.now += 30.0
            _step(world, incidents, 0.0, is_over=True)
    _judge(world)
    _much_later(world, incidents, random.Random(seed))
    _judge(world)
    _judge_lead(world)
    return world


def _much_later(world: World, incidents: list[Incident], rng: random.Random) -> None:
    """All engines hear of the findings again, some for the first time; claims may be removed."""
    for later_days in rng.sample(_LATER_DAYS, 2):
        world.now += later_days * _DAY_SECONDS
        again = [replace(each, hosts=list(range(HOSTS)), end=world.now - EPOCH + 150.0) for each in incidents]
        for _ in range(12):
            world.now += 30.0
            _step(world, again, 0.0)
        for _ in range(4):
            world.now += _DAY_SECONDS / 2
            for _ in range(6):
                world.now += 30.0
                _step(world, again, 0.0, is_over=True)


def _step(world: World, incidents: list[Incident], person: float, *, is_over: bool = False) -> None:
    for number, host in enumerate(world.hosts):
        world.look(host)
        _judge_orders(world, host)
        for incident in incidents:
            if number not in incident.hosts:
                continue
            seconds = world.now - EPOCH
            if is_over or seconds >= incident.end:
                world.tell(host, replace(incident.finding, until_seconds=EPOCH + incident.end))
            elif seconds >= incident.begin:
                world.tell(host, incident.finding)
        if person and world.rng.random() < person:
            _answer(world, host)


def _answer(world: World, host: Host) -> None:
    """A person answers something, and tells the truth."""
    if host.engine is None or host.process is None:
        return
    runs = [each for each in host.engine.runs() if not each.is_over or each.state is RunState.DONE]
    if not runs:
        return
    run = world.rng.choice(runs)
    if run.doubts:
        place = run.doubts[0]
        undoes = run.steps[place].state is StepState.UNDO_IN_DOUBT
        say = Say.DONE if world.done[_key(run, place, undoes=undoes)] else Say.NOT_DONE
    else:
        say = Say.APPROVE if run.state is RunState.WAITING else world.rng.choice((Say.REJECT, Say.YES))
    world.answers += 1
    try:
        host.process.arm(())
        host.engine.say(say, run.id)
    except OSError:
        return


def _key(run: Run, place: int, *, undoes: bool) -> str:
    return step_key(run.workflow.name, run.finding.finding_id, run.number, place, undoes=undoes)


_UNDOES = frozenset({RunState.FAILED, RunState.REJECTED})


def _judge(world: World) -> None:
    twice = [key for key, count in world.done.items() if count > 1]
    if twice:
        raise BrokenPromiseError(f"shared steps were done twice: {', '.join(twice)}")
    runs: list[Run] = []
    for host in world.hosts:
        runs += _judge_host(world, host)
    for run in runs:
        others = [each for each in runs if each.finding.finding_id == run.finding.finding_id]
        if all(_was_undone(each) for each in others):
            _judge_undone(world, run, others)


def _was_undone(run: Run) -> bool:
    ended_undone = run.state in _UNDOES or (run.state is RunState.DONE and run.workflow.until_over)
    return ended_undone or not run.started_seconds


def _judge_host(world: World, host: Host) -> list[Run]:
    if host.engine is None:
        raise BrokenPromiseError("an engine did not come back though nothing stood in its way")
    runs = host.engine.runs()
    for run in runs:
        if not run.is_over:
            raise BrokenPromiseError(f"run {run.id} of {run.workflow.name} never ended: {run.steps}")
        if held := list(touched_now(run, world.now)):
            raise BrokenPromiseError(f"run {run.id} still holds {', '.join(held)}")
    host.engine.verify_history()
    return runs


def _judge_orders(world: World, host: Host) -> None:
    """No order of a run that ended undone stands."""
    if host.engine is None or CONTROL_NAME not in host.disk.names:
        return
    standing = {each.id for each in in_force(decoded(host.disk.content(CONTROL_NAME)), world.now)}
    for run in host.engine.runs():
        left = {_key(run, place, undoes=False) for place in range(len(run.steps))} & standing
        if run.is_over and _was_undone(run) and left:
            raise BrokenPromiseError(f"run {run.id} is {run.state}, and its orders still stand")


def _judge_undone(world: World, run: Run, others: list[Run]) -> None:
    """What was done is undone, unless nobody could tell that it was done, and no person did."""
    for place, step in enumerate(run.workflow.steps):
        if step.is_local or not step.is_undoable:
            continue
        was_done = world.done[_key(run, place, undoes=False)]
        was_undone = world.done[_key(run, place, undoes=True)]
        is_excused = any(each.steps[place].state is StepState.ABANDONED for each in others)
        if was_done and not was_undone and not is_excused:
            raise BrokenPromiseError(
                f"step {place + 1} of run {run.id} ({run.state}) was done and never undone: "
                f"{[(each.state.value, each.steps[place]) for each in others]}"
            )


def _judge_lead(world: World) -> None:
    """The lead can be had by somebody new once all who had it are gone."""
    for host in world.hosts:
        host.engine = None
    world.now += 1.0
    newcomer = SimulatedDisk(random.Random(0)).process()
    engine = world._engine(newcomer)
    for _ in range(8):
        engine.look()
        world.now += LEASE_SECONDS / 3
    if not engine.leads:
        raise BrokenPromiseError("the lead is held for ever")


def _trial(seed: int) -> Trial:
    try:
        world = run_seed(seed)
    except BrokenPromiseError as error:
        again = f"python -m tests.simulation.workflows --first {seed} --seeds 1"
        return Trial(seed, f"{error}\n  again: {again}")
    return Trial(seed, None, sum(world.done.values()), world.crashes, world.store.requests)


def main(arguments: list[str] | None = None) -> int:
    """Run seeds; exit code 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.workflows")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many run seeds at once")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    totals = run_seeds("workflows", _trial, seeds, processes=options.processes)
    return 1 if totals.failures else 0


if __name__ == "__main__":
    sys.exit(main())
