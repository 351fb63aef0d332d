"""`findings`: shows what `watch` found, with the evidence, and the incidents that it belongs to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logging_system.cli.parser import EXIT_DONE, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands

_NAME = "findings"
_GIVEN = ("spool", "service", "settings")
_Run = Callable[[argparse.Namespace, Path], int]


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its own."""
    parser = subcommands.add_parser(
        _NAME,
        help="show what `watch` found, and why",
        description="Shows what `watch` detected in a spool folder: what changed, since when, which class of "
        "cause the evidence points to, and what speaks for and against it.",
    )
    commands = parser.add_subparsers(dest="what", required=True, parser_class=Parser)
    listed = _add(commands, "list", _list, "show findings, the latest last")
    listed.add_argument("--open", action="store_true", help="only those that last")
    shown = _add(commands, "show", _show, "show one finding with its evidence")
    shown.add_argument("finding_id", metavar="ID", help="as `list` shows it, or how it begins")
    _add(commands, "incidents", _incidents, "show incidents with their timelines, the latest last")


def _add(commands: Subcommands, name: str, run: _Run, what: str) -> Parser:
    parser = commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog="Exit codes: 0 shown, 1 it could not be shown, 4 usage.",
    )
    parser.add_argument("--spool", metavar="DIR", help="the spool folder")
    parser.add_argument("--service", metavar="NAME", help="or the service, to use its default folder")
    parser.add_argument("--settings", metavar="FILE", help="or a settings file that names one of them")
    parser.add_argument("--json", action="store_true", help="print JSON, one document a line")
    parser.add_argument("--last", type=int, default=50, metavar="COUNT", help="how many. Default: 50")
    parser.set_defaults(run=lambda options: _run(run, options, parser))
    return parser


def _run(run: _Run, options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.alerting.state_file import alerts_folder
    from logging_system.config.loading import load_settings

    if options.last < 1:
        parser.error("--last: must be at least 1")
    loaded = load_settings({name: getattr(options, name) for name in _GIVEN}, written="--{}".format)
    if wrong := [str(problem) for problem in loaded.problems if problem.name in _GIVEN]:
        parser.error("; ".join(wrong))
    if loaded.settings.spool is None and "service" not in loaded.origins:
        parser.error("give --spool DIR, or --service NAME to use its default folder")
    folder = alerts_folder(loaded.settings.spool_folder)
    try:
        if not folder.is_dir():
            return fail(f"{_NAME} {options.what}", f"{folder.parent}: nobody watched it; start `watch`")
        return run(options, folder)
    except OSError as error:
        return fail(f"{_NAME} {options.what}", f"{error.filename or folder}: {error.strerror or error}")


def _list(options: argparse.Namespace, folder: Path) -> int:
    from logging_system.coordination.detection.finding_file import FindingFile

    found = [
        each for each in FindingFile(folder).latest().values() if not options.open or each["until"] is None
    ]
    if options.json:
        return _print_json(found[-options.last :])
    for each in found[-options.last :]:
        print(
            f"{each['finding_id']}  {each['kind']} ({each['subject']})  {_when(each)}  cause {_cause(each)}"
        )
        print(f"    {each['summary']}")
    print(f"{len(found)} findings, {sum(each['until'] is None for each in found)} open")
    return EXIT_DONE


def _show(options: argparse.Namespace, folder: Path) -> int:
    from logging_system.coordination.detection.finding_file import FindingFile

    latest = FindingFile(folder).latest()
    matching = [each for mark, each in latest.items() if mark.startswith(options.finding_id)]
    if len(matching) != 1:
        many = f"{len(matching)} findings begin with" if matching else "no finding has"
        return fail("findings show", f"{many} {options.finding_id}; `findings list` shows them")
    (found,) = matching
    if options.json:
        return _print_json([found])
    _print_finding(found)
    return EXIT_DONE


def _print_finding(found: Mapping[str, Any]) -> None:
    print(f"{found['finding_id']}  {found['kind']} ({found['subject']})  {_when(found)}")
    print(found["summary"])
    print(f"cause: {_cause(found)}")
    for name, word in (("evidence_for", "for"), ("evidence_against", "against")):
        for sentence in found[name]:
            print(f"  {word}: {sentence}")
    for name, value in found["measures"].items():
        print(f"  {name}: {value:g}")
    if found["templates"]:
        print(f"templates: {', '.join(found['templates'])}")
    for line in found["examples"]:
        print(f"  {line}")
    if found["incident_id"]:
        print(f"incident: {found['incident_id']}")


def _incidents(options: argparse.Namespace, folder: Path) -> int:
    from logging_system.alerting.finding_detection import INCIDENTS_NAME
    from logging_system.alerting.messages import shown_time
    from logging_system.monitoring.handler_totals import read_content

    incidents = read_content(folder / INCIDENTS_NAME).get("incidents", [])
    if options.json:
        return _print_json(incidents[-options.last :])
    for each in incidents[-options.last :]:
        until = "open" if each["ended_seconds"] is None else f"until {shown_time(each['ended_seconds'])}"
        print(
            f"{each['incident_id']}  {', '.join(each['kinds'])}  since {shown_time(each['began_seconds'])}, "
            f"{until}  cause {each['cause']} ({each['confidence']:.0%})"
        )
        for entry in each["timeline"]:
            print(f"    {shown_time(entry['seconds'])}  {entry['what']:<6} {entry['sentence']}")
    print(f"{len(incidents)} incidents, {sum(each['ended_seconds'] is None for each in incidents)} open")
    return EXIT_DONE


def _when(found: Mapping[str, Any]) -> str:
    return f"since {found['since']}, {'open' if found['until'] is None else 'until ' + found['until']}"


def _cause(found: Mapping[str, Any]) -> str:
    return f"{found['cause']} ({found['confidence']:.0%})"


def _print_json(documents: Iterable[Mapping[str, Any]]) -> int:
    import orjson

    for document in documents:
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
    return EXIT_DONE
