"""`mask`: shows what the masking rules do to a file, before they are relied on."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from logging_system.cli.parser import EXIT_DONE, Parser, fail
from logging_system.cli.visible_text import visible

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from logging_system.cli.parser import Subcommands
    from logging_system.masking.explanation import ExplainedLine
    from logging_system.masking.processor import Mask

_NAME = "mask"
_LINE_BYTES_MAX = 1024 * 1024
_GIVEN = ("mask", "mask_token_key_file", "settings")


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        _NAME,
        help="try the masking rules on a file",
        description="Applies the rules of the processor mask to a file of NDJSON or plain lines and "
        "prints the masked lines. With --explain it prints each changed field before (-) and after (+), and "
        "counts by rule; this shows the secrets of the file. Nothing is changed on disk.",
        epilog="Examples: mask app.log > masked.log; mask --explain app.log; mask --explain --rules "
        "phone=redact,email=off app.log. Exit codes: 0 shown, 1 the file cannot be read, 4 usage.",
    )
    parser.add_argument("file", metavar="FILE", help="the file; - reads standard input")
    parser.add_argument("--explain", action="store_true", help="show what changes, and by which rule")
    parser.add_argument(
        "--changes-max",
        type=int,
        default=50,
        metavar="LINES",
        help="show at most this many changed lines with --explain; all are counted. Default: 50.",
    )
    parser.add_argument("--settings", metavar="FILE", help="take mask and its key from this settings file")
    parser.add_argument("--mask", metavar="JSON", help='the setting mask, such as {"fields": ["badge"]}')
    parser.add_argument("--mask-token-key-file", metavar="PATH", help="the key of the action token")
    parser.add_argument(
        "--rules", metavar="RULE=ACTION,…", help="actions of rules, instead of those in the settings"
    )
    parser.set_defaults(run=lambda options: _mask(options, parser))


def _mask(options: argparse.Namespace, parser: Parser) -> int:
    mask = _processor(options, parser)
    try:
        with _opened(options.file) as file:
            if options.explain:
                _show(options.file, _lines(file), mask, options.changes_max)
            else:
                _print_masked(_lines(file), mask)
    except OSError as error:
        return fail(_NAME, f"{options.file}: {error.strerror}")
    return EXIT_DONE


def _processor(options: argparse.Namespace, parser: Parser) -> Mask:
    from logging_system.cli.flags import flag
    from logging_system.config.loading import load_settings
    from logging_system.masking.declaration import MaskDeclaration, with_actions
    from logging_system.masking.loading import rule_set_of

    loaded = load_settings({name: getattr(options, name) for name in _GIVEN}, written=flag)
    if wrong := [problem for problem in loaded.problems if problem.hides_processors]:
        parser.error("; ".join(map(str, wrong)))
    settings = loaded.settings
    try:
        declared = with_actions(settings.mask or MaskDeclaration(), _actions(options.rules))
    except ValueError as error:
        parser.error(f"--rules: {error}")
    try:
        rules = rule_set_of(declared, settings.mask_token_key_file)
    except ValueError as error:
        parser.error(f"{loaded.where('mask')}: {error}")
    from logging_system.masking.processor import Mask  # needs the extra `masking`, as the rules do

    return Mask(rules)


def _actions(given: str | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in (given or "").split(",") if each.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("write them as rule=action,rule=action")
    return {name.strip(): action.strip() for name, _, action in pairs}


def _opened(name: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    # A longer line is looked at in pieces.
    while line := file.readline(_LINE_BYTES_MAX):
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def _print_masked(lines: Iterator[bytes], mask: Mask) -> None:
    from logging_system.masking.explanation import explain

    for line in lines:
        if (masked := explain(line, mask).masked) is not None:
            sys.stdout.buffer.write(masked + b"\n")
    sys.stdout.buffer.flush()


def _show(name: str, lines: Iterator[bytes], mask: Mask, changes_max: int) -> None:
    from logging_system.masking.explanation import explain

    counts: Counter[str] = Counter()
    total = changed = dropped = 0
    for total, line in enumerate(lines, start=1):
        explained = explain(line, mask)
        counts += explained.rules
        dropped += explained.masked is None
        if explained.changes or explained.reason:
            changed += 1
            if changed <= changes_max:
                _show_line(f"{name}:{total}", explained)
    if changed > changes_max:
        print(f"{changed - changes_max} more changed lines are not shown; --changes-max shows more")
    print(f"{changed} of {total} lines changed" + (f", {dropped} of them dropped" if dropped else ""))
    for rule, count in counts.most_common():
        print(f"  {count:>7}  {rule}")


def _show_line(where: str, explained: ExplainedLine) -> None:
    from logging_system.masking.explanation import around_the_difference

    found = ", ".join(f"{rule} {count}" if count > 1 else rule for rule, count in explained.rules.items())
    print(f"{where}  {found}" if found else where)
    if explained.reason:
        print(f"    dropped: {explained.reason}")
    for change in explained.changes:
        before, after = around_the_difference(change)
        place = f"{change.place}: " if change.place else ""
        if before:
            print(f"  - {visible(place + before)}")
        if after:
            print(f"  + {visible(place + after)}")
