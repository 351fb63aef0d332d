"""Prints what detection finds on labelled data: `python -m tests.findings`, with LOGHUB_DIR and NAB_DIR."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.findings import bgl, nab


def main() -> int:
    """Print both tables; what is not there is said."""
    loghub, nab_folder = os.environ.get("LOGHUB_DIR", ""), os.environ.get("NAB_DIR", "")
    if loghub:
        print(
            "| BGL, judged by | split | recall | false | alerts | lines |\n"
            "| --- | --- | ---: | ---: | ---: | ---: |"
        )
        for score in bgl.scores(Path(loghub) / "BGL.log"):
            print(
                f"| {score.judge} | {score.split} | {score.recall:.3f} | {score.false_share:.3f} "
                f"| {score.alerts} | {score.lines} |"
            )
    else:
        print("LOGHUB_DIR names no folder with BGL.log: left out")
    if nab_folder:
        print("\n| NAB series | windows | found | false | points |\n| --- | ---: | ---: | ---: | ---: |")
        of_series = nab.scores(Path(nab_folder))
        for each in of_series:
            print(f"| {each.name} | {each.windows} | {each.found} | {each.false} | {each.points} |")
        windows, found = sum(each.windows for each in of_series), sum(each.found for each in of_series)
        false, points = sum(each.false for each in of_series), sum(each.points for each in of_series)
        print(f"| all | {windows} | {found} | {false} | {points} |")
    else:
        print("NAB_DIR names no folder with NAB's series: left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
