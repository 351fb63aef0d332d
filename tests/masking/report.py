"""Prints a verdict: a table by kind, then what was missed and what strayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.masking.judge import Score, Verdict

WIDTH = 160
ALL_KINDS = "all kinds"


def ratio(value: float | None) -> str:
    """Cut, not rounded: 0.9999 must not read as 1."""
    return "-" if value is None else f"{int(value * 10_000) / 10_000:.4f}"


def row(name: str, score: Score, detected: bool) -> str:
    hits = score.touched if detected else score.found
    return (
        f"{name:<22}{score.planted:>8}{hits:>8}{score.planted - hits:>8}"
        f"{score.innocent:>10}{score.strayed:>8}"
        f"{ratio(score.precision(detected)):>11}{ratio(score.recall(detected)):>8}{ratio(score.f1(detected)):>8}"
    )


def table(title: str, verdict: Verdict, detected: bool = False) -> Iterator[str]:
    """One row a kind, and a total.

    Args:
        title: Who was judged, and on what.
        verdict: What became of the lines.
        detected: A secret counts as found when anything of it was taken.
    """
    yield f"{title}: {verdict.lines} lines"
    yield (
        f"{'kind':<22}{'secrets':>8}{'found':>8}{'missed':>8}"
        f"{'innocent':>10}{'strayed':>8}{'precision':>11}{'recall':>8}{'F1':>8}"
    )
    for kind in sorted(verdict.scores):
        yield row(kind, verdict.scores[kind], detected)
    yield row("total", verdict.total(), detected)


def one_line(text: str) -> str:
    shown = text.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= WIDTH else shown[: WIDTH - 3] + "..."


def missed(verdict: Verdict, examples: int) -> Iterator[str]:
    """Secrets of which something survived, with examples of each kind."""
    by_kind = Counter(miss.secret.kind for miss in verdict.missed)
    for kind, count in by_kind.most_common():
        yield f"missed {kind}: {count}"
        for miss in [miss for miss in verdict.missed if miss.secret.kind == kind][:examples]:
            yield f"  left {one_line(miss.left)!r:.60} in {one_line(miss.line.text)}"


def strayed(verdict: Verdict, examples: int) -> Iterator[str]:
    """Lines of which innocent text was taken, with examples of each kind."""
    by_kind = Counter(it.kind for it in verdict.strayed)
    for kind, count in by_kind.most_common():
        yield f"strayed {kind}: {count}"
        for it in [it for it in verdict.strayed if it.kind == kind][:examples]:
            yield f"  took {one_line(it.taken)!r:.60} as {', '.join(it.rules)} in {one_line(it.line.text)}"


def comparison(verdicts: Mapping[str, tuple[Verdict, bool]], kinds: tuple[str, ...]) -> Iterator[str]:
    """F1 by kind of several maskers side by side, as a table of Markdown.

    Args:
        verdicts: By masker; the second of a pair says that detecting was enough. All judged the same lines.
        kinds: One row each, and one for all.
    """
    planted = next(iter(verdicts.values()))[0]
    yield f"| kind | secrets | {' | '.join(verdicts)} |"
    yield f"| --- {'| ---: ' * (len(verdicts) + 1)}|"
    for kind in (*kinds, ALL_KINDS):
        secrets = _score(planted, kind).planted
        cells = (ratio(_score(verdict, kind).f1(detected)) for verdict, detected in verdicts.values())
        yield f"| {kind} | {secrets:,} | {' | '.join(cells)} |"


def _score(verdict: Verdict, kind: str) -> Score:
    return verdict.total() if kind == ALL_KINDS else verdict.scores[kind]
