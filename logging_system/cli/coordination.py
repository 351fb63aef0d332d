"""`coordination`: shows proposals and runs, answers them, and explains what was learned."""

from __future__ import annotations

import argparse
import difflib
import getpass
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logging_system.cli.parser import EXIT_DONE, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.config.settings import Settings
    from logging_system.coordination.answers import Say
    from logging_system.coordination.engine import AICoordinationEngine
    from logging_system.coordination.findings import Finding
    from logging_system.coordination.outcomes.memory import Standing
    from logging_system.coordination.workflows.run import Run

_GIVEN = ("spool", "service", "settings", "alerts", "workflows", "encryption", "elasticsearch")
_NAMES = {*_GIVEN, "mask"}
_DONE = "Exit codes: 0 done, 1 it could not be done, 4 usage."
_TAKEN_SECONDS_MAX = 10.0
_CARRY_ON_SECONDS_MAX = 120.0
_PAUSE_SECONDS = 0.2
_IDLE_LOOKS = 3
_FILE_BYTES_MAX = 1024 * 1024


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its own."""
    parser = subcommands.add_parser(
        "coordination",
        help="approve, reject and explain workflows",
        description="Shows what the engine proposes and does for findings, takes answers, and says "
        "what it has learned.",
    )
    commands = parser.add_subparsers(dest="what", required=True, parser_class=Parser)
    listed = _add(commands, "list", _list, "show proposals and runs that are not over")
    listed.add_argument("--all", action="store_true", help="also those that are over")
    listed.add_argument("--json", action="store_true", help="print JSON")
    approve = _add(commands, "approve", _approve, "let a proposal run")
    reject = _add(commands, "reject", _reject, "refuse a proposal, or undo what a run did")
    reject.add_argument("--not-it", action="store_true", help="because the cause is another one")
    answer = _add(commands, "answer", _answer, "say whether a step was done that nobody else can tell about")
    judge = _add(commands, "judge", _judge, "say whether a run helped")
    for each in (approve, reject, answer, judge):
        each.add_argument("run_id", metavar="ID", help="as `list` shows it")
    answer.add_argument("answer", choices=("done", "not-done"))
    judge.add_argument("answer", choices=("yes", "no", "not-it"), help="not-it: the cause was another one")
    for each in (reject, judge):
        each.add_argument("--cause", metavar="CLASS", help="with not-it: the right class of cause")
    explain = _add(commands, "explain", _explain, "say why a workflow is chosen: what was measured and said")
    explain.add_argument("run_id", nargs="?", metavar="ID", help="only what is behind this run")
    explain.add_argument("--json", action="store_true", help="print JSON")
    history = _add(commands, "history", _history, "show the audit: what was proposed, answered and done")
    history.add_argument("--last", type=int, default=50, metavar="LINES", help="how many. Default: 50")
    history.add_argument("--json", action="store_true", help="print JSON, one document a line")
    history.add_argument("--verify", action="store_true", help="only check that nothing was changed")
    run = _add(commands, "run", _run_finding, "hand a finding to the engine, as detection does")
    run.add_argument("--finding", metavar="FILE", required=True, help="JSON; - reads standard input")
    run.add_argument("--dry-run", action="store_true", help="only say what each workflow would do")
    _add(commands, "export", _export, "print all that was learned, as JSON")
    forget = _add(commands, "forget", _forget, "forget what was learned")
    forget.add_argument("--namespace", metavar="NAME", help="of this namespace only")
    forget.add_argument("--cause", metavar="CLASS", help="of this class of cause only")


def _add(
    commands: Subcommands,
    name: str,
    run: Callable[[AICoordinationEngine, argparse.Namespace, Parser], int],
    what: str,
) -> Parser:
    parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=_DONE)
    parser.add_argument("--spool", metavar="DIR", help="the spool folder")
    parser.add_argument("--service", metavar="NAME", help="or the service, to use its default folder")
    parser.add_argument("--settings", metavar="FILE", help="or a settings file that names one of them")
    parser.add_argument("--workflows", metavar="FILE", help="the file of workflows")
    parser.add_argument("--alerts", metavar="FILE", help="the file of channels, for the step `alert`")
    parser.add_argument("--elasticsearch", metavar="URL", help="the store, which shared steps need")
    parser.add_argument("--encryption", metavar="NAME=VALUE,…", help="the key, for the step `rotate_keys`")
    parser.set_defaults(run=lambda options: _run(run, options, parser))
    return parser


def _run(
    run: Callable[[AICoordinationEngine, argparse.Namespace, Parser], int],
    options: argparse.Namespace,
    parser: Parser,
) -> int:
    from logging_system.config.loading import load_settings
    from logging_system.coordinating import engine_of
    from logging_system.coordination.workflows.loading import WorkflowsFileError
    from logging_system.coordination.workflows.state_file import StateDamagedError
    from logging_system.keys.audit_log import AuditError
    from logging_system.keys.durable_files import FileHeldError

    loaded = load_settings({name: getattr(options, name) for name in _GIVEN}, written="--{}".format)
    if wrong := [str(problem) for problem in loaded.problems if problem.name in _NAMES]:
        parser.error("; ".join(wrong))
    settings: Settings = loaded.settings
    if settings.spool is None and "service" not in loaded.origins:
        parser.error("give --spool DIR, or --service NAME to use its default folder")
    command = f"coordination {options.what}"
    try:
        with engine_of(settings) as engine:
            return run(engine, options, parser)
    except WorkflowsFileError as error:
        parser.error(str(error))
    except OSError as error:
        return fail(command, f"{error.filename or settings.spool_folder}: {error.strerror or error}")
    except (AuditError, FileHeldError, StateDamagedError, ValueError) as error:
        return fail(command, str(error))


# Answers


def _approve(engine: AICoordinationEngine, options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.coordination.answers import Say
    from logging_system.coordination.workflows.run import RunState

    run = _named(engine, options.run_id, parser)
    if run.state is not RunState.WAITING:
        return fail("coordination approve", f"run {run.id} is {run.state}: {run.why or 'it was approved'}")
    return _say(engine, Say.APPROVE, run.id)


def _reject(engine: AICoordinationEngine, options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.coordination.answers import Say

    run = _named(engine, options.run_id, parser)
    details = {"not_it": True, "cause": _cause(options, parser)} if options.not_it else {}
    return _say(engine, Say.REJECT, run.id, details)


def _answer(engine: AICoordinationEngine, options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.coordination.answers import Say

    run = _named(engine, options.run_id, parser)
    if not run.doubts:
        return fail("coordination answer", f"run {run.id} has no step in doubt; it is {run.state}")
    return _say(engine, Say.DONE if options.answer == "done" else Say.NOT_DONE, run.id)


def _judge(engine: AICoordinationEngine, options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.coordination.answers import Say

    run = _named(engine, options.run_id, parser)
    say = {"yes": Say.YES, "no": Say.NO, "not-it": Say.NOT_IT}[options.answer]
    details = {"cause": _cause(options, parser)} if say is Say.NOT_IT else {}
    return _say(engine, say, run.id, details)


def _forget(engine: AICoordinationEngine, options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.coordination.answers import Say

    details = {"namespace": options.namespace, "cause": _cause(options, parser)}
    return _say(engine, Say.RESET, "", details)


def _run_finding(engine: AICoordinationEngine, options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.coordination.answers import Say
    from logging_system.coordination.finding_content import content_of

    try:
        finding = _finding(options.finding)
    except ValueError as error:
        parser.error(str(error))
    if options.dry_run:
        _show_dry_run(engine, finding)
        return EXIT_DONE
    before = {each.id for each in engine.runs()}
    exit_code = _say(engine, Say.FINDING, "", {"finding": content_of(engine.kept(finding))})
    made = [each for each in engine.runs() if each.id not in before]
    for run in made:
        _show(engine, run)
    if not made and exit_code == EXIT_DONE:
        print("no new run; `coordination run --dry-run` says why not")
    return exit_code


def _say(
    engine: AICoordinationEngine, say: Say, run_id: str, details: Mapping[str, Any] | None = None
) -> int:
    """Say it, and let whoever coordinates the folder take it in: this command where nobody else does."""
    engine.say(say, run_id, getpass.getuser(), details)
    give_up_seconds = time.monotonic() + _CARRY_ON_SECONDS_MAX
    engine.look()
    if not engine.coordinates:
        return _wait_until_taken(engine, run_id)
    idle = 0
    while idle < _IDLE_LOOKS and time.monotonic() < give_up_seconds:
        before = [(each.id, each.state, each.steps) for each in engine.runs()]
        engine.look()
        after = [(each.id, each.state, each.steps) for each in engine.runs()]
        idle = idle + 1 if before == after else 0
        time.sleep(_PAUSE_SECONDS)
    return _show_one(engine, run_id)


def _wait_until_taken(engine: AICoordinationEngine, run_id: str) -> int:
    give_up_seconds = time.monotonic() + _TAKEN_SECONDS_MAX
    while engine.answers_wait():
        if time.monotonic() > give_up_seconds:
            return fail(
                "coordination",
                f"{engine.folder}: the engine that has the folder did not take the answer within "
                f"{_TAKEN_SECONDS_MAX:g} s; it takes it when it goes on",
            )
        time.sleep(_PAUSE_SECONDS)
    engine.read_again()
    return _show_one(engine, run_id)


def _show_one(engine: AICoordinationEngine, run_id: str) -> int:
    run = next((each for each in engine.runs() if each.id == run_id), None)
    if run is not None:
        _show(engine, run)
    return EXIT_DONE


# Showing


def _list(engine: AICoordinationEngine, options: argparse.Namespace, _parser: Parser) -> int:
    runs = [each for each in engine.runs() if options.all or not each.is_over]
    if options.json:
        import orjson

        sys.stdout.buffer.write(
            orjson.dumps([each.content() for each in runs], option=orjson.OPT_APPEND_NEWLINE)
        )
        sys.stdout.buffer.flush()
        return EXIT_DONE
    print(f"{len(runs)} runs" if options.all else f"{len(runs)} runs that are not over")
    for run in runs:
        _show(engine, run)
    return EXIT_DONE


def _show(engine: AICoordinationEngine, run: Run) -> None:
    from logging_system.coordination.workflows.machine import Moment, Wait, next_action

    print(f"{run.id}  {run.state}  {run.workflow.name}  {run.finding.kind}: {run.finding.summary}")
    if run.why:
        print(f"    {run.why}")
    for step, record in zip(run.workflow.steps, run.steps, strict=True):
        note = f" ({record.note})" if record.note else ""
        print(f"    {record.state}: {step.says(run.finding)}{note}")
    waits = engine.waits_for(run.id)
    if not waits:
        action = next_action(run, Moment(time.time()))
        waits = action.why if isinstance(action, Wait) else ""
    if waits and not run.is_over:
        print(f"    {waits}")


def _explain(engine: AICoordinationEngine, options: argparse.Namespace, parser: Parser) -> int:
    from dataclasses import asdict

    outcomes = engine.outcomes
    contexts = list(outcomes.contexts())
    if options.run_id:
        run = _named(engine, options.run_id, parser)
        contexts = [(run.finding.namespace, run.finding.cause.value)]
        if not options.json:
            _show(engine, run)
            print(f"    chosen: {run.chosen_by}")
            for sentence in (*run.finding.evidence_for, *run.finding.evidence_against):
                print(f"    {sentence}")
    shown = []
    for namespace, cause in contexts:
        names = [
            each.name
            for each in engine.workflows.workflows
            if not each.when.causes or cause in {str(one) for one in each.when.causes}
        ]
        standings = outcomes.standings(namespace, cause, names)
        shown.append(
            {
                "namespace": namespace,
                "cause": cause,
                "credit": outcomes.credit(namespace),
                "choices": [asdict(each) for each in standings],
            }
        )
        if not options.json:
            _show_standings(namespace, cause, standings)
    if options.json:
        import orjson

        print(orjson.dumps(shown).decode())
    elif not contexts:
        print("nothing was learned yet")
    return EXIT_DONE


def _show_standings(namespace: str, cause: str, standings: list[Standing]) -> None:
    print(f"{cause}{f' in {namespace}' if namespace else ''}")
    for each in standings:
        facts = [f"{each.episodes} episodes"]
        if each.weight > 0:
            facts.append(
                f"mean recovery {each.mean_seconds:.0f} s ({each.low_seconds:.0f} to {each.high_seconds:.0f})"
            )
        facts.append(f"chosen {each.chosen_share:.0%}")
        said = each.opinions
        facts += [
            f"{count} {word}"
            for word, count in (("yes", said.yes), ("no", said.no), ("not it", said.not_it))
            if count
        ]
        print(f"  {each.workflow}: {', '.join(facts)}")
        if each.why_not:
            print(f"    not chosen now: {each.why_not}")


def _history(engine: AICoordinationEngine, options: argparse.Namespace, _parser: Parser) -> int:
    if options.verify:
        last = engine.verify_history()
        told = "nothing was changed; the last digest is"
        print(f"{last.sequence} events, {told} {last.digest}" if last else "no events")
        return EXIT_DONE
    for event in deque(engine.history(), maxlen=max(0, options.last)):
        if options.json:
            print(event.encoded().decode(), end="")
            continue
        facts = " ".join(
            f"{name}={value}"
            for name, value in event.details.items()
            if name != "finding" and value not in ("", None, {})
        )
        print(f"{event.time}  {event.event:<10} {event.subject} {facts}".rstrip())
    return EXIT_DONE


def _export(engine: AICoordinationEngine, _options: argparse.Namespace, _parser: Parser) -> int:
    import orjson

    print(orjson.dumps(engine.outcomes.content(), option=orjson.OPT_INDENT_2).decode())
    return EXIT_DONE


def _show_dry_run(engine: AICoordinationEngine, finding: Finding) -> None:
    runs = engine.dry_run(finding)
    fitting = [each for each in runs if not each.why_not]
    print(f"{len(fitting)} of {len(runs)} workflows fit; nothing was done")
    for each in runs:
        if each.why_not:
            print(f"{each.workflow}: does not fit: {each.why_not}")
            continue
        print(f"{each.workflow}: {'would run by itself' if each.is_automatic else 'would be proposed'}")
        if each.no_room:
            print(f"    would wait: {each.no_room}")
        for step in each.steps:
            marks = ["local" if step.is_local else "shared, by the engine that leads"]
            marks += ["undone on the way back"] if step.is_undoable else []
            print(f"    {step.says} ({', '.join(marks)})")
            if step.trouble:
                print(f"        cannot: {step.trouble}")


# What is given


def _named(engine: AICoordinationEngine, run_id: str, parser: Parser) -> Run:
    """Return the run of an id; without one this ends the program with 4."""
    runs = {each.id: each for each in engine.runs()}
    if run_id not in runs:
        close = difflib.get_close_matches(run_id, runs, n=1)
        hint = f'did you mean "{close[0]}"?' if close else "`coordination list --all` shows them"
        parser.error(f'no run "{run_id}"; {hint}')
    return runs[run_id]


def _cause(options: argparse.Namespace, parser: Parser) -> str | None:
    from logging_system.coordination.findings import CauseClass

    words = [each.value for each in CauseClass]
    if options.cause is not None and options.cause not in words:
        close = difflib.get_close_matches(options.cause, words, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"there are {', '.join(words)}"
        parser.error(f'--cause: no "{options.cause}"; {hint}')
    cause: str | None = options.cause
    return cause


def _finding(name: str) -> Finding:
    import orjson

    from logging_system.coordination.finding_content import finding_of

    if name == "-":
        data = sys.stdin.buffer.read(_FILE_BYTES_MAX)
    else:
        with Path(name).open("rb") as file:
            data = file.read(_FILE_BYTES_MAX)
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{name}: no JSON: {error}") from error
    return finding_of(content, name)
