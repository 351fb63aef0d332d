"""`templates`: shows what a log file says, without the values: how often, and an example of each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson

from logging_system.cli.parser import EXIT_DONE, fail
from logging_system.cli.visible_text import visible

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from logging_system.cli.parser import Subcommands
    from logging_system.coordination.learning.miner import TemplateMiner

_NAME = "templates"
_LINE_BYTES_MAX = 1024 * 1024
_EXAMPLE_CHARACTERS_MAX = 200


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        _NAME,
        help="show what a log file says, without the values",
        description="Learns the templates of a file of NDJSON (the field message of each record) or plain "
        "lines, and prints the most frequent: how many lines, their share, the template with <*> for each "
        "value, and the first line that had it.",
        epilog="Examples: templates app.log; zcat app.log.gz | templates --top 50 -. "
        "Exit codes: 0 shown, 1 the file cannot be read, 4 usage.",
    )
    parser.add_argument("file", metavar="FILE", help="the file; - reads standard input")
    parser.add_argument(
        "--top", type=int, default=20, metavar="TEMPLATES", help="show at most this many. Default: 20."
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from logging_system.coordination.learning.miner import TemplateMiner

    miner = TemplateMiner()
    try:
        with _opened(options.file) as file:
            examples = _learn(miner, _messages(file))
    except OSError as error:
        return fail(_NAME, f"{options.file}: {error.strerror}")
    for line in _shown(miner, examples, options.top):
        print(line)
    return EXIT_DONE


def _opened(name: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _messages(file: IO[bytes]) -> Iterator[str]:
    """Yield the message of each record, and each line that is none; a longer line in pieces."""
    while line := file.readline(_LINE_BYTES_MAX):
        text = line.strip()
        if text:
            yield _message(text)


def _message(line: bytes) -> str:
    if line.startswith(b"{"):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            record = None
        if isinstance(record, dict) and isinstance(record.get("message"), str):
            message: str = record["message"]
            return message
    return line.decode("utf-8", "replace")


def _learn(miner: TemplateMiner, messages: Iterable[str]) -> dict[str, str]:
    """Return the first message of each template, by the identity that the template had then."""
    examples: dict[str, str] = {}
    for message in messages:
        template = miner.learn(message)
        if template.count == 1:
            examples[template.template_id] = message[:_EXAMPLE_CHARACTERS_MAX]
            if len(examples) > 2 * miner.templates_max:
                examples = {it: examples[it] for it in examples if miner.current(it) is not None}
    return examples


def _shown(miner: TemplateMiner, examples: dict[str, str], top: int) -> Iterator[str]:
    templates = miner.templates()
    beyond = miner.beyond
    lines = sum(template.count for template in templates) + beyond.lines_of_given_up
    yield f"{len(templates)} templates in {lines} lines"
    if beyond.templates_given_up:
        yield (
            f"{beyond.templates_given_up} rare templates with {beyond.lines_of_given_up} lines made room "
            f"for others; {miner.templates_max} are kept"
        )
    first: dict[str, str] = {}
    for identity, example in examples.items():
        if (known := miner.current(identity)) is not None:
            first.setdefault(known.template_id, example)
    for template in templates[: max(top, 0)]:
        yield f"{template.count:>8}  {template.count / lines:6.1%}  {visible(template.text)}"
        if template.template_id in first:
            yield f"{'':18}{visible(first[template.template_id])}"
    if len(templates) > top:
        rest = sum(template.count for template in templates[max(top, 0) :])
        yield f"{len(templates) - max(top, 0)} more templates with {rest} lines; --top shows more"
