"""`python -m tests.learning record`, then `episodes`: whether the engine learns what helps, on real faults.

`record` runs each cause with each runbook and with none, so that it is known what each takes. `episodes` lets
the engine of `watch` choose: it has learned from episodes whose times are drawn among the recorded ones, and
goes on learning from the real ones. After each of these the same fault is met by the runbook that is the best
single one by the recordings, and by nothing: the machine may be busier than it was when they were made, and
what is compared must have been run side by side. Each episode is a line of a file under reports/, so what was
interrupted goes on where it was; a line of another commit of the products or of the episodes does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness.model.errors import FaultError
from logging_system.coordination.engine import AICoordinationEngine
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.state_file import coordination_folder, read_state, save_state
from tests.learning.causes import CAUSES
from tests.learning.episode import Row, run_episode
from tests.learning.judging import Times, best_fixed, judged, learned, summary, table, times_of
from tests.learning.runbooks import NAMES, NOTHING
from tests.learning.stand import EpisodeError

RECORDED = Path(__file__).with_name("recorded_times.json")
_REPEATED_MAX = 3
_NO_DISK = 7
_WAYS = 3
"""By what the engine chooses, by the best single runbook, by nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what has not run yet; 1 where the promise does not hold or an episode never came to an end."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--resume", type=Path, default=Path("reports/learning.jsonl"))
    parser.add_argument("--any-commit", action="store_true", help="count what other commits came to, too")
    parser.add_argument("--seed", type=int, default=1, help="of order and draws; default 1")
    commands = parser.add_subparsers(dest="what", required=True)
    record = commands.add_parser("record", help="each cause with each runbook and with none")
    record.add_argument("--repeats", type=int, default=2, help="of each; default 2: 40 episodes")
    record.add_argument("--at-once", type=int, default=1, help="episodes that run at once; default 1")
    episodes = commands.add_parser("episodes", help="the engine chooses")
    episodes.add_argument("--count", type=int, default=6, help="for each cause; default 6: 24 episodes")
    episodes.add_argument("--drawn", type=int, default=40, help="episodes for each cause before; default 40")
    episodes.add_argument("--table", action="store_true", help="run nothing, judge what the file holds")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(2))
    try:
        return _record(options) if options.what == "record" else _episodes(options)
    except FaultError as error:
        print(error, file=sys.stderr)
        return _NO_DISK


def _record(options: argparse.Namespace) -> int:
    known = _known(options, "record")
    wanted = [
        (cause, number, name)
        for number in range(options.repeats)
        for cause in CAUSES
        for name in (*NAMES, NOTHING)
    ]
    there = {(row.cause, row.number, row.workflow) for row in known}
    todo = [each for each in wanted if each not in there]
    names = [[] if name == NOTHING else [name] for _, _, name in todo]
    pool = ThreadPoolExecutor(options.at_once)
    try:
        rows = pool.map(lambda each, only: _run(options, "record", each[0], each[1], only), todo, names)
        done = [row for row in rows if row is not None]
    finally:
        pool.shutdown(cancel_futures=True)  # those that run end in order
    rows_all = [*known, *done]
    if len(done) < len(todo):
        return 1
    RECORDED.write_text(json.dumps(_recorded(options, rows_all), indent=1) + "\n")
    print(f"{len(rows_all)} recorded episodes are in {RECORDED}")
    return 0


def _recorded(options: argparse.Namespace, rows: Iterable[Row]) -> dict[str, Any]:
    kept = ("cause", "workflow", "seconds", "fault_seconds", "found_as", "namespace")
    return {
        "made_by": f"python -m tests.learning record --repeats {options.repeats}",
        "commit": _commit(),
        "times": [{name: row.content()[name] for name in kept} for row in rows],
    }


def _run(
    options: argparse.Namespace,
    phase: str,
    cause: str,
    number: int,
    names: Sequence[str],
    memory: Path | None = None,
) -> Row | None:
    """Run an episode, again where it says nothing; None where it never says something."""
    for _ in range(_REPEATED_MAX):
        try:
            row = run_episode(cause, number, names, memory)
        except (EpisodeError, OSError) as error:
            print(f"{cause}, {number}: {error}", file=sys.stderr, flush=True)
            continue
        _keep(options, phase, row)
        print(
            f"{cause}, {number}: {row.workflow} took {row.seconds:.1f} s of a fault of "
            f"{row.fault_seconds:.1f} s ({row.why}); load average {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        return row
    return None


def _episodes(options: argparse.Namespace) -> int:
    content = json.loads(RECORDED.read_text())
    recorded = times_of((each["cause"], each["workflow"], each["seconds"]) for each in content["times"])
    contexts = {each["cause"]: (each["namespace"], each["found_as"]) for each in content["times"]}
    known, beside = _known(options, "episode"), _known(options, "beside")
    memory = options.resume.with_name("learning-memory")
    if not known:
        _begin(memory, recorded, contexts, options)
    compared = (best_fixed(recorded), NOTHING)
    order = [(cause, number) for cause in CAUSES for number in range(options.count)]
    random.Random(options.seed).shuffle(order)
    broken = 0
    for cause, number in () if options.table else order:
        if (cause, number) not in {(row.cause, row.number) for row in known}:
            row = _run(options, "episode", cause, number, NAMES, memory)
            broken += row is None
            known += [row] if row is not None else []
        there = {(row.cause, row.number, row.workflow) for row in beside}
        for name in compared:
            if (cause, number, name) not in there:
                row = _run(options, "beside", cause, number, [name] if name != NOTHING else [])
                broken += row is None
                beside += [row] if row is not None else []
    return _told(known, beside, options) | int(bool(broken))


def _told(known: Sequence[Row], beside: Sequence[Row], options: argparse.Namespace) -> int:
    """Print what whole episodes came to: those that were met in each of the three ways."""
    met = Counter((row.cause, row.number) for row in (*known, *beside))
    known, beside = ([row for row in rows if met[row.cause, row.number] == _WAYS] for rows in (known, beside))
    if not known:
        print("no episode has been met in each way yet")
        return 1
    by_cause: dict[str, list[float]] = {}
    for row in known:
        by_cause.setdefault(row.cause, []).append(row.seconds)
    compared = times_of((row.cause, row.workflow, row.seconds) for row in beside)
    judgement = judged(compared, by_cause, options.seed)
    chosen = times_of((row.cause, row.workflow, row.seconds) for row in known)
    print("\n".join(table(compared, chosen, judgement)))
    print(summary(judgement, len(known)))
    print(f"commit {_commit()}, load average {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores")
    return int(not judgement.is_as_promised)


def _begin(
    memory: Path, recorded: Times, contexts: dict[str, tuple[str, str]], options: argparse.Namespace
) -> None:
    """Make the engine's folder: as if it had gone through the drawn episodes."""
    shutil.rmtree(memory, ignore_errors=True)
    spool = memory.with_name("learning-spool")
    shutil.rmtree(spool, ignore_errors=True)
    engine = AICoordinationEngine(spool, Workflows())
    engine.look()
    engine.close()
    state = read_state(coordination_folder(spool))
    if state is None:
        raise EpisodeError("the engine saved nothing")
    outcomes, _ = learned(recorded, contexts, options.drawn, options.seed)
    save_state(coordination_folder(spool), {**state, "outcomes": outcomes.content()})
    coordination_folder(spool).rename(memory)
    shutil.rmtree(spool)


def _known(options: argparse.Namespace, phase: str) -> list[Row]:
    if not options.resume.exists():
        return []
    lines = [json.loads(line) for line in options.resume.read_text().splitlines()]
    commits = {each["commit"] for each in lines} if options.any_commit else {_commit()}
    return [Row(**each["row"]) for each in lines if each["phase"] == phase and each["commit"] in commits]


def _keep(options: argparse.Namespace, phase: str, row: Row) -> None:
    options.resume.parent.mkdir(parents=True, exist_ok=True)
    line = {"commit": _commit(), "phase": phase, "load_average": round(os.getloadavg()[0], 1)}
    with options.resume.open("a") as file:
        file.write(json.dumps({**line, "row": row.content()}) + "\n")


def _commit() -> str:
    command = ["git", "log", "-1", "--format=%h", "--", "logging_system"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
