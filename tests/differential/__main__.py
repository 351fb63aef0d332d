"""`python -m tests.differential`: the same requests to the real Elasticsearch and to the embedded store."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from tests.contract.elasticsearch_fixture import lite_server, real_server
from tests.differential.comparison import Verdict
from tests.differential.drive import Difference, Stores
from tests.differential.stories import STORIES

SHOWN_MAX = 20
STORIES_MAX = 1_000_000


def main() -> int:
    """Run the command line; return the exit code: 0 nothing wrong, 1 something wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="how many to send at least")
    parser.add_argument("--seed", type=int, default=1, help="of the first story")
    parser.add_argument(
        "--stories",
        nargs="+",
        choices=STORIES,
        default=list(STORIES),
        help="each seed tells one of each kind",
    )
    parser.add_argument(
        "--save", type=Path, metavar="FOLDER", help="where to write what is wrong, for the corpus"
    )
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, lite_server(Path(folder)) as ours, real_server() as real:
        stores = Stores(real, ours)
        wrong: list[tuple[int, Difference]] = []
        for seed in range(options.seed, options.seed + STORIES_MAX):
            if sum(stores.counts.values()) >= options.requests:
                break
            for kind in options.stories:
                wrong += [(seed, it) for it in stores.tell(STORIES[kind](seed))]
        for seed, difference in wrong[:SHOWN_MAX]:
            show(seed, stores.shrink(difference), options.save)
    total = sum(stores.counts.values())
    figures = ", ".join(f"{stores.counts[it]} {it.value}" for it in Verdict)
    print(f"{total} requests in {time.monotonic() - began:.0f} s: {figures}")
    for reason, count in stores.refusals.most_common(SHOWN_MAX):
        print(f"{count:6}  {reason}")
    return 1 if wrong else 0


def show(seed: int, difference: Difference, folder: Path | None) -> None:
    """Print a difference, and keep it when there is a folder for it."""
    last = difference.story[-1]
    print(f"seed {seed}: {last.method} {last.path} {json.dumps(last.body)[:2000]}")
    print(f"  real {difference.real[0]}: {json.dumps(difference.real[1])[:700]}")
    print(f"  ours {difference.ours[0]}: {json.dumps(difference.ours[1])[:700]}")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        kept = json.dumps([asked.as_json() for asked in difference.story], indent=1)
        (folder / f"seed-{seed}-{len(difference.story)}.json").write_text(kept)


if __name__ == "__main__":
    raise SystemExit(main())
