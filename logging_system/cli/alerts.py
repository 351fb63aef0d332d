"""`alerts`: shows alerts, tries them on channels and on recorded data, and holds them back."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logging_system.cli.parser import EXIT_DONE, EXIT_FAILED, Parser, fail

if TYPE_CHECKING:
    from logging_system.alerting.declaration import Alerts
    from logging_system.alerting.matching import Document
    from logging_system.cli.parser import Subcommands
    from logging_system.config.settings import Settings

_LINE_BYTES_MAX = 64 * 1024 * 1024
_HOURS_MAX = 24 * 366
_OLD_SECONDS = 30.0
_DONE = "Exit codes: 0 done, 1 it could not be done, 4 usage."
_GIVEN = ("spool", "service", "settings", "alerts")


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its own."""
    parser = subcommands.add_parser(
        "alerts",
        help="show, try and silence alerts",
        description="Shows what `watch` found and told, sends a message to try a channel, says why a rule "
        "fires or not, and holds alerts back.",
    )
    commands = parser.add_subparsers(dest="what", required=True, parser_class=Parser)
    listed = _add(
        commands,
        "list",
        _list,
        "show what fires, what is silenced and what waits to be sent",
        "Exit codes: 0 shown, 1 nobody watches the folder, 4 usage.",
    )
    listed.add_argument("--json", action="store_true", help="print JSON")
    test = _add(
        commands, "test", _test, "send a message to a channel", "Exit codes: 0 taken, 1 not, 4 usage."
    )
    test.add_argument("--channel", metavar="NAME", help="only this channel; all by default")
    explain = _add(commands, "explain", _explain, "say how near recorded data came to a rule's limit", _DONE)
    explain.add_argument("rule", metavar="RULE")
    explain.add_argument("file", nargs="?", metavar="FILE", help="NDJSON; the spool folder by default")
    silence = _add(commands, "silence", _silence, "hold alerts back for a while, or end a silence", _DONE)
    silence.add_argument("matchers", nargs="*", metavar="LABEL=VALUE", help="such as rule=errors")
    silence.add_argument("--hours", type=float, default=2.0, help="how long. Default: 2")
    silence.add_argument("--comment", default="", help="why")
    silence.add_argument("--end", metavar="ID", help="end this silence instead")
    acknowledge = _add(
        commands, "ack", _acknowledge, "say that somebody takes care of an alert: no more repeats", _DONE
    )
    acknowledge.add_argument("fingerprint", metavar="FINGERPRINT", help="as `list` and messages show it")
    history = _add(commands, "history", _history, "show what began, ended, and was told", _DONE)
    history.add_argument("--last", type=int, default=50, metavar="LINES", help="how many. Default: 50")
    history.add_argument("--json", action="store_true", help="print JSON, one document a line")
    tried = _add(commands, "backtest", _backtest, "say what would have fired on a file of records", _DONE)
    tried.add_argument("file", metavar="FILE", help="NDJSON as the store holds it; - reads standard input")


def _add(
    commands: Subcommands,
    name: str,
    run: Callable[[argparse.Namespace, Parser], int],
    what: str,
    epilog: str,
) -> Parser:
    parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=epilog)
    parser.add_argument("--spool", metavar="DIR", help="the spool folder")
    parser.add_argument("--service", metavar="NAME", help="or the service, to use its default folder")
    parser.add_argument("--settings", metavar="FILE", help="or a settings file that names one of them")
    parser.add_argument("--alerts", metavar="FILE", help="the file of rules and channels")
    parser.set_defaults(run=lambda options: _run(run, options, parser))
    return parser


def _run(
    run: Callable[[argparse.Namespace, Parser], int], options: argparse.Namespace, parser: Parser
) -> int:
    from logging_system.alerting.loading import AlertsFileError
    from logging_system.config.loading import load_settings
    from logging_system.keys.durable_files import FileHeldError

    loaded = load_settings({name: getattr(options, name) for name in _GIVEN}, written="--{}".format)
    names = {*_GIVEN, "encryption", "mask"}
    if wrong := [str(problem) for problem in loaded.problems if problem.name in names]:
        parser.error("; ".join(wrong))
    options.values = loaded.settings
    options.has_spool = loaded.settings.spool is not None or "service" in loaded.origins
    try:
        return run(options, parser)
    except AlertsFileError as error:
        parser.error(str(error))
    except OSError as error:
        return fail(f"alerts {options.what}", f"{error.filename or options.spool}: {error.strerror or error}")
    except (FileHeldError, ValueError) as error:
        return fail(f"alerts {options.what}", str(error))


def _folder(options: argparse.Namespace, parser: Parser) -> Path:
    """Return the spool folder; without one, this ends the program with 4."""
    if not options.has_spool:
        parser.error("give --spool DIR, or --service NAME to use its default folder")
    settings: Settings = options.values
    return settings.spool_folder


def _declared(options: argparse.Namespace) -> Alerts:
    from logging_system.alerting.loading import load_alerts

    settings: Settings = options.values
    return load_alerts(settings.alerts, os.environ)


def _list(options: argparse.Namespace, parser: Parser) -> int:
    import orjson

    from logging_system.alerting.messages import shown_time
    from logging_system.alerting.operator_file import OperatorFile
    from logging_system.alerting.state_file import alerts_folder
    from logging_system.monitoring.status_files import WATCH_NAME

    folder = _folder(options, parser)
    try:
        status = orjson.loads((folder / WATCH_NAME).read_bytes())
    except FileNotFoundError:
        return fail("alerts list", f"{folder}: nobody watches it; start `watch`")
    now_seconds = time.time()
    wishes = OperatorFile(alerts_folder(folder)).read()
    silences = [each for each in wishes.silences if each.until_seconds > now_seconds]
    age_seconds = now_seconds - status["time"]
    if options.json:
        shown = {**status, "silences": silences, "acknowledged": dict(wishes.acknowledged)}
        sys.stdout.buffer.write(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return EXIT_DONE if age_seconds < _OLD_SECONDS else EXIT_FAILED
    _show_firing(status, wishes.acknowledged)
    for silence in silences:
        matchers = " ".join(f"{name}={value}" for name, value in silence.matchers.items())
        why = f" by {silence.author}: {silence.comment}" if silence.comment else f" by {silence.author}"
        print(f"silence {silence.id}  {matchers}  until {shown_time(silence.until_seconds)}{why}")
    for name, channel in status["channels"].items():
        if channel["waiting"]:
            print(f"channel {name}: {channel['waiting']} messages wait: {channel['trouble']}")
    if age_seconds >= _OLD_SECONDS:
        return fail("alerts list", f"{folder}: nobody has watched it for {age_seconds:.0f} s; start `watch`")
    return EXIT_DONE


def _show_firing(status: Mapping[str, Any], acknowledged: Mapping[str, float]) -> None:
    from logging_system.alerting.messages import shown_time

    print(f"{status['firing_total']} firing")
    for alert in status["firing"]:
        labels = ", ".join(f"{name}={value}" for name, value in alert["labels"].items())
        mark = alert["fingerprint"]
        taken = " (acknowledged)" if acknowledged.get(mark, 0) >= alert["since_seconds"] else ""
        print(f"{mark}  {alert['rule']} ({labels})  since {shown_time(alert['since_seconds'])}{taken}")
        print(f"    {alert['summary']}")
    missed, late = status["records"]["missed"], status["records"]["too_late"]
    if missed:
        print(f"{missed} records were gone before they could be read")
    if late:
        print(f"{late} records came later than the lateness allows")


def _test(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.alerting.facts import AlertNotice, Notification, fingerprint
    from logging_system.alerting.messages import letter_of
    from logging_system.alerting.outbox import Taken
    from logging_system.alerting.routing import senders_of

    senders = senders_of(_declared(options).channels)
    if options.channel is not None and options.channel not in senders:
        parser.error(f'no channel "{options.channel}"; there are {", ".join(senders)}')
    now_seconds = time.time()
    mark = fingerprint("test", ())
    notice = AlertNotice(
        mark, "test", (), "info", True, now_seconds, None, 1, "a test: nothing is wrong", ("an example line",)
    )
    key = f"test-{os.getpid()}-{time.time_ns()}"
    letter = letter_of(Notification(key, (("rule", "test"),), (notice,), now_seconds), Path("SPOOL"))
    all_taken = True
    for name, receivers in senders.items():
        if options.channel not in {None, name}:
            continue
        for receiver, sender in receivers.items():
            outcome = sender.send(letter)
            is_taken = isinstance(outcome, Taken)
            all_taken = all_taken and is_taken
            print(f"{receiver}: {'taken' if isinstance(outcome, Taken) else outcome.reason}")
    return EXIT_DONE if all_taken else EXIT_FAILED


def _explain(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.alerting.backtest import explain

    alerts = _declared(options)
    rules = {rule.name: rule for rule in alerts.rules_in_force}
    if options.rule not in rules:
        parser.error(f'no rule "{options.rule}"; there are {", ".join(rules)}')
    documents = _documents(options.file) if options.file else _spooled(options, _folder(options, parser))
    found = explain(rules[options.rule], alerts, documents)
    if not found:
        print(f"{options.rule}: no record counts for it")
    for labels, sentence in found:
        shown = ", ".join(f"{name}={value}" for name, value in labels)
        print(f"{options.rule} ({shown}): {sentence}")
    return EXIT_DONE


def _silence(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.alerting.messages import shown_time
    from logging_system.alerting.operator_file import OperatorFile
    from logging_system.alerting.state_file import prepare_alerts_folder

    folder = _folder(options, parser)
    now_seconds = time.time()
    if options.end:
        if not OperatorFile(prepare_alerts_folder(folder)).end_silence(options.end, now_seconds):
            return fail("alerts silence", f"no silence {options.end} runs; `alerts list` shows them")
        print(f"silence {options.end} ended")
        return EXIT_DONE
    pairs = [each.partition("=") for each in options.matchers]
    if not pairs or not all(name and equals for name, equals, _ in pairs):
        parser.error("say which alerts: LABEL=VALUE, such as rule=errors")
    if not 0 < options.hours <= _HOURS_MAX:
        parser.error(f"--hours: must be more than 0 and at most {_HOURS_MAX}")
    silence = OperatorFile(prepare_alerts_folder(folder)).silence(
        {name: value for name, _, value in pairs},
        now_seconds=now_seconds,
        seconds=options.hours * 3600,
        author=getpass.getuser(),
        comment=options.comment,
    )
    print(f"silence {silence.id} until {shown_time(silence.until_seconds)}")
    return EXIT_DONE


def _acknowledge(options: argparse.Namespace, parser: Parser) -> int:
    import orjson

    from logging_system.alerting.operator_file import OperatorFile
    from logging_system.alerting.state_file import prepare_alerts_folder
    from logging_system.monitoring.status_files import WATCH_NAME

    folder = _folder(options, parser)
    try:
        status = orjson.loads((folder / WATCH_NAME).read_bytes())
    except FileNotFoundError:
        return fail("alerts ack", f"{folder}: nobody watches it; start `watch`")
    firing = status["firing"]
    # The file names the first of very many; whoever has the fingerprint of another has it from a message.
    names_all = status["firing_total"] <= len(firing)
    if names_all and options.fingerprint not in [alert["fingerprint"] for alert in firing]:
        return fail("alerts ack", f"no alert {options.fingerprint} fires; `alerts list` shows them")
    OperatorFile(prepare_alerts_folder(folder)).acknowledge(options.fingerprint, time.time())
    print(f"{options.fingerprint} is acknowledged: it is not repeated until it ends")
    return EXIT_DONE


def _history(options: argparse.Namespace, parser: Parser) -> int:
    from collections import deque

    import orjson

    from logging_system.alerting.history import History
    from logging_system.alerting.messages import shown_time
    from logging_system.alerting.state_file import alerts_folder

    lines = History(alerts_folder(_folder(options, parser))).lines()
    for line in deque(lines, maxlen=max(0, options.last)):
        if options.json:
            print(orjson.dumps(line).decode())
            continue
        facts = " ".join(
            f"{name}={value}" for name, value in line.items() if name not in {"time", "what"} and value
        )
        print(f"{shown_time(line['time'])}  {line['what']:<8} {facts}")
    return EXIT_DONE


def _backtest(options: argparse.Namespace, _parser: Parser) -> int:
    from logging_system.alerting.backtest import backtest
    from logging_system.alerting.facts import Began
    from logging_system.alerting.messages import shown_time

    found = backtest(_declared(options), _documents(options.file))
    for change in found.changes:
        labels = ", ".join(f"{name}={value}" for name, value in change.labels)
        if isinstance(change, Began):
            print(f"{shown_time(change.since_seconds)}  began  {change.rule} ({labels}): {change.summary}")
        else:
            print(f"{shown_time(change.until_seconds)}  ended  {change.rule} ({labels})")
    began = sum(isinstance(change, Began) for change in found.changes)
    print(f"{began} alerts, {found.messages} messages, from {found.counts.evaluated} records")
    if found.counts.too_late:
        print(f"{found.counts.too_late} records came later than lateness_seconds allows")
    if found.without_time:
        print(f"{found.without_time} records have no @timestamp and were left out")
    return EXIT_DONE


def _documents(name: str) -> Iterator[Document]:
    """Yield the objects of NDJSON; hits of a search give their `_source`."""
    import orjson

    with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
        while line := file.readline(_LINE_BYTES_MAX):
            try:
                document = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(document, dict):
                source = document.get("_source")
                yield source if isinstance(source, dict) else document


def _spooled(options: argparse.Namespace, folder: Path) -> Iterator[Document]:
    import orjson

    from logging_system.config.settings import protection_of
    from logging_system.encryption.spool_reading import spooled_documents

    codecs = protection_of(options.values).codecs

    def unopened(key: str, reason: str, count: int) -> None:
        print(f"{count} records are left out: key {key} is {reason}", file=sys.stderr)

    for line in spooled_documents(folder, codecs, unopened):
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(document, dict):
            yield document
