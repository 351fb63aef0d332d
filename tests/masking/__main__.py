"""`python -m tests.masking`: judges the product's masker, and other scanners on the same lines.

The half for judging is for reports; rules are improved by what `--half tuning` shows.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.masking.competitors import COMPETITORS, CannotScanError, spans_of
from tests.masking.corpus import lines
from tests.masking.foreign import gitleaks, loghub, presidio
from tests.masking.judge import Spans, Verdict, judge
from tests.masking.labelled import KINDS, Line
from tests.masking.maskers import NoMaskerError, product
from tests.masking.report import comparison, missed, strayed, table

PRODUCT = "logging_system.masking"
PARTS = ("generated", "gitleaks", "presidio", "loghub", "competitors")


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.masking", description=__doc__)
    parser.add_argument("--half", choices=("tuning", "judging"), default="judging")
    parser.add_argument("--seed", type=int, default=1, help="of the labelled lines (default: 1)")
    parser.add_argument("--lines", type=int, default=24_000, help="how many (default: 24000)")
    parser.add_argument(
        "--shared-lines", type=int, default=24_000, help="how many the others are given (default: 24000)"
    )
    parser.add_argument("--examples", type=int, default=5, help="failures shown of each kind (default: 5)")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="parts (default: all)")
    return parser.parse_args(given)


def told(title: str, verdict: Verdict, examples: int) -> None:
    print(*table(title, verdict), *missed(verdict, examples), *strayed(verdict, examples), "", sep="\n")


def progress(done: str) -> None:
    print(done, file=sys.stderr, flush=True)


def generated(asked: argparse.Namespace, masker: Spans) -> None:
    """The labelled lines of a half and seed."""
    verdict = judge(lines(asked.half, asked.seed, asked.lines), masker)
    told(f"{PRODUCT}, generated lines, half {asked.half}, seed {asked.seed}", verdict, asked.examples)


def of_gitleaks(asked: argparse.Namespace, masker: Spans) -> None:
    """What gitleaks' rules stand for and we claim; then how much of the rest is masked all the same."""
    try:
        everything = list(gitleaks.examples(gitleaks.build()))
    except gitleaks.CannotBuildError as error:
        print(f"gitleaks' examples were not judged: {error}\n")
        return
    claimed = [line for line in everything if gitleaks.kind(line) in KINDS]
    print("An example of gitleaks is labelled by its one rule: what strays may be a secret of another kind.")
    told(f"{PRODUCT}, gitleaks' examples of kinds we claim", judge(claimed, masker), asked.examples)
    others = judge([line for line in everything if gitleaks.kind(line) not in KINDS], masker)
    total = others.total()
    changed = sum(not it.line.secrets for it in others.strayed)
    print(
        f"{PRODUCT}, gitleaks' examples of services we do not claim: {total.found} of {total.planted} "
        f"secrets masked, {changed} of {total.innocent} false examples changed\n"
    )


def presidio_texts(asked: argparse.Namespace, masker: Spans) -> None:
    """Presidio's labelled texts."""
    if folder := os.environ.get("PRESIDIO_DIR"):
        verdict = judge(presidio.texts(Path(folder)), masker)
        told(f"{PRODUCT}, Presidio's labelled texts", verdict, asked.examples)
    else:
        print("Presidio's texts were not judged: PRESIDIO_DIR names no folder\n")


def real_logs(asked: argparse.Namespace, masker: Spans) -> None:
    """Loghub's logs; every line that was changed is printed."""
    if folder := os.environ.get("LOGHUB_DIR"):
        told(f"{PRODUCT}, Loghub's real logs", judge(loghub.lines(Path(folder)), masker), sys.maxsize)
    else:
        print("Loghub's logs were not judged: LOGHUB_DIR names no folder\n")


def beside_others(asked: argparse.Namespace, masker: Spans) -> None:
    """F1 by kind on the same lines: the others' where they detect, ours only where nothing survives."""
    shared = list(lines(asked.half, asked.seed, asked.shared_lines))
    compared(f"{len(shared)} lines of half {asked.half}, seed {asked.seed}", shared, masker)
    theirs = list(of_others())
    compared(f"{len(theirs)} lines that others made: gitleaks' examples, Presidio's texts", theirs, masker)


def of_others() -> Iterator[Line]:
    """Lines with kinds that we claim which neither we nor the tools compared made."""
    with contextlib.suppress(gitleaks.CannotBuildError):
        yield from (line for line in gitleaks.examples(gitleaks.build()) if gitleaks.kind(line) in KINDS)
    if folder := os.environ.get("PRESIDIO_DIR"):
        yield from presidio.texts(Path(folder))


def compared(title: str, shared: Sequence[Line], masker: Spans) -> None:
    """Print each competitor's tables on some lines, and all of them side by side."""
    verdicts = {PRODUCT: (judge(shared, masker), False)}
    for competitor in COMPETITORS:
        try:
            verdict = judge(shared, spans_of(competitor, [line.text for line in shared], progress))
        except CannotScanError as error:
            print(f"{competitor.name} was not judged: {error}\n")
            continue
        verdicts[competitor.name] = (verdict, True)
        print(*table(f"{competitor.name}, detecting", verdict, detected=True), "", sep="\n")
        print(*table(f"{competitor.name}, as a masker", verdict), "", sep="\n")
        unclaimed = [kind for kind in KINDS if kind not in competitor.claims]
        print(f"{competitor.name} does not look for: {', '.join(unclaimed)}\n")
    planted = {secret.kind for line in shared for secret in line.secrets}
    print(title, *comparison(verdicts, tuple(kind for kind in KINDS if kind in planted)), "", sep="\n")


RUN: dict[str, Callable[[argparse.Namespace, Spans], None]] = {
    "generated": generated,
    "gitleaks": of_gitleaks,
    "presidio": presidio_texts,
    "loghub": real_logs,
    "competitors": beside_others,
}


def main(given: Sequence[str] | None = None) -> int:
    """Judges and prints; 0 when there was a masker to judge, else 7."""
    asked = arguments(given)
    try:
        masker = product()
    except NoMaskerError as error:
        print(error, file=sys.stderr)
        return 7
    for part in PARTS:
        if part in asked.only:
            RUN[part](asked, masker)
    return 0


if __name__ == "__main__":
    sys.exit(main())
