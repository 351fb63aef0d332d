"""`python -m tests.masking`: judges the product's masker on labelled lines, and prints a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.masking.corpus import lines
from tests.masking.judge import judge
from tests.masking.maskers import NoMaskerError, product
from tests.masking.report import missed, strayed, table


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.masking", description=__doc__)
    parser.add_argument("--half", choices=("tuning", "judging"), default="judging")
    parser.add_argument("--seed", type=int, default=1, help="of the labelled lines (default: 1)")
    parser.add_argument("--lines", type=int, default=24_000, help="how many (default: 24000)")
    parser.add_argument("--examples", type=int, default=5, help="failures shown of each kind (default: 5)")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Judges and prints; 0 when it could."""
    asked = arguments(given)
    try:
        masker = product()
    except NoMaskerError as error:
        print(error, file=sys.stderr)
        return 7
    verdict = judge(lines(asked.half, asked.seed, asked.lines), masker)
    title = f"logging_system.masking on generated lines, half {asked.half}, seed {asked.seed}"
    print(*table(title, verdict), sep="\n")
    print(*missed(verdict, asked.examples), *strayed(verdict, asked.examples), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
