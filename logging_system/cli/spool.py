"""`spool`: shows a spool folder to the person on call, and takes dead letters back into it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from logging_system.cli.parser import EXIT_DONE, EXIT_FAILED, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.config.settings import Settings
    from logging_system.shipping.dead_letters import DeadLetter, DeadLetterError

_REASON_CHARACTERS = 100
_NOTICE = "notice"


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its own."""
    parser = subcommands.add_parser(
        "spool",
        help="look into a spool folder; replay dead letters",
        description="Inspects a spool folder and replays dead letters. Works without the store; only "
        "replay changes anything.",
    )
    commands = parser.add_subparsers(dest="what", required=True, parser_class=Parser)
    _add(
        commands,
        "inspect",
        _inspect,
        "show what the folder holds and how much was delivered",
        "Exit codes: 0 shown, 1 the folder cannot be read, 4 usage.",
    )
    _add(
        commands,
        "verify",
        _verify,
        "find damage and other problems in the folder",
        "Exit codes: 0 no damage, 1 damage found or the folder cannot be read, 4 usage.",
    )
    letters = _add(
        commands,
        "dead-letters",
        _dead_letters,
        "list records that the store rejected permanently, or show one as JSON",
        "Exit codes: 0 shown, 1 no such dead letter or a line cannot be read, 4 usage.",
    )
    letters.add_argument("id", nargs="?", help="show this dead letter, in the form that replay --from reads")
    letters.add_argument(
        "--all", action="store_true", help="also list dead letters that were already replayed"
    )
    again = _add(
        commands,
        "replay",
        _replay,
        "put dead letters back into the spool, each at most once",
        "Exit codes: 0 all are in the spool, 1 some are not, 4 usage.",
    )
    again.add_argument("ids", nargs="*", metavar="id", help="dead letters to replay unchanged")
    again.add_argument("--all", action="store_true", help="all that were not replayed yet, at most 1,000")
    again.add_argument(
        "--from", dest="file", type=Path, metavar="FILE", help="replay corrected dead letters from this file"
    )


def _add(
    commands: Subcommands, name: str, run: Callable[[Path, argparse.Namespace], int], what: str, epilog: str
) -> Parser:
    description = f"{what[0].upper()}{what[1:]}."
    parser = commands.add_parser(name, help=what, description=description, epilog=epilog)
    parser.add_argument("--spool", metavar="DIR", help="the spool folder")
    parser.add_argument("--service", metavar="NAME", help="or the service, to use its default folder")
    parser.add_argument("--settings", metavar="FILE", help="or a settings file that names one of them")
    parser.add_argument("--json", action="store_true", help="print JSON, one document a line")
    parser.set_defaults(run=lambda options: _run(run, options, parser))
    return parser


def _run(run: Callable[[Path, argparse.Namespace], int], options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.config.loading import load_settings
    from logging_system.config.settings import protection_of

    given = {name: getattr(options, name) for name in ("spool", "service", "settings")}
    loaded = load_settings(given, written="--{}".format)
    concerning = [problem for problem in loaded.problems if problem.name in {*given, "encryption"}]
    if concerning:
        parser.error("; ".join(map(str, concerning)))
    if loaded.settings.spool is None and "service" not in loaded.origins:
        parser.error("give --spool DIR, or --service NAME to use its default folder")
    options.settings = loaded.settings
    folder = loaded.settings.spool_folder
    try:
        options.protection = protection_of(loaded.settings)
    except ValueError as error:
        parser.error(f"{loaded.where('encryption')}: {error}")
    try:
        return run(folder, options)
    except OSError as error:
        return fail(f"spool {options.what}", f"{error.filename or folder}: {error.strerror}")


def _inspect(folder: Path, options: argparse.Namespace) -> int:
    from logging_system.spool.inspection import inspect

    summary = inspect(folder)
    if options.json:
        _print_json(summary)
        return EXIT_DONE
    print(f"{summary.folder}")
    print(f"  waiting     {summary.undelivered} records")
    print(f"  on disk     {summary.records} records, {summary.size_bytes} bytes")
    print(f"  shipped by  {summary.holder or 'no process'}")
    if summary.checkpoint_lost:
        print("  the checkpoint is unreadable: everything will be sent again, with the same ids")
    for epoch in summary.epochs:
        print(f"  {epoch.epoch}  process {epoch.process_id}: {epoch.undelivered} waiting")
    return EXIT_DONE


def _verify(folder: Path, options: argparse.Namespace) -> int:
    from logging_system.spool.inspection import verify

    findings = verify(folder, options.protection.codecs)
    for finding in findings:
        if options.json:
            _print_json(finding)
        else:
            place = "" if finding.offset_bytes is None else f":{finding.offset_bytes}"
            print(f"{finding.severity.value}: {finding.path}{place}: {finding.what}")
    if not findings and not options.json:
        print(f"{folder}: no problems found")
    return EXIT_FAILED if any(each.severity.value != _NOTICE for each in findings) else EXIT_DONE


def _dead_letters(folder: Path, options: argparse.Namespace) -> int:
    from logging_system.shipping.replay import replayed_ids

    replayed = replayed_ids(folder)
    found = False
    unreadable: list[DeadLetterError] = []
    for letter in _letters(folder, options):
        if isinstance(letter, Exception):
            unreadable.append(letter)
        elif options.id is not None:
            if letter.id == options.id:
                _print_json(letter)
                found = True
                break
        elif options.all or letter.id not in replayed:
            _list(letter, replayed=letter.id in replayed, as_json=options.json)
    if options.id is not None and not found:
        return fail(
            "spool dead-letters", f"No dead letter with id {options.id}; `spool dead-letters` lists them."
        )
    if unreadable:
        count, first = len(unreadable), unreadable[0]
        return fail("spool dead-letters", f"{folder}: {count} unreadable lines; the first: {first}")
    return EXIT_DONE


def _list(letter: DeadLetter, *, replayed: bool, as_json: bool) -> None:
    if as_json:
        _print_json({**asdict(letter), "replayed": replayed})
        return
    mark = " (replayed)" if replayed else ""
    reason = letter.reason[:_REASON_CHARACTERS].replace("\n", " ")
    print(f"{letter.id}  {letter.time}  {letter.status}  {reason}{mark}")


def _replay(folder: Path, options: argparse.Namespace) -> int:
    from logging_system.shipping.replay import replay
    from logging_system.spool.codec import UnavailableError
    from logging_system.spool.writer import SpoolFullError

    settings: Settings = options.settings
    try:
        letters = _chosen(folder, options)
        codecs = options.protection.codecs
        for done in replay(folder, letters, spool_bytes_max=settings.spool_bytes_max, codecs=codecs):
            if options.json:
                _print_json(done)
            else:
                print(f"{done.id} {'already replayed' if done.earlier else 'replayed'} as {done.new_id}")
    except (ValueError, SpoolFullError, UnavailableError) as error:
        return fail("spool replay", str(error))
    return EXIT_DONE


def _chosen(folder: Path, options: argparse.Namespace) -> list[DeadLetter]:
    from logging_system.shipping.dead_letters import DeadLetter, read_lines
    from logging_system.shipping.replay import LETTERS_MAX, replayed_ids

    if options.file is not None:
        lines = list(read_lines(options.file, options.protection.lines))
        wrong = [f"{options.file}:{number}: {each}" for number, each in lines if isinstance(each, Exception)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return [each for _number, each in lines if isinstance(each, DeadLetter)]
    if options.all:
        replayed = replayed_ids(folder)
        readable = (each for each in _letters(folder, options) if not isinstance(each, Exception))
        waiting = (each for each in readable if each.id not in replayed)
        return list(islice(waiting, LETTERS_MAX))
    if not options.ids:
        raise ValueError("name dead letters by id, or give --all or --from FILE")
    wanted = set(options.ids)
    readable = (each for each in _letters(folder, options) if not isinstance(each, Exception))
    found = {each.id: each for each in readable if each.id in wanted}
    if missing := wanted - found.keys():
        raise ValueError(
            f"No dead letter with id {', '.join(sorted(missing))}; `spool dead-letters` lists them."
        )
    return list(found.values())


def _letters(folder: Path, options: argparse.Namespace) -> Iterator[DeadLetter | DeadLetterError]:
    """Yield each letter once, and for a line that is none what is wrong with it."""
    from logging_system.shipping.dead_letters import NAME, read_lines

    if not (folder / NAME).exists() and folder.is_dir():
        return
    for _number, letter in read_lines(folder / NAME, options.protection.lines):
        yield letter


def _print_json(value: Any) -> None:
    content = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    sys.stdout.buffer.write(orjson.dumps(content, default=_plain, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else str(value)
